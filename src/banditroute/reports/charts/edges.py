"""The cost-quality map of one budget: every (task class, model) pair as learned, with a hairline to what is true."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.charts.canvas import PHONE_WIDTH, Canvas, Entry, legend_height
from banditroute.reports.charts.labels import label
from banditroute.reports.charts.layout import Box
from banditroute.reports.charts.scales import dollar_axis, quality_axis
from banditroute.reports.format import short_names
from banditroute.reports.theme import INK, MUTED, model_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_TELLING_SHARE = 0.5
_TINY_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Spot:
    """One pair: where it was learned to be, where it is, and which share of its class it serves; nan = unknown."""

    task: str
    model: int
    share: float
    cost_usd: float
    quality: float
    true_cost_usd: float
    true_quality: float

    @property
    def learned(self) -> bool:
        """Whether there is a learned place to draw it at."""
        return math.isfinite(self.cost_usd) and math.isfinite(self.quality)

    @property
    def place(self) -> tuple[float, float]:
        """Where it is drawn: the learned place, or the true one where nothing was learned."""
        return (self.cost_usd, self.quality) if self.learned else (self.true_cost_usd, self.true_quality)


@dataclass(frozen=True, slots=True)
class EdgeMap:
    """The chart: call it with a width in CSS pixels.

    Attributes:
        models: (K,) names from cheap to dear.
        spots: the pairs; `model` counts along the models.
    """

    models: tuple[str, ...]
    spots: tuple[Spot, ...]

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        phone = width < PHONE_WIDTH
        entries = [
            Entry(name, model_style(k, len(self.models)), "point")
            for k, name in enumerate(short_names(self.models, 20 if phone else 34))
        ]
        top = legend_height(entries, width) + 34
        area = Box(38, top, width - 46, 280 if phone else 330)
        canvas = Canvas.blank(width, top + area.height + 50)
        canvas.legend(entries, 0, 0, width)
        self._draw(canvas.axes(area), phone)
        canvas.text(0, top - 12, "Quality, mean score from 0 to 1")
        canvas.text(width - 8, canvas.height - 8, "Cost, dollars per request (log scale)", ha="right")
        return canvas.figure

    def _draw(self, axes: Axes, phone: bool) -> None:
        spots = [spot for spot in self.spots if all(math.isfinite(part) for part in spot.place)]
        free = dollar_axis(
            axes, [cost for spot in spots for cost in (spot.place[0], spot.true_cost_usd)], 4 if phone else 7
        )
        quality_axis(axes, [quality for spot in spots for quality in (spot.place[1], spot.true_quality)])
        places = np.array([(spot.place[0] or free, spot.place[1]) for spot in spots]).reshape(-1, 2)
        self._draw_hairlines(axes, spots, free)
        for model in range(len(self.models)):
            self._draw_marks(
                axes, [(spot, place) for spot, place in zip(spots, places, strict=True) if spot.model == model]
            )
        telling = [n for n, spot in enumerate(spots) if spot.share >= _TELLING_SHARE]
        if telling:
            names = short_names([spots[n].task for n in telling], 14 if phone else 24)
            label(axes, places[telling], names, places, radius=7, optional=True)

    def _draw_hairlines(self, axes: Axes, spots: list[Spot], free: float) -> None:
        from matplotlib.collections import LineCollection

        ties = [
            [(spot.cost_usd or free, spot.quality), (spot.true_cost_usd or free, spot.true_quality)]
            for spot in spots
            if spot.learned and math.isfinite(spot.true_cost_usd + spot.true_quality)
        ]
        axes.add_collection(LineCollection(ties, colors=MUTED, linewidths=0.8, zorder=2), autolim=False)

    def _draw_marks(self, axes: Axes, marks: list[tuple[Spot, Floats]]) -> None:
        if not marks:
            return
        style = model_style(marks[0][0].model, len(self.models))
        axes.scatter(
            *np.array([place for _, place in marks]).T,
            s=[(5 + 9 * math.sqrt(spot.share)) ** 2 for spot, _ in marks],
            marker=style.marker,
            facecolors=[style.colour if spot.learned else "none" for spot, _ in marks],
            edgecolors=[INK if spot.share >= _TINY_SHARE else MUTED for spot, _ in marks],
            linewidths=0.7,
            zorder=3,
        )
