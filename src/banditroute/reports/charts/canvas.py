"""The drawing surface: a figure measured in CSS pixels, plain axes, a legend that wraps.

All drawing happens within `drawing`, which is where an absent matplotlib is found out.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from banditroute.errors import MissingExtraError
from banditroute.reports.charts.layout import Box, flow
from banditroute.reports.theme import FONT_SIZE, GRID, INK, MUTED, RULE, SMALL_SIZE, Style

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

BAND_ALPHA = 0.22

PHONE_WIDTH = 480.0
"""Narrower drawings are laid out for phones."""

_SWATCHES = {"point": 10.0, "area": 18.0, "band": 18.0}
_AREAS = frozenset({"area", "band"})
_LINE_SWATCH = 26.0
_LEGEND_LINE = 21.0
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "banditroute",
    "text.parse_math": False,  # names may hold dollar signs
    "font.family": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "text.color": INK,
}


@contextmanager
def drawing() -> Generator[None]:
    """Surrounds drawing and saving: text stays text, ids repeat from run to run, unknown glyphs pass in silence.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
    except ImportError as absent:
        raise MissingExtraError("the HTML report", "plots") from absent

    with rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the reader's browser has the font
        yield


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: its style, and whether it shows a "point", a "line", "both", an "area" or a pale "band"."""

    label: str
    style: Style
    shows: str = "both"

    @property
    def swatch(self) -> float:
        """Pixels that the sample takes."""
        return _SWATCHES.get(self.shows, _LINE_SWATCH)


@dataclass(frozen=True, slots=True)
class Canvas:
    """A figure of so many CSS pixels; positions count from the top left."""

    figure: Figure
    width: float
    height: float

    @classmethod
    def blank(cls, width: float, height: float) -> Canvas:
        """A new transparent figure; call it within `drawing`."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
        return cls(figure, width, height)

    def axes(self, box: Box) -> Axes:
        """Empty axes in a box: no frame, quiet ticks, a horizontal grid."""
        place = (box.left / self.width, 1 - (box.top + box.height) / self.height)
        axes = self.figure.add_axes((*place, box.width / self.width, box.height / self.height), facecolor="none")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(RULE)
        axes.grid(axis="y", color=GRID, linewidth=1)
        axes.set_axisbelow(True)
        axes.tick_params(which="both", length=0, labelsize=SMALL_SIZE, labelcolor=MUTED, pad=5, color=RULE)
        return axes

    def text(self, x: float, y: float, words: str, **look: Any) -> None:
        """Words with their left end, unless told otherwise, and their baseline at a position."""
        look = {"size": SMALL_SIZE, "color": MUTED, "va": "baseline", **look}
        self.figure.text(x, self.height - y, words, transform=self._pixels(), **look)

    def legend(self, entries: Sequence[Entry], left: float, top: float, available: float) -> None:
        """Entries that wrap like words, from a position downwards; `legend_height` says how far."""
        places, _ = _legend_flow(entries, available)
        for entry, (x, y) in zip(entries, places, strict=True):
            baseline = top + y + 13
            self._swatch(entry, left + x, baseline - 4)
            self.text(left + x + entry.swatch + 7, baseline, entry.label, color=INK)

    def _swatch(self, entry: Entry, x: float, y: float) -> None:
        draw = _area_swatch if entry.shows in _AREAS else _line_swatch
        look = draw(entry, x, self.height - y)
        look.set_transform(self._pixels())
        self.figure.add_artist(look)

    def _pixels(self) -> Transform:
        from matplotlib.transforms import Affine2D

        return Affine2D().scale(1 / 72) + self.figure.dpi_scale_trans


def legend_height(entries: Sequence[Entry], available: float) -> float:
    """Pixels that a legend takes at a width."""
    return _legend_flow(entries, available)[1]


def text_width(words: str, size: float = SMALL_SIZE) -> float:
    """Pixels that words take in the font they are laid out with, which is wider than most."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return float(text_to_path.get_text_width_height_descent(words, FontProperties(size=size), ismath=False)[0])


def _legend_flow(entries: Sequence[Entry], available: float) -> tuple[list[tuple[float, float]], float]:
    widths = [entry.swatch + 7 + text_width(entry.label) for entry in entries]
    return flow(widths, 18, _LEGEND_LINE, available)


def _area_swatch(entry: Entry, x: float, middle: float) -> Artist:
    from matplotlib.patches import Rectangle

    alpha = BAND_ALPHA if entry.shows == "band" else 1
    look = Rectangle((x, middle - 6), entry.swatch, 12, facecolor=entry.style.colour, alpha=alpha)
    look.set(edgecolor=MUTED, linewidth=0.5)
    return look


def _line_swatch(entry: Entry, x: float, middle: float) -> Artist:
    from matplotlib.lines import Line2D

    xs = [x, x + entry.swatch / 2, x + entry.swatch]
    line = "None" if entry.shows == "point" else entry.style.line
    look = Line2D(xs, [middle] * 3, color=entry.style.colour, linestyle=line, linewidth=1.8)
    edge = INK if entry.shows == "point" else entry.style.colour
    look.set(marker="" if entry.shows == "line" else entry.style.marker, markevery=[1], markersize=6.5)
    look.set(markeredgecolor=edge, markeredgewidth=0.7)
    return look
