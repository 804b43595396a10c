"""How a whole is divided, in several ways: panels below each other, a bar for each part, on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from banditroute.reports.charts.canvas import PHONE_WIDTH, Canvas, text_width
from banditroute.reports.charts.layout import Box
from banditroute.reports.format import short_names
from banditroute.reports.theme import INK, MUTED, RULE, series_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOK = series_style(0)
_ROW = 24.0
_BAR = 14.0
_TITLE = 26.0
_GAP = 22.0
_ROOM = 10.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One part: its name, how large it is, the same in words, and whether it is all the rest together."""

    name: str
    value: float
    text: str
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Division:
    """One panel: what the whole is divided by, and the parts, top to bottom."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """The chart: call it with a width in CSS pixels."""

    divisions: tuple[Division, ...]

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        heights = [_TITLE + _ROW * len(each.bars) + _GAP for each in self.divisions]
        canvas = Canvas.blank(width, sum(heights) - _GAP + 4)
        names, texts = self._names(14 if width < PHONE_WIDTH else 30), self._texts()
        left = max(text_width(name) for panel in names for name in panel) + _ROOM
        right = max(text_width(text) for text in texts) + _ROOM
        most = max((bar.value for each in self.divisions for bar in each.bars), default=0.0) or 1.0
        top = 0.0
        for division, shown, height in zip(self.divisions, names, heights, strict=True):
            canvas.text(0, top + 14, division.title, color=INK, weight="bold")
            box = Box(left, top + _TITLE, width - left - right, _ROW * len(division.bars))
            _draw(canvas, division, shown, box, most)
            top += height
        return canvas.figure

    def _names(self, most: int) -> list[tuple[str, ...]]:
        return [short_names([bar.name for bar in each.bars], most) for each in self.divisions]

    def _texts(self) -> list[str]:
        return [bar.text for each in self.divisions for bar in each.bars]


def _draw(canvas: Canvas, division: Division, names: tuple[str, ...], box: Box, most: float) -> None:
    axes = canvas.axes(box)
    axes.grid(visible=False)
    axes.set(xlim=(0.0, most), ylim=(box.height, 0.0), xticks=[], yticks=[])
    axes.spines["bottom"].set_visible(False)
    for row, (bar, name) in enumerate(zip(division.bars, names, strict=True)):
        middle = (row + 0.5) * _ROW
        colour = RULE if bar.is_rest else _LOOK.colour
        axes.barh(middle, max(bar.value, 0.0), height=_BAR, color=colour, linewidth=0)
        canvas.text(0, box.top + middle + 4, name, color=MUTED if bar.is_rest else INK)
        end = box.left + box.width * max(bar.value, 0.0) / most
        canvas.text(end + 6, box.top + middle + 4, bar.text, color=INK)
