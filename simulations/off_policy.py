"""Off-policy estimates against the truth: on a real log with two policies run in full, and on logs with known truth.

Writes the measured part of docs/evaluation.md. Run: `python simulations/off_policy.py [--logs 1000]`; on 2 cores some
ten minutes. It reads the real log and the judged table from ../shared/data.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import OutcomeTable, load_table
from banditroute.evaluation.estimators import ESTIMATORS, Sample
from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.loading import load_log
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.outcome_model import cross_fitted
from banditroute.evaluation.results import Evaluation, Value
from banditroute.evaluation.targets import Fixed, Given
from banditroute.evaluation.weights import carried_size, importance_weights
from banditroute.learning.policy import THOMPSON, LearningPolicy, PolicySettings, Step
from banditroute.learning.selection import best_arm_probabilities
from banditroute.simulation.frontier import class_choices
from banditroute.simulation.stream import Stream, stream_of
from marked_page import footnote, write_part

Floats = NDArray[np.float64]

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
BUDGET_USD = 1.9e-3
WARM = 150
"""Decisions that the logging policy has learned from: it has an opinion, and still draws."""

SIZES = (250, 500, 1000, 2000)
ENOUGH = 100.0
RESAMPLES = 600
KINDS = {"as judged": 1.0, "right or wrong": 0.3, "always right": 0.3}
"""What becomes of the judge's scores, and for which share of the logs."""


@dataclass(frozen=True)
class World:
    """A population of requests, the policy that logs, and the targets with their truth.

    Attributes:
        stream: the rows.
        logging: (n, K) probabilities on each row.
        targets: by name, (n, K).
        quality: (n, K); cost_usd: (n, K).
    """

    name: str
    stream: Stream
    table: OutcomeTable
    logging: Floats
    targets: dict[str, Floats]
    quality: Floats

    def truth(self, name: str, signal: str) -> float:
        values = self.quality if signal == "quality" else self.table.cost_usd
        return float((self.targets[name] * values).sum(1).mean())


class Hit(NamedTuple):
    """One estimate of one signal on one log."""

    size: int
    target: str
    estimator: str
    signal: str
    ess: float
    error: float
    inside: bool
    ever_inside: bool | None
    width: float
    ever_width: float
    all_ones: bool


def main() -> None:
    """Measures and writes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--logs", type=int, default=1000)
    arguments.add_argument("--jobs", type=int, default=2)
    options = arguments.parse_args()
    started = time.perf_counter()
    parts = [_real(), *_simulated(options.logs, options.jobs)]
    parts.append(f"{footnote(started, __file__)} with `--logs {options.logs}`.")
    text = "\n\n".join(parts)
    print(text)
    write_part("evaluation.md", "measured", text)


# --- the real log ------------------------------------------------------------------------------------------------


def _real() -> str:
    """Estimates from 35 random decisions beside what two policies got that were run in full on the same items."""
    loaded = load_log(DATA / "logs" / "omnisbench_fresh35.jsonl.gz")
    found = evaluate(loaded.log, [Fixed("anthropic/claude-opus-5"), Fixed("openai/gpt-5-nano")])
    truth = {"fixed:anthropic/claude-opus-5": "always_big", "fixed:openai/gpt-5-nano": "always_cheap"}
    lines = [
        "| policy | what | measured in full | ips | snips | dm | dr | switch-dr |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for policy, logged in truth.items():
        for signal, form in (("quality", ".3f"), ("cost_usd", ".4f"), ("latency_s", ".1f")):
            lines.append(_real_row(found, policy, logged, signal, form))
    return "\n".join(lines)


def _real_row(found: Evaluation, policy: str, logged: str, signal: str, form: str) -> str:
    measured = getattr(next(each for each in found.logged if each.policy == logged), signal)[0]
    cells = [policy.removeprefix("fixed:"), signal, f"{measured:{form}}"]
    for estimator in ESTIMATORS:
        value: Value = getattr(found.of(policy, estimator), signal)
        low, high = value.ci95
        cells.append(f"{value.mean:{form}} ({low:{form}} to {high:{form}}){'' if low <= measured <= high else ' *'}")
    return f"| {' | '.join(cells)} |"


# --- simulated logs ----------------------------------------------------------------------------------------------


def _simulated(logs: int, jobs: int) -> Iterator[str]:
    for kind, share in KINDS.items():
        hits = _hits(kind, max(int(share * logs), 2), jobs)
        yield f"Quality {kind}, {max(int(share * logs), 2):,} logs:\n\n{_coverage(hits)}"
        if kind == "as judged":
            yield _errors(hits)


def _hits(kind: str, logs: int, jobs: int) -> list[Hit]:
    seeds = np.array_split(np.arange(logs), jobs * 4)
    with ProcessPoolExecutor(jobs) as pool:
        parts = pool.map(_some_logs, [kind] * len(seeds), [each.tolist() for each in seeds])
        return [hit for part in parts for hit in part]


def _some_logs(kind: str, seeds: Sequence[int]) -> list[Hit]:
    world = _world(kind)
    hits: list[Hit] = []
    for seed in seeds:
        log, rows = _draw_log(world, SIZES[-1], seed)
        hits += _measure(world, log, rows, seed)
        for size in SIZES[:-1] if kind == "as judged" else ():
            hits += _estimate(world, log.select(np.arange(size)), rows[:size])
    return hits


def _estimate(world: World, log: LogTable, rows: NDArray[np.int64]) -> Iterator[Hit]:
    """Estimates of quality alone, without intervals: for their errors at smaller sizes."""
    fitted = cross_fitted(log).quality
    for name, p in world.targets.items():
        weight = importance_weights(log, p[rows])
        ess = carried_size(log, p[rows], weight)
        sample = Sample(weight, log.quality, log.chosen, p[rows], fitted)
        for estimator, terms in ESTIMATORS.items():
            error = terms(sample).estimate - world.truth(name, "quality")
            yield Hit(log.rows, name, estimator, "quality", ess, error, False, None, math.nan, math.nan, False)


def _measure(world: World, log: LogTable, rows: NDArray[np.int64], seed: int) -> Iterator[Hit]:
    targets = [Given(name, p[rows]) for name, p in world.targets.items()]
    found = evaluate(log, targets, seed=seed, number=RESAMPLES)
    for target, given in zip(found.targets, targets, strict=True):
        matched = log.quality[given.p[np.arange(log.rows), log.chosen] > 0]
        for estimator in ESTIMATORS:
            estimate = found.of(target.policy, estimator)
            for signal in ("quality", "cost_usd"):
                value: Value = getattr(estimate, signal)
                truth = world.truth(target.policy, signal)
                ever = value.anytime95
                yield Hit(
                    log.rows,
                    target.policy,
                    estimator,
                    signal,
                    target.ess,
                    value.mean - truth,
                    value.ci95.low <= truth <= value.ci95.high,
                    None if ever is None else ever.low <= truth <= ever.high,
                    value.ci95.high - value.ci95.low,
                    float("nan") if ever is None else ever.high - ever.low,
                    bool((matched == 1.0).all()),
                )


def _coverage(hits: Sequence[Hit]) -> str:
    """Coverage at the largest size, over targets whose ESS is enough."""
    wanted = [hit for hit in hits if hit.size == SIZES[-1] and hit.ess >= ENOUGH]
    lines = [
        "| target | mean ESS | logs | "
        + " | ".join(f"{estimator} {signal}" for signal in ("quality", "dollars") for estimator in ESTIMATORS)
        + " | anytime misses, ips / dr quality | ips / dr dollars | anytime width / plain, dr |",
        "|---|---|---|" + "---|" * 13,
    ]
    for target in dict.fromkeys(hit.target for hit in hits):
        mine = [hit for hit in wanted if hit.target == target]
        if not mine:
            lines.append(f"| {target} | below {ENOUGH:.0f} | 0 |" + " |" * 13)
            continue
        lines.append(_coverage_row(target, mine))
    return "\n".join(lines)


def _coverage_row(target: str, mine: Sequence[Hit]) -> str:
    def of(estimator: str, signal: str) -> list[Hit]:
        return [hit for hit in mine if (hit.estimator, hit.signal) == (estimator, signal)]

    first = of("ips", "quality")
    cells = [target, f"{np.mean([hit.ess for hit in first]):.0f}", str(len(first))]
    for signal in ("quality", "cost_usd"):
        cells += [f"{np.mean([hit.inside for hit in of(each, signal)]):.1%}" for each in ESTIMATORS]
    for signal in ("quality", "cost_usd"):
        cells.append(
            " / ".join(f"{np.mean([not hit.ever_inside for hit in of(e, signal)]):.1%}" for e in ("ips", "dr"))
        )
    cells.append(f"{np.mean([hit.ever_width / hit.width for hit in of('dr', 'quality') if hit.width > 0]):.2f}")
    return f"| {' | '.join(cells)} |"


def _errors(hits: Sequence[Hit]) -> str:
    """Root mean squared errors by size, whatever the ESS."""
    lines = ["| target | decisions | " + " | ".join(ESTIMATORS) + " |", "|---|---|" + "---|" * len(ESTIMATORS)]
    for target in dict.fromkeys(hit.target for hit in hits):
        for size in sorted({hit.size for hit in hits}):
            cells = []
            for estimator in ESTIMATORS:
                errors = [
                    hit.error
                    for hit in hits
                    if (hit.target, hit.size, hit.estimator, hit.signal) == (target, size, estimator, "quality")
                ]
                known = np.array([error for error in errors if math.isfinite(error)])
                cells.append(f"{np.sqrt((known**2).mean()):.4f}")
            lines.append(f"| {target} | {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


# --- the world ---------------------------------------------------------------------------------------------------


def _world(kind: str) -> World:
    """The rows of judged9's test half, logged by a Thompson policy that has learned from WARM rows of the other."""
    table = load_table(DATA / "outcomes" / "judged9_test.jsonl.gz")
    warm = load_table(DATA / "outcomes" / "judged9_val.jsonl.gz")
    stream = stream_of(table, warm, features=True, classes=True)
    logging = _thompson(stream, BUDGET_USD, WARM, seed=0)
    later = _thompson(stream, BUDGET_USD / 2, 3 * WARM, seed=1)
    classes = class_choices(table, stream.task[stream.warm :], len(stream.tasks)).at_budget(BUDGET_USD / 2)
    targets = {f"fixed:{model}": np.eye(3)[np.full(table.requests, k)] for k, model in enumerate(table.models)}
    targets["uniform"] = np.full((table.requests, 3), 1 / 3)
    targets["class means"] = classes[stream.task[stream.warm :]]
    targets["thompson, half the budget"] = later
    quality = table.quality
    if kind == "right or wrong":
        quality = (quality > 0.8).astype(float)
    elif kind == "always right":
        quality = np.ones_like(quality)
    return World(kind, stream, table, logging, targets, quality)


def _thompson(stream: Stream, budget_usd: float, learned: int, seed: int) -> Floats:
    """(n, K) what a Thompson policy draws from on every scored row, once it has learned from so many warm-up rows."""
    models, scored = stream.quality.shape[1], stream.task.size - stream.warm
    policy = LearningPolicy((1, len(stream.tasks), models), stream.x.shape[1], np.array([budget_usd]), PolicySettings())
    rng = np.random.default_rng([seed, 7])
    for row in rng.permutation(stream.warm)[:learned]:
        step = _step(stream, row, rng.standard_normal((1, models)), rng.random(1))
        arm = policy.choose(step)
        policy.learn(step, arm, stream.quality[row, arm], stream.cost_usd[row, arm])
    policy.refresh()
    return np.stack([_drawn_from(policy, stream, stream.warm + row) for row in range(scored)])


def _drawn_from(policy: LearningPolicy, stream: Stream, row: int) -> Floats:
    """(K,) the policy's probabilities at a row: the floor, the rest by Thompson sampling."""
    task, x = stream.task[row : row + 1], stream.x[row : row + 1]
    quality, log_cost = policy.quality.predict(task, x), policy.log_cost.predict(task, x)
    cost = np.exp(
        log_cost.mean + 0.5 * np.minimum(log_cost.var + policy.log_cost.noise(task, (np.zeros(1, int),)), 2.0)
    )
    share = policy.pacer.share(cost)
    worth = (quality.mean - policy.pacer.price * share)[0]
    p = best_arm_probabilities(worth, THOMPSON.sampled * np.sqrt(quality.var[0]))
    return np.array(THOMPSON.mixed(p.tolist(), worth.tolist(), share[0].tolist()))


def _step(stream: Stream, row: int, normal: Floats, uniform: Floats) -> Step:
    rows = np.array([row])
    return Step(rows, stream.task[rows], stream.x[rows], stream.observed[rows], normal, uniform)


def _draw_log(world: World, size: int, seed: int) -> tuple[LogTable, NDArray[np.int64]]:
    """A log of requests drawn with replacement, and which rows they are."""
    rng = np.random.default_rng([seed, 11])
    rows = rng.integers(world.table.requests, size=size)
    p = world.logging[rows]
    chosen = (rng.random(size)[:, None] < np.cumsum(p, axis=1)).argmax(1)
    every = np.arange(size)
    stream = world.stream
    log = LogTable(
        name="simulated",
        ids=tuple(map(str, every)),
        models=world.table.models,
        tasks=stream.tasks,
        policies=("thompson",),
        policy_of=np.zeros(size, np.int64),
        task_of=stream.task[stream.warm + rows],
        at=every.astype(float),
        input_tokens=world.table.input_tokens[rows],
        output_tokens=np.full(size, np.nan),
        features=world.table.features[rows],
        eligible=np.ones((size, 3), bool),
        chosen=chosen,
        served=chosen,
        propensity=p[every, chosen],
        propensities=p,
        quality=world.quality[rows, chosen],
        cost_usd=world.table.cost_usd[rows, chosen],
        latency_s=np.ones(size),
    )
    return log, rows


if __name__ == "__main__":
    sys.exit(main())
