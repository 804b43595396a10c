"""Estimates as dots with their intervals, a row for each thing estimated and a panel for each measure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from banditroute.reports.charts.canvas import PHONE_WIDTH, Canvas, Entry, legend_height, text_width
from banditroute.reports.charts.layout import Box
from banditroute.reports.charts.scales import Texts, linear_ticks
from banditroute.reports.format import short_names
from banditroute.reports.theme import GRID, INK, PAPER, Style, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 15.0
_ROW_PAD = 16.0
_NAME = 20.0
_GAP = 30.0
_HEAD = 30.0
_FOOT = 30.0
_MOST_NAME = 230.0
_OUTER_ROOM = 0.5
_TARGET = Style(INK, "", (0, (4.0, 2.5)))


@dataclass(frozen=True, slots=True)
class Dot:
    """An estimate with its interval and, where there is one, a wider interval; nan = unknown."""

    value: float
    low: float = math.nan
    high: float = math.nan
    least: float = math.nan
    most: float = math.nan

    @property
    def core(self) -> tuple[float, ...]:
        """What is known of the estimate and its interval."""
        return tuple(each for each in (self.value, self.low, self.high) if math.isfinite(each))

    @property
    def outer(self) -> tuple[float, ...]:
        """What is known of the wider interval."""
        return tuple(each for each in (self.least, self.most) if math.isfinite(each))


UNKNOWN = Dot(math.nan)


@dataclass(frozen=True, slots=True)
class Measure:
    """One panel.

    Attributes:
        title: what is measured, with its unit.
        dots: for each row, the dot of each series; those unknown take no room.
        texts: how values are written along the axis.
        reference: what all of it is compared with; nan = nothing.
    """

    title: str
    dots: tuple[tuple[Dot, ...], ...]
    texts: Texts
    reference: float = math.nan

    def limits(self) -> tuple[float, float]:
        """The scale: what holds every estimate and interval; of wider intervals so much as leaves the rest legible."""
        low, high = self._core()
        room = _OUTER_ROOM * (high - low)
        outer = [min(max(end, low - room), high + room) for dot in self._all() for end in dot.outer]
        return min([low, *outer]), max([high, *outer])

    @property
    def cut(self) -> bool:
        """Whether some wider interval leaves the scale."""
        low, high = self.limits()
        return any(not low <= end <= high for dot in self._all() for end in dot.outer)

    def _all(self) -> list[Dot]:
        return [dot for row in self.dots for dot in row]

    def _core(self) -> tuple[float, float]:
        known = [self.reference] if math.isfinite(self.reference) else []
        known += [end for dot in self._all() for end in dot.core]
        return (min(known), max(known)) if known else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Dots:
    """The chart: call it with a width in CSS pixels. Panels stand side by side, on phones below each other.

    Attributes:
        rows: names, top to bottom.
        series: what stands in each row, top to bottom; one is not named.
        measures: one panel each.
        reference_label: what the dashed line is; empty where there is none.
    """

    rows: tuple[str, ...]
    series: tuple[str, ...]
    measures: tuple[Measure, ...]
    reference_label: str = ""

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        phone = width < PHONE_WIDTH
        entries = self._entries()
        top = (legend_height(entries, width) + 12 if entries else 0) + _HEAD
        boxes = self._stacked(width, top) if phone else self._beside(width, top)
        canvas = Canvas.blank(width, boxes[-1].top + boxes[-1].height + _FOOT)
        canvas.legend(entries, 0, 0, width)
        for n, (measure, box) in enumerate(zip(self.measures, boxes, strict=True)):
            canvas.text(box.left, box.top - 12, measure.title, color=INK, weight="bold")
            self._draw(canvas.axes(box), measure, box, phone)
            if phone or n == 0:
                self._name_rows(canvas, box, phone)
        return canvas.figure

    def _entries(self) -> list[Entry]:
        named = [Entry(name, series_style(n), "point") for n, name in enumerate(self.series)]
        reference = [Entry(self.reference_label, _TARGET, "line")] if self.reference_label else []
        return (named if len(named) > 1 else []) + reference

    def _tops(self, phone: bool) -> list[float]:
        """Where each row begins, and where the last one ends, from the top of a panel."""
        named = _NAME if phone else 0.0
        counts = (max(len(_known(measure.dots[n])) for measure in self.measures) for n in range(len(self.rows)))
        return list(accumulate((_LINE * max(count, 1) + _ROW_PAD + named for count in counts), initial=0.0))

    def _stacked(self, width: float, top: float) -> list[Box]:
        height = self._tops(phone=True)[-1]
        return [Box(0, top + n * (height + _FOOT + _HEAD), width - 8, height) for n in range(len(self.measures))]

    def _beside(self, width: float, top: float) -> list[Box]:
        names = min(max(text_width(name) for name in self._names(phone=False)), _MOST_NAME) + 16
        each = (width - 12 - names - _GAP * (len(self.measures) - 1)) / len(self.measures)
        height = self._tops(phone=False)[-1]
        return [Box(names + n * (each + _GAP), top, each, height) for n in range(len(self.measures))]

    def _names(self, phone: bool) -> tuple[str, ...]:
        return short_names(self.rows, 40 if phone else 30)

    def _name_rows(self, canvas: Canvas, box: Box, phone: bool) -> None:
        for name, (above, below) in zip(self._names(phone), pairwise(self._tops(phone)), strict=True):
            y = above + _NAME - 4 if phone else (above + below) / 2 + 4
            canvas.text(0, box.top + y, name, color=INK)

    def _draw(self, axes: Axes, measure: Measure, box: Box, phone: bool) -> None:
        axes.grid(visible=False, axis="y")
        axes.set_ylim(box.height, 0)
        axes.set_yticks([])
        _scale(axes, measure, max(3, int(box.width // 75)))
        axes.grid(axis="x", color=GRID, linewidth=1)
        if math.isfinite(measure.reference):
            axes.axvline(measure.reference, color=_TARGET.colour, linestyle=_TARGET.line, linewidth=1.2, zorder=2)
        for row, (above, below) in zip(measure.dots, pairwise(self._tops(phone)), strict=True):
            axes.axhline(below, color=GRID, linewidth=1)
            _draw_row(axes, row, (above + below + (_NAME if phone else 0.0)) / 2)


def _known(row: tuple[Dot, ...]) -> list[tuple[int, Dot]]:
    """The dots of a row that are to be drawn, with their places among the series."""
    return [(s, dot) for s, dot in enumerate(row) if math.isfinite(dot.value)]


def _draw_row(axes: Axes, row: tuple[Dot, ...], middle: float) -> None:
    known = _known(row)
    for place, (s, dot) in enumerate(known):
        _draw_dot(axes, dot, middle + _LINE * (place - (len(known) - 1) / 2), series_style(s))


def _scale(axes: Axes, measure: Measure, most_ticks: int) -> None:
    low, high = measure.limits()
    room = 0.06 * (high - low) or 0.05 * abs(low) or 1.0
    low, high = low - room, high + room
    axes.set_xlim(low, high)
    ticks = linear_ticks(low, high, most_ticks)
    axes.set_xticks(ticks, list(measure.texts(ticks)))


def _draw_dot(axes: Axes, dot: Dot, y: float, style: Style) -> None:
    for low, high, thick, alpha in ((dot.least, dot.most, 1.2, 1.0), (dot.low, dot.high, 5.0, 0.45)):
        if math.isfinite(low + high):
            axes.plot([low, high], [y, y], color=style.colour, linewidth=thick, alpha=alpha, zorder=3)
    (mark,) = axes.plot([dot.value], [y], color=style.colour, linestyle="none", zorder=4)
    mark.set(marker=style.marker, markersize=7, markeredgecolor=PAPER, markeredgewidth=0.8)
