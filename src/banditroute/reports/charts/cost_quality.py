"""Quality against spend: policies with their intervals, reference curves, and models as labelled points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.charts.canvas import BAND_ALPHA, PHONE_WIDTH, Canvas, Entry, legend_height
from banditroute.reports.charts.labels import label
from banditroute.reports.charts.layout import Box
from banditroute.reports.charts.scales import dollar_axis, quality_axis
from banditroute.reports.format import short_names
from banditroute.reports.theme import INK, MUTED, PAPER, Style, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_REFERENCE_LINES = (Style(INK, "", "-"), Style(MUTED, "", (0, (1.5, 2.0))))
_FEW = 6
_ROOM_BELOW = 0.5
_POINT = Style(INK, "D", "-")


@dataclass(frozen=True, slots=True)
class Curve:
    """A reference: quality (P,) at each cost_usd (P,), drawn as a line."""

    label: str
    cost_usd: Floats
    quality: Floats


@dataclass(frozen=True, slots=True)
class Series:
    """Measured points (N,) of one policy: mean quality with the ends of its interval, at mean dollars per request.

    Intervals are drawn as bars, or as one band where the points are a curve's.
    """

    label: str
    cost_usd: Floats
    quality: Floats
    low: Floats
    high: Floats
    band: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A labelled point: what one model gets at its own cost; intervals of both, where they are known."""

    label: str
    cost_usd: float
    quality: float
    low: float = math.nan
    high: float = math.nan
    low_usd: float = math.nan
    high_usd: float = math.nan


@dataclass(frozen=True, slots=True)
class Choice:
    """A budget marked on the chart, with the interval that it lies in; an end may be infinite."""

    label: str
    budget_usd: float
    low_usd: float
    high_usd: float


@dataclass(frozen=True, slots=True)
class CostQuality:
    """The chart: call it with a width in CSS pixels.

    Attributes:
        series: drawn with markers, a line and interval bars, the first one on top.
        curves: at most two references, a solid and a dotted line.
        points: labelled, on phones where there is room.
        points_label: what the points are, for the legend.
        choices: budgets to mark.
    """

    series: tuple[Series, ...]
    curves: tuple[Curve, ...] = ()
    points: tuple[Point, ...] = ()
    points_label: str = "one model alone"
    choices: tuple[Choice, ...] = ()

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        phone = width < PHONE_WIDTH
        entries = self._entries(most=34 if phone else 60)
        top = legend_height(entries, width) + 34
        area = Box(38, top, width - 46, 300 if phone else 400)
        canvas = Canvas.blank(width, top + area.height + 50)
        canvas.legend(entries, 0, 0, width)
        axes = canvas.axes(area)
        free = dollar_axis(axes, self._costs(), most_ticks=4 if phone else 7)
        quality_axis(axes, self._core() + [end for point in self._shown() for end in _qualities(point)])
        for choice, style in zip(self.choices, self._choice_styles(), strict=True):
            _draw_choice(axes, choice, style)
        self._draw_curves(axes)
        self._draw_series(axes, free)
        self._draw_points(axes, free, self._name_length(phone), optional=phone and len(self.points) > _FEW)
        canvas.text(0, top - 12, "Quality, mean score from 0 to 1")
        canvas.text(width - 8, canvas.height - 8, "Mean spend, dollars per request (log scale)", ha="right")
        return canvas.figure

    def _name_length(self, phone: bool) -> int:
        many = len(self.points) > _FEW
        return (14 if many else 20) if phone else (24 if many else 32)

    def _entries(self, most: int) -> list[Entry]:
        names = short_names([one.label for one in self.series], most)
        policies = [Entry(name, series_style(n)) for n, name in enumerate(names)]
        lines = zip(self.curves, _REFERENCE_LINES, strict=False)
        references = [Entry(curve.label, style, "line") for curve, style in lines]
        points = [Entry(self.points_label, _POINT, "point")] if self.points else []
        looks = zip(self.choices, self._choice_styles(), strict=True)
        chosen = [Entry(choice.label, style, "line") for choice, style in looks]
        return policies + references + points + chosen

    def _costs(self) -> list[float]:
        costs = [end for point in self._shown() for end in _dollars(point)]
        costs += [float(c) for one in self.series for c in one.cost_usd]
        costs += [choice.budget_usd for choice in self.choices]
        return costs or [float(c) for curve in self.curves for c in curve.cost_usd]

    def cut(self) -> tuple[Point, ...]:
        """The points left out: those so far below everything else that they would flatten it."""
        core = self._core()
        floor = min(core) - _ROOM_BELOW * (max(core) - min(core)) if core else -math.inf
        return tuple(point for point in self.points if point.quality < floor)

    def _core(self) -> list[float]:
        ends = [float(q) for one in self.series for q in (*one.low, *one.high)]
        return ends + [float(q) for curve in self.curves for q in curve.quality[[0, -1]]]

    def _shown(self) -> list[Point]:
        cut = self.cut()
        known = (point for point in self.points if math.isfinite(point.cost_usd + point.quality))
        return [point for point in known if point not in cut]

    def _draw_curves(self, axes: Axes) -> None:
        left, right = axes.get_xlim()
        for curve, style in zip(self.curves, _REFERENCE_LINES, strict=False):
            if curve.cost_usd.size:
                xs = np.geomspace(max(curve.cost_usd[0], left), max(right, left), 160)  # a mix bends on a log scale
                ys = np.interp(xs, curve.cost_usd, curve.quality)
                axes.plot(xs, ys, color=style.colour, linestyle=style.line, linewidth=1.4, zorder=2)

    def _draw_series(self, axes: Axes, free: float) -> None:
        for n, one in enumerate(self.series):
            style = series_style(n)
            xs = np.where(one.cost_usd > 0, one.cost_usd, free)
            _draw_intervals(axes, one, xs, style.colour)
            (line,) = axes.plot(xs, one.quality, color=style.colour, linestyle=style.line, linewidth=1.8)
            line.set(zorder=4 - n / 100, marker=style.marker, markersize=7, markeredgecolor=PAPER, markeredgewidth=0.8)

    def _choice_styles(self) -> list[Style]:
        """Colours that no series has, dashed."""
        first = len(self.series)
        return [Style(series_style(first + n).colour, "", (0, (4.0, 2.5))) for n in range(len(self.choices))]

    def _draw_points(self, axes: Axes, free: float, most: int, optional: bool) -> None:
        points = self._shown()
        if not points:
            return
        places = np.array([(point.cost_usd or free, point.quality) for point in points])
        (marks,) = axes.plot(*places.T, color=_POINT.colour, linestyle="none", zorder=5)
        marks.set(marker=_POINT.marker, markersize=7, markeredgecolor=PAPER, markeredgewidth=0.8)
        for point in points:
            _draw_bars(axes, point, free)
        measured = [(c or free, q) for one in self.series for c, q in zip(one.cost_usd, one.quality, strict=True)]
        names = short_names([point.label for point in points], most)
        label(axes, places, names, np.vstack([places, *measured]), optional=optional)


def _draw_intervals(axes: Axes, one: Series, xs: Floats, colour: str) -> None:
    if one.band:
        axes.fill_between(xs, one.low, one.high, color=colour, alpha=BAND_ALPHA, linewidth=0, zorder=3)
        return
    bars = np.vstack([one.quality - one.low, one.high - one.quality])
    axes.errorbar(xs, one.quality, bars, fmt="none", color=colour, elinewidth=1.2, capsize=3, zorder=3.5)


def _draw_choice(axes: Axes, choice: Choice, style: Style) -> None:
    left, right = axes.get_xlim()
    low, high = max(choice.low_usd, left), min(choice.high_usd, right)
    if low < high:
        axes.axvspan(low, high, color=style.colour, alpha=BAND_ALPHA / 2, linewidth=0, zorder=1)
    axes.axvline(choice.budget_usd, color=style.colour, linestyle=style.line, linewidth=1.4, zorder=2)


def _draw_bars(axes: Axes, point: Point, free: float) -> None:
    place = (point.cost_usd or free, point.quality)
    if math.isfinite(point.low + point.high):
        axes.plot([place[0]] * 2, [point.low, point.high], color=MUTED, linewidth=1.4, zorder=3)
    if point.low_usd > 0 and math.isfinite(point.high_usd):
        axes.plot([point.low_usd, point.high_usd], [place[1]] * 2, color=MUTED, linewidth=1.4, zorder=3)


def _qualities(point: Point) -> list[float]:
    return [end for end in (point.quality, point.low, point.high) if math.isfinite(end)]


def _dollars(point: Point) -> list[float]:
    return [point.cost_usd, *(end for end in (point.low_usd, point.high_usd) if end > 0 and math.isfinite(end))]
