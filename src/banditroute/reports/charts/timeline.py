"""What happened when: lanes above each other along one axis of time, in equal bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.charts.along import Time
from banditroute.reports.charts.canvas import BAND_ALPHA, PHONE_WIDTH, Canvas
from banditroute.reports.charts.layout import Box
from banditroute.reports.charts.scales import Texts, linear_ticks
from banditroute.reports.theme import INK, PAPER, Style, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_LOOK = series_style(0)
_LEFT = 62.0
_TITLE = 32.0
_GAP = 18.0
_LIMIT = Style(INK, "", (0, (4.0, 2.5)))


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line to stay below, or to compare with."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One measure over time.

    Attributes:
        title: what it is, with its unit.
        values: (T,) one for each bin, nan where there is none.
        texts: how values are written along the axis.
        low: (T,) lower ends of intervals; high: upper ends; None where there are none.
        limits: lines across.
        bars: drawn as bars from nothing; else as a line.
    """

    title: str
    values: Floats
    texts: Texts
    low: Floats | None = None
    high: Floats | None = None
    limits: tuple[Limit, ...] = ()
    bars: bool = False

    def span(self) -> tuple[float, float]:
        """The scale: what holds every value, interval and limit with a little room."""
        parts = [self.values, *(part for part in (self.low, self.high) if part is not None)]
        ends = np.concatenate([*parts, [limit.value for limit in self.limits], [0.0] if self.bars else []])
        known = ends[np.isfinite(ends)]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
        return (low if self.bars else low - room), high + room


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chart: call it with a width in CSS pixels.

    Attributes:
        start_at: the instant at which the first bin begins, seconds since the epoch.
        bin_s: how long a bin is.
        lanes: top to bottom.
    """

    start_at: float
    bin_s: float
    lanes: tuple[Lane, ...]

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        phone, along = width < PHONE_WIDTH, Time(self.start_at)
        height = (150.0 if phone else 190.0) if len(self.lanes) == 1 else 110.0
        step = _TITLE + height + _GAP
        canvas = Canvas.blank(width, step * len(self.lanes) + 34)
        for n, lane in enumerate(self.lanes):
            box = Box(_LEFT, n * step + _TITLE, width - _LEFT - 8, height)
            canvas.text(0, box.top - 14, lane.title, color=INK, weight="bold")
            axes = canvas.axes(box)
            self._draw(axes, lane)
            along(axes, self.bin_s * lane.values.size, 4 if phone else 8)
            axes.tick_params(labelbottom=n == len(self.lanes) - 1)
        canvas.text(width - 8, canvas.height - 6, along.label, ha="right")
        return canvas.figure

    def _draw(self, axes: Axes, lane: Lane) -> None:
        low, high = lane.span()
        axes.set_ylim(low, high)
        ticks = linear_ticks(low, high, 4)
        axes.set_yticks(ticks, list(lane.texts(ticks)))
        self._draw_limits(axes, lane)
        middles = np.arange(0.5, lane.values.size, dtype=np.float64) * self.bin_s
        if lane.bars:
            axes.bar(middles, lane.values, width=self.bin_s, color=_LOOK.colour, edgecolor=PAPER, linewidth=0.5)
            return
        if lane.low is not None and lane.high is not None:
            _draw_intervals(axes, middles, lane.low, lane.high)
        (line,) = axes.plot(middles, lane.values, color=_LOOK.colour, linewidth=1.8, zorder=3)
        line.set(marker=_LOOK.marker, markersize=4 if lane.values.size < 80 else 2.5, markeredgewidth=0)

    def _draw_limits(self, axes: Axes, lane: Lane) -> None:
        for limit in lane.limits:
            axes.axhline(limit.value, color=_LIMIT.colour, linestyle=_LIMIT.line, linewidth=1.2, zorder=2)
            place = (self.bin_s * lane.values.size, limit.value)
            look = axes.annotate(limit.label, place, (-2, 4), textcoords="offset points", ha="right", va="bottom")
            look.set(color=INK, size=12, zorder=6)


def _draw_intervals(axes: Axes, middles: Floats, low: Floats, high: Floats) -> None:
    """A band where bins follow each other; a bar as well where one stands alone between gaps."""
    axes.fill_between(middles, low, high, color=_LOOK.colour, alpha=BAND_ALPHA, linewidth=0)
    known = np.concatenate([[False], np.isfinite(low), [False]])
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    axes.vlines(middles[alone], low[alone], high[alone], color=_LOOK.colour, linewidth=1.2)
