"""Who served what over time: each model's share of every stretch of the stream, stacked, cheap below dear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.charts.along import REQUESTS, Along
from banditroute.reports.charts.canvas import PHONE_WIDTH, Entry
from banditroute.reports.charts.panels import Panels
from banditroute.reports.charts.scales import percent_axis
from banditroute.reports.format import short_names
from banditroute.reports.theme import INK, MOST_MODELS, PAPER, RULE, Style, model_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_OTHERS = Style(RULE, "", "-")


@dataclass(frozen=True, slots=True)
class Stack:
    """One panel: share (T, K) of each model in the stretch that ends at each of the places (T,) along the axis.

    Places count from 0, in whatever the chart's axis counts. The shares of a stretch without requests are 0.
    """

    title: str
    ends: NDArray[np.int64]
    share: Floats


@dataclass(frozen=True, slots=True)
class Shares:
    """The chart: call it with a width in CSS pixels.

    Attributes:
        models: (K,) names from cheap to dear; the order of the stack and of the legend.
        stacks: one panel each.
        events: places at which something changed.
        along: what the horizontal axis counts.
    """

    models: tuple[str, ...]
    stacks: tuple[Stack, ...]
    events: tuple[int, ...] = ()
    along: Along = REQUESTS

    def __call__(self, width: float) -> Figure:
        """The drawing."""
        shown = self._shown()
        entries = self._entries(shown, most=20 if width < PHONE_WIDTH else 34)
        titles = [stack.title for stack in self.stacks]
        panels = Panels(titles, entries, width, "Share of requests", self.along.label)
        colours = [entry.style.colour for entry in entries]
        for axes, stack in zip(panels.axes, self.stacks, strict=True):
            edges = np.concatenate([[0], stack.ends])
            layers = _layers(stack.share, shown)
            axes.stackplot(edges, layers, colors=colours, step="post", edgecolor=PAPER, linewidth=0.5)
            for event in self.events:
                axes.axvline(event, color=INK, linewidth=0.8, linestyle=(0, (1.0, 2.0)))
            axes.set_ylim(0, 1)
            percent_axis(axes, (0, 0.5, 1))
            self.along(axes, int(stack.ends[-1]), 3 if width < PHONE_WIDTH else 8 // panels.columns)
        panels.share_y()
        return panels.canvas.figure

    def _shown(self) -> tuple[int, ...]:
        """Models with an area of their own: all, or those that ever had the largest share."""
        if len(self.models) <= MOST_MODELS:
            return tuple(range(len(self.models)))
        most = np.max([stack.share.mean(axis=0) for stack in self.stacks], axis=0)
        return tuple(sorted(int(k) for k in np.argsort(-most, kind="stable")[: MOST_MODELS - 1]))

    def _entries(self, shown: tuple[int, ...], most: int) -> list[Entry]:
        names = short_names([self.models[k] for k in shown], most)
        named = [Entry(name, model_style(n, len(shown)), "area") for n, name in enumerate(names)]
        rest = len(self.models) - len(shown)
        return [*named, Entry(f"{rest} other models", _OTHERS, "area")] if rest else named


def _layers(share: Floats, shown: tuple[int, ...]) -> Floats:
    """Shares of the models shown and of the rest, if any: (L, T + 1), the last stretch repeated to close the steps."""
    rest = share.sum(axis=1, keepdims=True) - share[:, shown].sum(axis=1, keepdims=True)
    layers = share[:, shown] if len(shown) == share.shape[1] else np.hstack([share[:, shown], rest])
    return np.vstack([layers, layers[-1:]]).T
