"""Asks how often the live detectors cry wolf: streams in which nothing changes, every call of every model seen.

Outcome tables are put in a random order, so that whatever they hold is spread evenly; measured latencies are taken
both so and in the order of their measuring, in which providers did change. Writes its part of docs/drift.md.

Run: `python simulations/false_alarms.py`; a quarter of a minute. It reads ../shared/data.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute.learning.policy import PolicySettings
from banditroute.learning.priors import LOG_LATENCY, LOG_TOKENS, LOG_TTFT
from banditroute.records import Context
from banditroute.routing import watching
from banditroute.routing.lessons import SIGNALS, inputs_of, log_latency, log_tokens
from banditroute.routing.signals import Signals
from marked_page import footnote, write_part

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
TABLES = ("judged9_val", "llmrouter11", "mmlu29")
USD_PER_MTOK = {"llama-3.1-8b-instruct": (0.1, 0.1), "mistral-large-2512": (0.5, 1.5), "gemini-2.5-pro": (1.25, 10.0)}
"""Of models whose table states dollars and no tokens: prices of input and output, from which tokens follow."""

SEEDS = 3


class Seen(NamedTuple):
    """One call: of which model, in which class, with how long a prompt, and what it showed of each of SIGNALS."""

    task: str
    model: str
    input_tokens: int
    values: tuple[float | None, ...]


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    lines = ["| stream | signal | observations | false alarms | one in |", "|---|---|---:|---:|---:|"]
    total = Counter[str]()
    for name, seen in _streams():
        raised, observed = Counter[str](), Counter[str]()
        for seed in range(SEEDS):
            _watch([seen[i] for i in np.random.default_rng(seed).permutation(len(seen))], raised, observed)
        total += Counter({"alarms": raised.total(), "observations": observed.total()})
        lines += [_row(name, signal, observed[signal], raised[signal]) for signal in SIGNALS if observed[signal]]
    lines += [_row("all", "all", total["observations"], total["alarms"])]
    in_order, observed = Counter[str](), Counter[str]()
    _watch(list(_latencies()), in_order, observed)
    lines += [_row("measured latencies, in order", each, observed[each], in_order[each]) for each in SIGNALS[2:]]
    text = "\n".join([*lines, "", f"{footnote(started, __file__)}; {SEEDS} orders of each."])
    print(text)
    write_part("drift.md", "false alarms", text)


def _row(stream: str, signal: str, observations: int, alarms: int) -> str:
    one_in = f"{observations / alarms:,.0f}" if alarms else "-"
    return f"| {stream} | {signal} | {observations:,} | {alarms} | {one_in} |"


def _streams() -> Iterator[tuple[str, list[Seen]]]:
    for name in TABLES:
        yield name, list(_outcomes(name))
    yield "measured latencies", list(_latencies())


def _outcomes(name: str) -> Iterator[Seen]:
    for row in _rows(f"outcomes/{name}.jsonl.gz"):
        for model, got in row["outcomes"].items():
            tokens = got.get("output_tokens") or _tokens(model, row["input_tokens"], got["cost_usd"])
            values = (got["quality"], log_tokens(tokens) if tokens else None, None, None)
            yield Seen(row["task"], model, row["input_tokens"], values)


def _tokens(model: str, input_tokens: int, cost_usd: float) -> float | None:
    if model not in USD_PER_MTOK:
        return None
    per_input, per_output = USD_PER_MTOK[model]
    return max((1e6 * cost_usd - per_input * input_tokens) / per_output, 1.0)


def _latencies() -> Iterator[Seen]:
    rows = sorted(_rows("latency/llmperf_7b_13b.jsonl.gz"), key=lambda row: row["req_index"])
    for row in rows:
        if row["error_code"] is None:
            times = log_latency(row["e2e_s"]), log_latency(row["ttft_s"])
            values = (None, log_tokens(row["output_tokens"]), *times)
            yield Seen("general", f"{row['model']}@{row['provider']}", row["input_tokens"], values)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _watch(stream: Sequence[Seen], raised: Counter[str], observed: Counter[str]) -> None:
    """Counts alarms and observations of each signal."""
    settings = PolicySettings()
    tasks, models = (sorted({getattr(seen, of) for seen in stream}) for of in ("task", "model"))
    priors = (settings.quality, LOG_TOKENS, LOG_LATENCY, LOG_TTFT)
    signals = Signals(priors, len(tasks), len(models), 2, vigilances=watching.vigilances(settings))
    next_refresh = settings.refresh_first
    for number, seen in enumerate(stream, 1):
        x = np.array(inputs_of(Context(seen.task, (), seen.input_tokens)))
        shifts = signals.observe(tasks.index(seen.task), models.index(seen.model), x, seen.values)
        raised.update(SIGNALS[shift.signal] for shift in shifts)
        observed.update(signal for signal, value in zip(SIGNALS, seen.values, strict=True) if value is not None)
        signals.tick()
        if number >= next_refresh or signals.stale:
            signals.refresh()
            next_refresh = settings.next_refresh(number)


if __name__ == "__main__":
    main()
