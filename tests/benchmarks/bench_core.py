"""How long the live core takes, as ratios to the floor and in microseconds: python tests/benchmarks/bench_core.py

All candidates take turns in one process, so that a busy machine disturbs them alike; medians of the rounds are shown.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from floor import Floor

from banditroute.learning.evidence import empty
from banditroute.learning.posterior import Posterior, condition, predict, solve
from banditroute.learning.priors import QUALITY
from banditroute.learning.selection import best_arm_probabilities, draw, exploration_floor, mixed
from banditroute.records import Context, Demand
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.eligibility import Screen

ROUNDS = 60
CALLS = 200
TASKS = tuple(f"task-{i}" for i in range(9))


class Kernel:
    """One signal through the library's own functions: predict, draw scores, condition."""

    def __init__(self, width: int, arms: int, rng: np.random.Generator) -> None:
        posterior = solve(empty((1, arms), width), QUALITY)
        self.posterior = Posterior(posterior.block.copy(), posterior.noise)
        self.rng = rng
        self.arms = arms

    def decide(self, x: np.ndarray) -> int:
        self.at = predict(self.posterior, 0, x)
        normal = self.rng.standard_normal(self.arms)
        return int((self.at.mean + normal * np.sqrt(self.at.var)).argmax())

    def learn(self, arm: int, y: float) -> None:
        condition(self.posterior, 0, arm, y, self.at)


def medians_us(candidates: Mapping[str, Callable[[int], object]]) -> dict[str, float]:
    """Microseconds a call of each candidate, which gets the call's number; rounds interleaved."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, call in candidates.items():
            begun = time.perf_counter()
            for i in range(CALLS):
                call(i)
            times[name].append((time.perf_counter() - begun) / CALLS * 1e6)
    return {name: statistics.median(rounds) for name, rounds in times.items()}


def stepping(core: Floor | Kernel, x: np.ndarray) -> Callable[[int], None]:
    """Decides, then learns: the pair, because either alone would leave the caches to itself."""

    def step(i: int) -> None:
        arm = core.decide(x[i])
        core.learn(arm, 0.5)

    return step


def kernel(width: int, arms: int) -> str:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((CALLS, width)) * 0.3
    floor, own = Floor(width, arms, rng), Kernel(width, arms, rng)
    took = medians_us(
        {
            "floor": stepping(floor, x),
            "own": stepping(own, x),
            "floor decides": lambda i: floor.decide(x[i]),
            "own decides": lambda i: own.decide(x[i]),
        }
    )
    whole, decides = took["own"] / took["floor"], took["own decides"] / took["floor decides"]
    return (
        f"kernel X={width} K={arms}: {whole:.2f} of the floor ({took['own']:.1f} / {took['floor']:.1f} us), "
        f"deciding alone {decides:.2f} ({took['own decides']:.1f} / {took['floor decides']:.1f} us)"
    )


def learned_decider(features: np.ndarray, arms: int) -> Decider:
    """A decider that has seen 1,500 requests, so that widths and prices are those of use."""
    rng = np.random.default_rng(1)
    models = (Model(f"m{k}", "p", f"m{k}", Price(0.1 * 2**k, 0.4 * 2**k), Capabilities(128_000)) for k in range(arms))
    decider = Decider(Catalog(tuple(models)), TASKS, features.shape[1], budget_usd=0.001)
    for i in range(1_500):
        context = Context(TASKS[i % len(TASKS)], tuple(features[i % CALLS]), 300)
        decision = decider.decide(context, Demand(300), decision_id="", now=0.0, u=float(rng.random()))
        quality = float(rng.random() < 0.5 + 0.05 * decider.catalog.arm(decision.chosen))
        decider.learn(context, decision.chosen, quality=quality, output_tokens=200, latency_s=1.0)
        decider.spend(decision.forecasts[decision.chosen].cost_usd)
        if decider.refresh_due:
            decider.refresh()
    return decider


def decision(width: int, arms: int) -> str:
    rng = np.random.default_rng(2)
    features = 0.5 * rng.standard_normal((CALLS, width - 2))
    decider, demand = learned_decider(features, arms), Demand(300)
    contexts = [Context(TASKS[i % len(TASKS)], tuple(row), 300) for i, row in enumerate(features.tolist())]
    x = np.column_stack((np.ones(CALLS), np.zeros(CALLS), features))
    screen, mask = Screen(decider.catalog), np.ones(arms, dtype=np.bool_)
    known = [decider.signals.forecast(i % len(TASKS), x[i]) for i in range(CALLS)]
    share = np.linspace(0.1, 5.0, arms)

    def propensities(i: int) -> int:
        worth = known[i].quality - decider.shadow_price * share
        p = best_arm_probabilities(worth, 0.5 * known[i].quality_sd, mask)
        gap = worth[mask].max() - worth
        return draw(mixed(p, exploration_floor(mask, gap, share, decisions=0.01, dollars=0.01, quality=1e-4)), 0.3)

    took = medians_us(
        {
            "whole": lambda i: decider.decide(contexts[i], demand, decision_id="", now=0.0, u=i / CALLS),
            "eligibility": lambda _: screen.check(demand),
            "forecasts": lambda i: decider.signals.forecast(i % len(TASKS), x[i]),
            "propensities": propensities,
        }
    )
    whole = took.pop("whole")
    parts = took | {"inputs, prices, record": whole - sum(took.values())}
    return f"decision X={width} K={arms}: {whole:.0f} us = " + " + ".join(
        f"{us:.1f} {part}" for part, us in parts.items()
    )


def learning(width: int, arms: int) -> str:
    rng = np.random.default_rng(3)
    features = 0.5 * rng.standard_normal((CALLS, width - 2))
    decider = learned_decider(features, arms)
    contexts = [Context(TASKS[i % len(TASKS)], tuple(row), 300) for i, row in enumerate(features.tolist())]
    took = medians_us(
        {
            "learn": lambda i: decider.learn(contexts[i], "m1", quality=0.5, output_tokens=200, latency_s=1.0),
            "spend": lambda _: decider.spend(0.001),
        }
    )
    begun = time.perf_counter()
    decider.refresh()
    refresh_ms = (time.perf_counter() - begun) * 1e3
    steps = ", ".join(f"{name} {us:.0f} us" for name, us in took.items())
    return f"learning X={width} K={arms}: {steps}, refresh {refresh_ms:.0f} ms"


def import_ms(statement: str) -> float:
    """Milliseconds from the start of an interpreter to its end, over one that does nothing; median of 5."""

    def run_ms(code: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return (time.perf_counter() - begun) * 1e3

    pairs = [(run_ms(statement), run_ms("pass")) for _ in range(5)]
    return statistics.median(loaded - bare for loaded, bare in pairs)


def imports() -> str:
    bare, own = import_ms("import numpy, scipy.special"), import_ms("import banditroute")
    core = import_ms("from banditroute import Decider")
    return f"import: banditroute {own:.0f} ms, its Decider {core:.0f} ms, numpy and scipy.special {bare:.0f} ms"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def main() -> None:
    today = datetime.now(UTC).date()
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    sys.stdout.write(f"{today}, {processor()}, {os.cpu_count()} cores, {versions}, one BLAS thread\n")
    for line in (kernel(26, 3), kernel(32, 8), decision(26, 3), decision(32, 8), learning(32, 8), imports()):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
