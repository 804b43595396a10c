"""A benchmark's progress on standard error, for people only: calls, dollars so far, the time that is left."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from banditroute.benching import running
from banditroute.reports import format as form


@contextmanager
def spending_bar(what: str, most_usd: float | None) -> Generator[Callable[[running.Progress], None] | None]:
    """A callback that draws a bar with the dollars so far; None where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    limit = "" if most_usd is None else f" of {form.money(most_usd)}"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[spent]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, spent="")

        def show(now: running.Progress) -> None:
            spent = f"{form.money(now.spent_usd)}{limit}"
            bar.update(task, completed=now.done, total=now.planned, spent=spent)

        yield show
