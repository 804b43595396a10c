"""Colours and type sizes, one set for light and one for dark, told apart by people with any colour vision.

Charts are drawn in the light colours. On a page each of these is replaced by its CSS variable, which follows the
reader's theme; in an exported file they stay. That is why every light colour must be its own, and none pure black,
which drawings leave unsaid.
"""

from dataclasses import dataclass
from typing import Literal

Line = Literal["-"] | tuple[float, tuple[float, ...]]
"""A solid line, or an offset and the lengths of dashes and gaps."""

FONT_SIZE = 13.0
SMALL_SIZE = 12.0

INK = "#1b1f24"
MUTED = "#59636e"
RULE = "#c9d0d7"
GRID = "#e7eaee"
PAPER = "#fefefe"


@dataclass(frozen=True, slots=True)
class Style:
    """How one series looks: a colour, a marker and a line, so that it reads without colour, too."""

    colour: str
    marker: str
    line: Line


_LIGHT_BASE = {"ink": INK, "muted": MUTED, "rule": RULE, "grid": GRID, "paper": PAPER, "surface": "#f5f7f9"}
_DARK_BASE = {
    "ink": "#e6e9ed",
    "muted": "#9ba6b2",
    "rule": "#3f4751",
    "grid": "#292f37",
    "paper": "#14181d",
    "surface": "#1b2027",
}

# After Okabe and Ito (2008), darkened on white and lightened on black to keep a contrast of 3:1 with the paper.
_LIGHT_SERIES = ("#0072b2", "#d55e00", "#00825f", "#a8508a", "#a87000", "#4b5563", "#7a3b12")
_DARK_SERIES = ("#5db4ec", "#ff8f4a", "#2fc79b", "#e08fc4", "#eab530", "#b4bdc8", "#c9946a")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES: tuple[Line, ...] = ("-", (0, (6.0, 2.0)), (0, (6.0, 2.0, 1.5, 2.0)))

# One hue path from pale to deep, even in lightness: models are shaded by cost rank and read in grey as well.
_LIGHT_RAMP = ("#d9ebb8", "#93d0ba", "#46adc2", "#2a7fb6", "#2b529b", "#20245f")
_DARK_RAMP = ("#2e4a86", "#2f77b4", "#3ba6bf", "#7fcbb2", "#c5e4a6", "#fbf4c4")
_RAMP_STEPS = 12
_MODEL_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "h", "*", "<", ">")

MOST_MODELS = _RAMP_STEPS
"""So many models can be told apart by shade and order; a chart groups the rest."""


def series_style(position: int) -> Style:
    """The look of the n-th series: seven colours and markers, then the same with another line."""
    turn = position // len(_LIGHT_SERIES)
    place = position % len(_LIGHT_SERIES)
    return Style(_LIGHT_SERIES[place], _MARKERS[(place + turn) % len(_MARKERS)], _LINES[turn % len(_LINES)])


def model_style(rank: int, models: int) -> Style:
    """The look of the model of one cost rank out of so many: the dearer, the deeper."""
    last = _RAMP_STEPS - 1
    step = round(last * (rank + 0.5 * (models == 1)) / max(models - 1, 1))
    return Style(_ramp(_LIGHT_RAMP)[min(step, last)], _MODEL_MARKERS[rank % len(_MODEL_MARKERS)], "-")


def light_variables() -> dict[str, str]:
    """CSS variable names and the colours that they have on white."""
    return _variables(_LIGHT_BASE, _LIGHT_SERIES, _ramp(_LIGHT_RAMP))


def dark_variables() -> dict[str, str]:
    """CSS variable names and the colours that they have on black."""
    return _variables(_DARK_BASE, _DARK_SERIES, _ramp(_DARK_RAMP))


def variable_of(colour: str) -> str:
    """The CSS variable that stands for a light colour, as var(--ink); any other value unchanged."""
    name = _NAMES.get(colour.lower())
    return colour if name is None else f"var(--{name})"


def _variables(base: dict[str, str], series: tuple[str, ...], ramp: tuple[str, ...]) -> dict[str, str]:
    numbered = {f"s{n}": colour for n, colour in enumerate(series)}
    shades = {f"m{n}": colour for n, colour in enumerate(ramp)}
    return {**base, **numbered, **shades}


def _ramp(stops: tuple[str, ...]) -> tuple[str, ...]:
    last = len(stops) - 1
    return tuple(_blend(stops, n * last / (_RAMP_STEPS - 1)) for n in range(_RAMP_STEPS))


def _blend(stops: tuple[str, ...], at: float) -> str:
    """The colour at a place between stops, counted from 0."""
    first = min(int(at), len(stops) - 2)
    start, end = stops[first : first + 2]
    parts = ((int(start[i : i + 2], 16), int(end[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * (at - first)):02x}" for a, b in parts)


_NAMES = {colour: name for name, colour in light_variables().items()}
