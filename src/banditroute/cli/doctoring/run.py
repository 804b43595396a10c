"""All the lines of `banditroute doctor`, on one screen."""

import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.cli.doctoring.calling import call_lines
from banditroute.cli.doctoring.extras import extra_lines
from banditroute.cli.doctoring.guarding import gateway_lines
from banditroute.cli.doctoring.keeping import keys_made, store_lines
from banditroute.cli.doctoring.lines import Line, State
from banditroute.cli.doctoring.pricing import price_lines
from banditroute.cli.doctoring.reaching import clock_lines, provider_lines, reach
from banditroute.cli.doctoring.settings import config_lines, finding_lines, key_lines
from banditroute.cli.doctoring.spending import budget_lines
from banditroute.cli.json_output import write_json
from banditroute.cli.tables import plain_console, printable
from banditroute.config import RouterConfig, check_config, missing_keys
from banditroute.config.review import review

_STYLES = {State.ok: "green", State.look: "yellow", State.wrong: "bold red"}


def run(path: Path, *, call: bool, json: bool) -> None:
    """Shows how everything is.

    Raises:
        typer.Exit: with 1, where something is wrong.
    """
    lines = asyncio.run(examined(path, os.environ, date.today(), call=call))
    counts = Counter(line.state for line in lines)
    if json:
        _print_json(lines, counts)
    else:
        _print(lines, counts, path, plain_console())
    if counts[State.wrong]:
        raise typer.Exit(1)


async def examined(path: Path, environ: Mapping[str, str], today: date, *, call: bool = False) -> list[Line]:
    """The lines, part by part; of a file that cannot be used, only what is wrong with it."""
    if not path.exists():
        return [Line(State.wrong, "config", f"there is no {path}", "write one with `banditroute init`")]
    config, problems = check_config(path, environ)
    if config is None:
        return [Line(State.wrong, "config", str(problem)) for problem in problems]
    return await _parts(config, environ, today, call=call)


async def _parts(config: RouterConfig, environ: Mapping[str, str], today: date, *, call: bool) -> list[Line]:
    findings = review(config, environ)
    reached = await reach(config, environ)
    made = await keys_made(config)
    callable_ = call and not missing_keys(config, environ)
    return [
        *config_lines(config, environ),
        *finding_lines(findings, "config"),
        *key_lines(config, environ),
        *provider_lines(config, reached),
        *finding_lines(findings, "providers"),
        *([line async for line in call_lines(config)] if callable_ else ()),
        *clock_lines(reached),
        *[line async for line in store_lines(config.store)],
        *price_lines(config, today),
        *budget_lines(config),
        *finding_lines(findings, "budgets"),
        *gateway_lines(config, made, environ),
        *finding_lines(findings, "gateway"),
        *extra_lines(),
    ]


def _print(lines: Sequence[Line], counts: Mapping[State, int], path: Path, console: Console) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for line in lines:
        told = f"{line.told}; {line.remedy}" if line.remedy else line.told
        table.add_row(Text(line.state, style=_STYLES[line.state]), line.part, Text(printable(told)))
    console.print(table)
    console.print(_closing(counts, path), soft_wrap=True)


def _closing(counts: Mapping[State, int], path: Path) -> str:
    told = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    if counts[State.wrong]:
        return f"{told}: mend what is wrong first"
    option = "" if path == Path("router.toml") else f" --config {path}"
    return f'{told}; next: banditroute ask "What is the capital of France?"{option}'


def _print_json(lines: Sequence[Line], counts: Mapping[State, int]) -> None:
    document = {"lines": [line._asdict() for line in lines], **{state.value: counts[state] for state in State}}
    write_json(document)
