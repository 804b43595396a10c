"""Where things go on a drawing, as arithmetic on pixels: legends that wrap, panels in a grid."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, its origin at the top left."""

    left: float
    top: float
    width: float
    height: float


def flow(
    widths: list[float], gap: float, line_height: float, available: float
) -> tuple[list[tuple[float, float]], float]:
    """Left-to-right positions (x, y) of items that wrap like words, and the height that they take."""
    places: list[tuple[float, float]] = []
    x = y = 0.0
    for width in widths:
        if x > 0 and x + width > available:
            x, y = 0.0, y + line_height
        places.append((x, y))
        x += width + gap
    return places, y + line_height if widths else 0.0


def grid(panels: int, columns: int, area: Box, gap_x: float, gap_y: float, height: float) -> list[Box]:
    """Boxes of equal panels, row by row, in so many columns across an area; its height is not used."""
    width = (area.width - gap_x * (columns - 1)) / columns
    return [
        Box(area.left + (n % columns) * (width + gap_x), area.top + (n // columns) * (height + gap_y), width, height)
        for n in range(panels)
    ]
