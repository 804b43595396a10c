"""What do metrics cost a request, and what does a scrape? Writes the measured part of docs/metrics.md.

Events of requests with three models are notified in a tight loop, and a router of 64 task classes and 10 models, every
edge of them in use, is scraped. About half a minute on one core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, generate_latest

from banditroute import open_router
from banditroute.observe import Attempted, Decided, Event, Judged, Settled
from banditroute.records import Attempt, Context, Demand, Feedback, Outcome, Usage
from banditroute.router import Router
from banditroute.telemetry import Metrics, exposition
from banditroute.telemetry.prometheus import RouterCollector
from marked_page import footnote, write_part

REQUESTS, ROUNDS, SCRAPES = 20_000, 9, 9
TASKS = [f"task{number:02}" for number in range(64)]

PROVIDER = '[[providers]]\nname = "local"\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
MODEL = '[[models]]\nname = "{name}"\nprovider = "local"\ninput_usd_per_mtok = {usd}\noutput_usd_per_mtok = {usd}\n'
REST = '[[budgets]]\nusd_per_request = 0.001\n[[budgets]]\nusd = 20.0\nper = "day"\n[store]\nkind = "memory"\n'


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    text = "\n".join((*_per_event(), "", *_per_scrape(), "", f"{footnote(started, __file__)}."))
    print(text)
    write_part("metrics.md", "measured", text)


def _per_event() -> list[str]:
    """Microseconds for each event of a request, and for all of it."""
    metrics, router = _watched(3, ["qa"])
    chat = _request(router, "qa", "d")
    each = [(type(event).__name__, _median_us(metrics.notify, [event])) for event in chat]
    whole = _median_us(metrics.notify, chat)
    rows = [f"| {name} | {us:.2f} |" for name, us in (*each, ("a request with one call and one judgement", whole))]
    return ["| event, 3 models and a paced budget | µs of CPU |", "|---|---|", *rows]


def _per_scrape() -> list[str]:
    """Milliseconds of a scrape at the most that a router learns apart."""
    metrics, router = _watched(10, TASKS)
    for number, task in enumerate(TASKS):
        for model in router.catalog.names:
            for event in _request(router, task, f"{number}{model}", model):
                metrics.notify(event)
    registry = CollectorRegistry()
    registry.register(RouterCollector(metrics))
    lines = exposition(metrics)[0].count(b"\n")
    ours, theirs = (_median_ms(scrape) for scrape in (lambda: exposition(metrics), lambda: generate_latest(registry)))
    return [
        f"| a scrape: 64 classes x 10 models, {lines:,} lines | ms of CPU |",
        "|---|---|",
        f"| `exposition(metrics)` | {ours:.0f} |",
        f"| the same by `prometheus_client.generate_latest` | {theirs:.0f} |",
    ]


def _watched(models: int, tasks: Sequence[str]) -> tuple[Metrics, Router]:
    metrics = Metrics()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "router.toml"
        tables = [MODEL.format(name=f"model{number}", usd=float(number + 1)) for number in range(models)]
        path.write_text("".join((PROVIDER, *tables, REST)), encoding="utf-8")
        router = open_router(path, observer=metrics)
    metrics.watch(router)
    for task in tasks:
        for model in router.catalog.names:
            router.learner.decider.learn(_context(task), model, quality=0.7, output_tokens=100, latency_s=1.0)
    router.learner.decider.refresh()
    return metrics, router


def _context(task: str) -> Context:
    return Context(task, input_tokens=500)


def _request(router: Router, task: str, name: str, model: str | None = None) -> tuple[Event, ...]:
    """The events of a request with one call and one judgement; a model that is named serves it."""
    demand = Demand(500)
    decision = router.learner.decider.decide(_context(task), demand, decision_id=name, now=1e9, u=0.3)
    served = decision.chosen if model is None else model
    attempt = Attempt(served, 1.0, 2e-4, in_flight=0, ttft_s=0.2)
    usage = Usage(500, 120, 64, 16, 20)
    outcome = Outcome(name, served, 1e9 + 1.0, usage, 2e-4, 1.001, 0.2, attempts=(attempt,))
    judged = Judged(Feedback(name, 0.8, at=1e9 + 60.0), decision, outcome)
    return Decided(decision), Attempted(name, attempt), Settled(outcome, decision), judged


def _median_us(take: Callable[[Event], None], events: Sequence[Event]) -> float:
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS):
            for event in events:
                take(event)
        rounds.append((time.process_time() - began) / REQUESTS * 1e6)
    return statistics.median(rounds)


def _median_ms(scrape: Callable[[], object]) -> float:
    rounds: list[float] = []
    for _ in range(SCRAPES):
        began = time.process_time()
        scrape()
        rounds.append((time.process_time() - began) * 1e3)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
