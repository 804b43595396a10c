"""The work of `banditroute warm-start`: reads what was measured, writes the saved policy, says what to paste."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from rich.table import Table

from banditroute.cli.sources import is_log, is_router, stored_log
from banditroute.cli.tables import add_figures, add_names, plain_console, printable
from banditroute.config import load_config
from banditroute.evaluation.loading import load_log
from banditroute.evaluation.log import LogTable
from banditroute.learning.warm import ESS
from banditroute.records import Forecast
from banditroute.reports import format as form
from banditroute.routing.lessons import SIGNALS
from banditroute.simulation.loading import load_table
from banditroute.simulation.table import OutcomeTable
from banditroute.storage.policy_file import ENDING, write_policy
from banditroute.warming import WarmStart, warm_start

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def run(source: Path, config: Path, out: Path | None, ess: float | None, *, json: bool) -> None:
    """Writes the saved policy, and says what a router that begins with it believes.

    Raises:
        InputError: the source or the configuration cannot be used, or shares no model with the other.
        StoreError: the store cannot be read.
    """
    plan = load_config(config)
    start = warm_start(plan, _measured(source), ess=ESS if ess is None else ess, name=source.name)
    target = out or config.parent / f"{source.name.split('.')[0]}{ENDING}"
    write_policy(start.saved, target)
    line = f'warm_start = "{_as_named(target, config)}"'
    if json:
        sys.stdout.write(orjson.dumps(_document(start, target, line), option=_JSON).decode())
    else:
        _print(start, target, line)


def _measured(source: Path) -> OutcomeTable | LogTable:
    """The outcomes of a table, of a decision log, or of the log in a router's store."""
    if is_router(source):
        return stored_log(source).loaded.log
    return load_log(source).log if is_log(source) else load_table(source)


def _as_named(target: Path, config: Path) -> str:
    """The target as router.toml names it: from its own folder where it lies there."""
    folder, where = config.parent.resolve(), target.resolve()
    return (where.relative_to(folder) if where.is_relative_to(folder) else where).as_posix()


class _Row(NamedTuple):
    """What is believed of one edge, at a prompt of the class's usual length."""

    task: str
    model: str
    worth: float
    forecast: Forecast


def _rows(start: WarmStart) -> Iterator[_Row]:
    tokens: dict[str, list[int]] = {}
    for context in start.contexts:
        tokens.setdefault(context.task, []).append(context.input_tokens)
    for edge, sums in sorted(start.saved.evidence.items()):
        if edge.signal == SIGNALS[0]:
            usual = int(np.median(tokens[edge.task]))
            yield _Row(edge.task, edge.model, float(sums.n), start.decider.forecasts(edge.task, usual)[edge.model])


def _document(start: WarmStart, target: Path, line: str) -> dict[str, Any]:
    edges = [
        {"task": row.task, "model": row.model, "worth": row.worth}
        | {"quality": row.forecast.quality, "cost_usd": row.forecast.cost_usd, "latency_s": row.forecast.latency_s}
        for row in _rows(start)
    ]
    prices = {name: math.exp(price.log_price) for name, price in start.saved.prices.items()}
    return {"file": str(target), "config_line": line, "shadow_prices": prices, "edges": edges}


def _print(start: WarmStart, target: Path, line: str) -> None:
    console = plain_console()
    table = Table(box=None, pad_edge=False)
    add_names(table, "class")
    add_names(table, "model")
    add_figures(table, "worth", "quality", "$ per request")
    for row in _rows(start):
        figures = f"{row.worth:.0f}", form.quality(row.forecast.quality), form.money(row.forecast.cost_usd)
        table.add_row(printable(row.task), printable(row.model), *figures)
    console.print(table)
    console.print()
    outcomes = form.plural(len(start.lessons), "outcome")
    console.print(f"{outcomes} made {target}, worth {start.saved.observations:,.0f} observations.", soft_wrap=True)
    for name, price in start.saved.prices.items():
        console.print(f"Budget {printable(name)} begins at a shadow price of {math.exp(price.log_price):.3g}.")
    console.print(f"Paste below [routing] in router.toml:\n\n{line}", soft_wrap=True)
