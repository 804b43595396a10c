"""A progress bar on standard error, for people only."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(what: str) -> Generator[Callable[[int, int | None], None] | None]:
    """A callback (done, total) that draws a bar with the time left; None where standard error is no terminal.

    A total of None is one that nobody knows: the bar only moves.
    """
    if not sys.stderr.isatty():  # unlike rich's own notion of a terminal, deaf to FORCE_COLOR
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield show
