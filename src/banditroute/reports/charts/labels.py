"""Names beside points: placed such that they keep clear of each other, of the lines drawn and of the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from banditroute.reports.charts.canvas import text_width
from banditroute.reports.charts.layout import Box
from banditroute.reports.theme import MUTED, SMALL_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_ANGLES = np.arange(12) * np.pi / 6
_DIRECTIONS = np.round(np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)]), 12)
_DISTANCES = (3.0, 9.0, 17.0, 28.0, 42.0, 60.0, 84.0, 115.0)
_LEADER = 12.0
_CLOSE = 40.0
_LINE_HEIGHT = 1.25


def label(
    axes: Axes, places: Floats, names: Sequence[str], marks: Floats, radius: float = 4, optional: bool = False
) -> None:
    """Writes names beside places (N, 2), clear of each other, of marks (M, 2) and of the lines drawn so far.

    Places and marks are in data units; `radius` is that of the largest mark, in pixels. A name that ends up far from
    its place is tied to it by a hairline; optional names are left out where there is no room for them close by.
    """
    pixels, obstacles = (np.asarray(axes.transData.transform(of), dtype=float) for of in (places, marks))
    sizes = np.array([(text_width(name), _LINE_HEIGHT * SMALL_SIZE) for name in names])
    around = obstacles[None] + radius * np.vstack([[(0, 0)], _DIRECTIONS])[:, None]
    taken = np.vstack([around.reshape(-1, 2), _line_pixels(axes)])
    offsets = place_labels(pixels, sizes + 2 * radius, taken, _axes_box(axes), optional)
    for name, place, size, offset in zip(names, places, sizes, offsets, strict=True):
        if not np.isfinite(offset).all():
            continue
        far = np.max(np.abs(offset) - size / 2) > radius + _LEADER
        tie = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 0, "shrinkB": radius} if far else None
        axes.annotate(
            name, tuple(place), tuple(offset), textcoords="offset points", ha="center", va="center", arrowprops=tie
        ).set(size=SMALL_SIZE, zorder=6)


def place_labels(anchors: Floats, sizes: Floats, obstacles: Floats, bounds: Box, optional: bool = False) -> Floats:
    """Offsets (N, 2) from each anchor to the centre of its label, such that labels keep clear of all else.

    Greedy: label by label it takes the nearest of 96 places around the anchor with the least overlap with earlier
    labels, obstacle points (M, 2) and the outside of the bounds. All in pixels, y growing either way. The offset of an
    optional label that finds no free place close by is nan.
    """
    offsets = np.zeros_like(anchors)
    taken = np.empty((0, 4))
    for n, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        candidates = _around(size)
        boxes = np.hstack([anchor + candidates - size / 2, anchor + candidates + size / 2])
        covered = _covered(boxes, taken)
        cost = 1000 * (covered > 0) + 10 * covered + 30 * _hit(boxes, obstacles) + 1000 * _outside(boxes, bounds)
        total = cost + _reach(candidates, size)
        best = int(np.argmin(total))
        if optional and total[best] > _CLOSE:
            offsets[n] = np.nan
            continue
        offsets[n] = candidates[best]
        taken = np.vstack([taken, boxes[best]])
    return offsets


def _around(size: Floats) -> Floats:
    """Offsets (C, 2) of a label's centre that leave each of the distances between anchor and label."""
    return np.vstack([_DIRECTIONS * (size / 2 + distance) for distance in _DISTANCES])


def _reach(candidates: Floats, size: Floats) -> Floats:
    """Pixels (C,) between the anchor and the label's edge."""
    return np.hypot(*np.clip(np.abs(candidates) - size / 2, 0, None).T)


def _covered(boxes: Floats, taken: Floats) -> Floats:
    """Area (C,) that each box shares with those taken."""
    if not taken.size:
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, None, :2], taken[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], taken[None, :, 2:])
    return np.prod(np.clip(high - low, 0, None), axis=2).sum(axis=1)


def _hit(boxes: Floats, points: Floats) -> Floats:
    """Number (C,) of points inside each box."""
    inside = (points[None] >= boxes[:, None, :2]) & (points[None] <= boxes[:, None, 2:])
    return inside.all(axis=2).sum(axis=1).astype(float)


def _outside(boxes: Floats, bounds: Box) -> Floats:
    """Pixels (C,) by which each box leaves the bounds."""
    low = np.array([bounds.left, bounds.top])
    high = low + np.array([bounds.width, bounds.height])
    return np.clip(low - boxes[:, :2], 0, None).sum(axis=1) + np.clip(boxes[:, 2:] - high, 0, None).sum(axis=1)


def _line_pixels(axes: Axes) -> Floats:
    """Pixels (M, 2) along the lines drawn so far."""
    drawn = [line for line in axes.get_lines() if line.get_linestyle() != "None"]
    paths = [np.asarray(line.get_transform().transform(line.get_xydata()), dtype=float) for line in drawn]
    return np.vstack([np.empty((0, 2)), *(_along(points) for points in paths)])


def _along(points: Floats) -> Floats:
    steps = np.linspace(0, 1, 24)[:, None, None]
    return (points[:-1] + steps * np.diff(points, axis=0)).reshape(-1, 2)


def _axes_box(axes: Axes) -> Box:
    """The axes' own area in pixels."""
    extent = axes.bbox
    return Box(float(extent.x0), float(extent.y0), float(extent.width), float(extent.height))
