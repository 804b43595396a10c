"""Keeping whoever waits informed: a picture on a terminal, a line now and then elsewhere, nothing for a machine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from time import perf_counter

from rich.live import Live

from banditroute.cli.live.tally import Tally
from banditroute.cli.live.view import footnote, picture
from banditroute.cli.tables import plain_console
from banditroute.reports import format as form

_PICTURE_EVERY_S = 0.2
_LINE_EVERY_S = 2.0


@asynccontextmanager
async def showing(tally: Tally, *, silent: bool) -> AsyncGenerator[None]:
    """Shows the tally as it grows, as long as the context lasts."""
    start = perf_counter()
    if silent:
        yield
    elif sys.stdout.isatty():
        with Live(picture(tally, 0.0), console=plain_console(), auto_refresh=False) as live:

            def draw() -> None:
                live.update(picture(tally, perf_counter() - start), refresh=True)

            async with _repeating(draw, _PICTURE_EVERY_S):
                yield
            draw()
    else:
        async with _repeating(lambda: _write_line(tally), _LINE_EVERY_S):
            yield


def line(tally: Tally) -> str:
    """Where the stream stands, in one line."""
    routed = tally.routed
    shares = ", ".join(f"{form.percent(tally.share(model))} {model}" for model in tally.models)
    return (
        f"{form.count(tally.answered)} of {form.count(tally.total)} answered: quality {form.quality(routed.quality)}, "
        f"{form.money(routed.cost_usd)} ({form.percent(tally.usd_per_request / tally.budget_usd)} of the budget; "
        f"{tally.best} for all {form.money(tally.alone(tally.best).cost_usd)}); {shares}; {footnote(tally)}"
    )


def _write_line(tally: Tally) -> None:
    sys.stderr.write(f"{line(tally)}\n")
    sys.stderr.flush()


@asynccontextmanager
async def _repeating(act: Callable[[], None], every_s: float) -> AsyncGenerator[None]:
    async def repeat() -> None:
        while True:
            await asyncio.sleep(every_s)
            act()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(repeat())
        try:
            yield
        finally:
            task.cancel()
