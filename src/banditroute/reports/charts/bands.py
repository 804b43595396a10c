"""How something came out over time beside the value that it should have: mean over seeds, and their range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.charts.along import REQUESTS
from banditroute.reports.charts.canvas import BAND_ALPHA, Entry
from banditroute.reports.charts.panels import Panels
from banditroute.reports.charts.scales import percent_axis
from banditroute.reports.format import ratio
from banditroute.reports.theme import INK, Style, series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_MEAN = series_style(0)
_BAND = Style(_MEAN.colour, "", "-")
_TARGET = Style(INK, "", (0, (4.0, 2.5)))
_SETTLED = 0.1
_MOST = 3.0


@dataclass(frozen=True, slots=True)
class Band:
    """One panel: spend over budget so far (S, T) per seed, after so many requests (T,)."""

    title: str
    requests: NDArray[np.int64]
    ratio: Floats


@dataclass(frozen=True, slots=True)
class Bands:
    """The chart: call it with a width in CSS pixels.

    Attributes:
        bands: one panel each, on one scale, with a line at 100%.
        events: request indices at which something changed.
    """

    bands: tuple[Band, ...]
    events: tuple[int, ...] = ()

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        titles = [band.title for band in self.bands]
        panels = Panels(titles, self._entries(), width, "Spend so far / budget so far", "Requests scored")
        low, high = self.limits()
        for n, (axes, band) in enumerate(zip(panels.axes, self.bands, strict=True)):
            _draw(axes, band, self.events)
            axes.set_ylim(low, high)
            percent_axis(axes, _ticks(low, high))
            panels.aside(n, ratio(float(band.ratio[:, -1].mean())))
        panels.share_y()
        return panels.canvas.figure

    def limits(self) -> tuple[float, float]:
        """The scale: what holds every seed once a tenth of the stream is over, and hardly more than 0 to 3."""
        settled = [band.ratio[:, band.requests >= _SETTLED * band.requests[-1]] for band in self.bands]
        lowest = min(float(part.min()) for part in settled)
        highest = min(max(float(part.max()) for part in settled), _MOST)
        room = 0.1 * max(highest - min(lowest, 0.95), 0.1)
        return max(0.0, min(lowest, 0.95) - room), max(highest, 1.05) + room

    def cut(self) -> bool:
        """Whether some seed leaves the scale somewhere."""
        low, high = self.limits()
        return any(float(band.ratio.max()) > high or float(band.ratio.min()) < low for band in self.bands)

    def _entries(self) -> list[Entry]:
        many = any(len(band.ratio) > 1 for band in self.bands)
        mean = Entry("mean over seeds" if many else "the one seed", _MEAN, "line")
        spread = [Entry("lowest to highest seed", _BAND, "band")] if many else []
        return [mean, *spread, Entry("the budget", _TARGET, "line")]


def _draw(axes: Axes, band: Band, events: tuple[int, ...]) -> None:
    axes.axhline(1, color=_TARGET.colour, linestyle=_TARGET.line, linewidth=1.2, zorder=2)
    for event in events:
        axes.axvline(event, color=INK, linewidth=0.8, linestyle=(0, (1.0, 2.0)), zorder=1)
    axes.fill_between(
        band.requests, band.ratio.min(axis=0), band.ratio.max(axis=0), color=_MEAN.colour, alpha=BAND_ALPHA, linewidth=0
    )
    axes.plot(band.requests, band.ratio.mean(axis=0), color=_MEAN.colour, linewidth=1.8, zorder=3)
    REQUESTS(axes, int(band.requests[-1]), 2)


def _ticks(low: float, high: float) -> list[float]:
    step = next(s for s in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0) if (high - low) / s <= 5)
    return [float(n * step) for n in range(int(np.ceil(low / step)), int(high / step) + 1)]
