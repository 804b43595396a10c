"""Horizontal axes that count what goes by: requests, or time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from banditroute.reports import format as write
from banditroute.reports.charts.scales import set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S
_MARGIN = 0.03
_MONTHS_S = 56 * _DAY_S
_TIME_STEPS_S = (
    *(60.0 * n for n in (1, 5, 15, 30)),
    *(_HOUR_S * n for n in (1, 3, 6, 12)),
    *(_DAY_S * n for n in (1, 2, 7, 14, 28, 56, 112, 224, 448, 896)),
)


class Along(Protocol):
    """What a horizontal axis counts, from 0."""

    @property
    def label(self) -> str:
        """What it counts, in words."""
        ...

    def __call__(self, axes: Axes, last: float, most_ticks: int, /) -> None:
        """Gives axes a scale from 0 to the last place."""
        ...


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests, named at both ends."""

    label: str = "Requests scored"

    def __call__(self, axes: Axes, last: float, _most_ticks: int, /) -> None:
        """Gives axes a scale from 0 to all requests."""
        axes.set_xlim(0, last)
        set_ticks(axes, [0.0, last], ["0", write.count(round(last))])
        first, end = axes.get_xticklabels()
        first.set_horizontalalignment("left")
        end.set_horizontalalignment("right")


REQUESTS = Requests()


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds from an instant, named by hours or dates, UTC."""

    start_at: float
    label: str = "Time, UTC"

    def __call__(self, axes: Axes, last: float, most_ticks: int, /) -> None:
        """Gives axes a scale of so many seconds."""
        axes.set_xlim(0, last)
        step = next((step for step in _TIME_STEPS_S if last / step <= most_ticks), _TIME_STEPS_S[-1])
        first = math.ceil(self.start_at / step) * step
        instants = [first + n * step for n in range(int((self.start_at + last - first) // step) + 1)]
        axes.tick_params(axis="x", length=4)
        set_ticks(axes, [at - self.start_at for at in instants], [_instant(at, step) for at in instants])
        for label, at in zip(axes.get_xticklabels(), instants, strict=True):
            label.set_horizontalalignment(_side((at - self.start_at) / last))


def _side(place: float) -> Literal["left", "center", "right"]:
    """How a tick's words stand to it, so that they keep inside the drawing at both ends."""
    return "left" if place < _MARGIN else "right" if place > 1 - _MARGIN else "center"


def _instant(at: float, step_s: float) -> str:
    """A month or a date where ticks are so far apart, a date at midnight, else the time of day."""
    when = datetime.fromtimestamp(at, UTC)
    if step_s >= _MONTHS_S:
        return f"{when:%b %Y}"
    day = step_s >= _DAY_S or (when.hour, when.minute) == (0, 0)
    return f"{when.day} {when:%b}" if day else f"{when:%H:%M}"
