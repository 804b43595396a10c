"""Small multiples: one panel for each budget, alike in all but their data, in as many columns as the width allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from banditroute.reports.charts.canvas import PHONE_WIDTH, Canvas, Entry, legend_height
from banditroute.reports.charts.layout import Box, grid
from banditroute.reports.theme import INK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_LEFT = 40.0
_TITLE = 34.0
_FOOT = 24.0


class Panels:
    """Axes in a grid under a legend, with a title over each and one unit line for all."""

    def __init__(self, titles: Sequence[str], entries: Sequence[Entry], width: float, unit: str, foot: str) -> None:
        self.columns = columns(len(titles), width)
        height = 230.0 if len(titles) == 1 else 118.0 if width < PHONE_WIDTH else 132.0
        top = legend_height(entries, width) + 32 + _TITLE
        area = Box(_LEFT, top, width - _LEFT - 8, 0)
        boxes = grid(len(titles), self.columns, area, 20, _TITLE + _FOOT, height)
        self.canvas = Canvas.blank(width, boxes[-1].top + height + _FOOT + 24)
        self.canvas.legend(entries, 0, 0, width)
        self.canvas.text(0, top - _TITLE - 8, unit)
        self.canvas.text(width - 8, self.canvas.height - 6, foot, ha="right")
        self.axes = [self._panel(title, box) for title, box in zip(titles, boxes, strict=True)]

    def _panel(self, title: str, box: Box) -> Axes:
        self.canvas.text(box.left, box.top - 10, title, color=INK, weight="bold")
        return self.canvas.axes(box)

    def aside(self, position: int, words: str) -> None:
        """Writes words at the right end of a panel's title line."""
        extent = self.axes[position].bbox
        self.canvas.text(float(extent.x1), self.canvas.height - float(extent.y1) - 10, words, ha="right")

    def share_y(self) -> None:
        """Leaves the scale's labels to the first column."""
        for n, axes in enumerate(self.axes):
            if n % self.columns:
                axes.tick_params(labelleft=False)


def columns(panels: int, width: float) -> int:
    """How many panels go side by side: two on a phone, three or four elsewhere, whichever leaves fewer gaps."""
    most = 2 if width < PHONE_WIDTH else 4
    if panels <= most:
        return panels
    return min(range(max(most - 1, 2), most + 1), key=lambda side: (-(-panels // side) * side - panels, -side))
