"""Writes the measured part of docs/latency-promises.md: are few answers late when load trebles, and at what price?

Qualities and dollars are those of judged9_test; seconds are drawn from llmperf's timed calls of three services, one for
each model, and grow with the calls in flight by laws that the router does not know. Requests come as in the Azure code
trace or at ServeGen's rates, and in the middle third of them three times as fast. About a quarter of an hour.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import load_table
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.promises import Keeper, Promise
from banditroute.routing.steering import Rule, Situation
from banditroute.simulation.traffic import Arrivals, load_trace, tiled
from banditroute.simulation.world import Lived, World
from banditroute.simulation.world_prices import Priced, priced
from marked_page import footnote, write_part

Floats = NDArray[np.float64]

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
SEEDS = 20
FEWER = 5  # of settings that are only there to compare with
REQUESTS = 6_000
STEPS = (1.0, 3.0, 1.0)
LIMIT_S = 6.0
EPSILON = 0.05
WEIGHTS = (0.01, 0.03, 0.05, 0.07)
BUDGET_USD = 1.9e-3
START = 1_795_000_000.0
SERVEGEN_RPS, SERVEGEN_WINDOW_S = 4.0, 6.0


class Service(NamedTuple):
    """Who stands for a model: a provider's timed calls, and how it bears load.

    Attributes:
        provider, model: of llmperf.
        concurrency: calls in flight at which it begins to be (batched) or is just not yet (queued) slowed down.
        queued: callers wait in line beyond that many; otherwise all calls share its speed.
    """

    provider: str
    model: str
    concurrency: float
    queued: bool

    def slowdown(self, in_flight: int) -> float:
        """Times its idle seconds that a call needs that begins beside so many others."""
        if self.queued:
            return max(1.0, (in_flight + 1) / self.concurrency)
        return 1.0 + in_flight / self.concurrency


SERVICES = {
    "llama-3.1-8b-instruct": Service("anyscale", "13b", 64.0, queued=False),
    "mistral-large-2512": Service("together", "13b", 30.0, queued=True),
    "gemini-2.5-pro": Service("fireworks", "13b", 40.0, queued=False),
}


class Only(Rule):
    """One model serves everything."""

    def __init__(self, model: str) -> None:
        self._model = model

    def barred(self, situation: Situation) -> Mapping[str, str]:
        return {name: "not the one" for name in situation.names if name != self._model}


@dataclass(frozen=True, slots=True)
class Setting:
    """How requests are routed."""

    promise: Promise | None = None
    budget_usd: float | None = None
    quality_per_s: float = 0.0
    only: str | None = None


class Measured(NamedTuple):
    """Means over seeds; `late` and `quality` of all requests, then of each phase."""

    late: Floats
    late_by_phase: Floats
    quality: Floats
    quality_by_phase: Floats
    usd: Floats
    share: Floats
    given_up: Floats
    per_point: Floats


class Study:
    """Everything that is the same for all settings."""

    def __init__(self, half: str, seeds: int) -> None:
        self.priced: Priced = priced(load_table(DATA / "outcomes" / f"judged9_{half}.jsonl.gz"))
        self.seeds = seeds
        self._seconds = timed_calls()
        self._models = self.priced.catalog.names

    def measured(self, setting: Setting, arrivals: Callable[[int], Floats], most: int = SEEDS) -> Measured:
        """A setting in all seeds, or the first of them."""
        rows = [self._row(setting, arrivals(seed), seed) for seed in range(min(self.seeds, most))]
        return Measured(*(np.array(column) for column in zip(*rows, strict=True)))

    def _row(self, setting: Setting, at: Floats, seed: int) -> Measured:
        keeper = None if setting.promise is None else Keeper(setting.promise)
        rules: list[Rule] = [] if keeper is None else [keeper]
        rules += [] if setting.only is None else [Only(setting.only)]
        table = self.priced.table
        decider = Decider(
            self.priced.catalog,
            table.tasks,
            table.features.shape[1],
            budget_usd=setting.budget_usd,
            quality_per_s=setting.quality_per_s,
            encoder_version=f"table-{table.features.shape[1]}",
            rules=rules,
        )
        arrivals = Arrivals(at, np.zeros(at.size, dtype=np.int64))
        lived = World(self.priced, arrivals, decider, Ledger(()), seed=seed, latency=self._latency).run()
        return _summed(lived, keeper, len(self._models))

    def _latency(self, model: str, in_flight: int, rng: np.random.Generator) -> float:
        return float(rng.choice(self._seconds[model])) * SERVICES[model].slowdown(in_flight)


def _summed(lived: Lived, keeper: Keeper | None, models: int) -> Measured:
    late = lived.latency_s > LIMIT_S
    phases = np.array_split(np.arange(late.size), len(STEPS))
    kept = None if keeper is None else keeper.kept()
    return Measured(
        late.mean(),
        np.array([late[phase].mean() for phase in phases]),
        lived.quality.mean(),
        np.array([lived.quality[phase].mean() for phase in phases]),
        lived.cost_usd.mean(),
        np.bincount(lived.arm, minlength=models) / lived.arm.size,
        np.array(0.0 if kept is None else kept.given_up),
        np.array(0.0 if kept is None else kept.per_point),
    )


def timed_calls() -> dict[str, Floats]:
    """Seconds of each model's stand-in; calls that failed are left out."""
    lines = gzip.decompress((DATA / "latency" / "llmperf_7b_13b.jsonl.gz").read_bytes()).splitlines()
    calls: list[dict[str, Any]] = [call for line in lines if (call := json.loads(line))["error_code"] is None]
    return {
        model: np.array([call["e2e_s"] for call in calls if _is_of(call, service)])
        for model, service in SERVICES.items()
    }


def _is_of(call: Mapping[str, Any], service: Service) -> bool:
    return call["provider"] == service.provider and service.model in call["model"]


def azure(_: int) -> Floats:
    """Instants of the Azure code trace, as bursty as it is."""
    return stepped(tiled(load_trace(DATA / "traces" / "azure_code.jsonl.gz"), REQUESTS, START))


def servegen(seed: int) -> Floats:
    """Instants at ServeGen's rates of one model, scaled to the same mean and played faster."""
    lines = gzip.decompress((DATA / "traces" / "servegen_rates.jsonl.gz").read_bytes()).splitlines()
    rates = np.array([row["rate_rps"] for line in lines if (row := json.loads(line))["model"] == "m-mid"])
    expected = np.cumsum(rates / rates.mean() * SERVEGEN_RPS * SERVEGEN_WINDOW_S)
    passes = int(np.ceil(REQUESTS * 1.2 / expected[-1]))
    expected = np.cumsum(np.tile(np.diff(expected, prepend=0.0), passes))
    ticks = np.cumsum(np.random.default_rng([seed, 7]).exponential(1.0, REQUESTS))
    at = np.interp(ticks, np.r_[0.0, expected], SERVEGEN_WINDOW_S * np.arange(expected.size + 1))
    return stepped(START + at)


def stepped(at: Floats) -> Floats:
    """The same gaps between requests, in each third of them divided by its step."""
    gaps = np.diff(at, prepend=at[0])
    steps = np.concatenate([np.full(part.size, s) for part, s in zip(np.array_split(gaps, 3), STEPS, strict=True)])
    return at[0] + np.cumsum(gaps / steps)


def main(half: str = "test", seeds: int = SEEDS) -> None:
    """Measures, and writes where it was the whole."""
    started = time.perf_counter()
    study = Study(half, seeds)
    promise = Promise("fast", EPSILON, latency_s=LIMIT_S)
    lines = [*_main_table(study, promise), "", *_other_traffic(study, promise), "", *_epsilons(study)]
    lines += ["", f"{footnote(started, __file__)}."]
    text = "\n".join(lines)
    print(text)
    if (half, seeds) == ("test", SEEDS):
        write_part("latency-promises.md", "measured", text)


_HEAD = [
    "| routing | late, all | by phase (x1, x3, x1) | quality, all | by phase | llama, mistral, gemini |",
    "|---|---|---|---|---|---|",
]


def _main_table(study: Study, promise: Promise) -> list[str]:
    free = study.measured(Setting(), azure)
    kept = study.measured(Setting(promise), azure)
    weights = {weight: study.measured(Setting(quality_per_s=weight), azure, FEWER) for weight in WEIGHTS}
    lines = [*_HEAD, _line("no promise", free), _line(f"**promise: {EPSILON:.0%} later than {LIMIT_S:.0f} s**", kept)]
    lines += [_line(f"quality_per_s = {weight}", found) for weight, found in weights.items()]
    fixed = {model: study.measured(Setting(only=model), azure, FEWER) for model in SERVICES}
    lines += [_line(f"always {model}", found) for model, found in fixed.items()]
    lines += ["", *_in_words(free, kept)]
    return lines


def _in_words(free: Measured, kept: Measured) -> list[str]:
    lost, worst = free.quality - kept.quality, kept.late_by_phase.mean(0).max()
    return [
        f"The promise cost {lost.mean():.4f} ± {_sem(lost):.4f} quality points a request against no promise; the",
        f"router itself said {kept.given_up.mean():.4f}. Late: {kept.late.mean():.2%} of all (worst order",
        f"{kept.late.max():.2%}), {worst:.2%} in the worst phase.",
    ]


def _other_traffic(study: Study, promise: Promise) -> list[str]:
    rows = {
        "ServeGen rates, no promise": (Setting(), servegen),
        "ServeGen rates, promise": (Setting(promise), servegen),
        f"Azure trace, ${BUDGET_USD} a request, no promise": (Setting(budget_usd=BUDGET_USD), azure),
        f"Azure trace, ${BUDGET_USD} a request, promise": (Setting(promise, BUDGET_USD), azure),
    }
    lines = [_HEAD[0].replace("| llama", "| $ a request | llama"), _HEAD[1] + "---|"]
    for name, (setting, arrivals) in rows.items():
        found = study.measured(setting, arrivals, FEWER if setting.promise is None else SEEDS)
        cells = _line(name, found).split(" | ")
        lines.append(" | ".join([*cells[:-1], f"{found.usd.mean():.5f}", cells[-1]]))
    return lines


def _epsilons(study: Study) -> list[str]:
    """Promises of other shares."""
    lines = [
        "| may be late | late | worst phase | quality | what one point less is said to cost at the end |",
        "|---|---|---|---|---|",
    ]
    for epsilon in (0.02, 0.1):
        found = study.measured(Setting(Promise("fast", epsilon, latency_s=LIMIT_S)), azure, FEWER)
        late = f"{found.late.mean():.2%} | {found.late_by_phase.mean(0).max():.2%}"
        lines.append(f"| {epsilon:.0%} | {late} | {found.quality.mean():.4f} | {found.per_point.mean():.4f} |")
    return lines


def _line(name: str, found: Measured) -> str:
    late = f"{found.late.mean():.2%} | {_each(found.late_by_phase, '.2%')}"
    quality = f"{found.quality.mean():.4f} | {_each(found.quality_by_phase, '.3f')}"
    return f"| {name} | {late} | {quality} | {_each(found.share, '.0%')} |"


def _each(values: Floats, how: str) -> str:
    return ", ".join(format(value, how) for value in values.mean(0))


def _sem(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0


def _arguments(given: Sequence[str]) -> tuple[str, int]:
    return (given[0] if given else "test"), (int(given[1]) if len(given) > 1 else SEEDS)


if __name__ == "__main__":
    main(*_arguments(sys.argv[1:]))
