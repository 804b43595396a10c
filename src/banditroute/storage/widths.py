"""Holding lessons to the width of inputs that their edges have seen before."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from banditroute.errors import StoreError
from banditroute.routing.lessons import Edge, Lesson

from .packing import edges_of

_Shape = tuple[str, str, str, int, tuple[bool, ...]]


class Widths:
    """The width of every edge's inputs, by what was looked up and by the lessons that were added since.

    Args:
        look_up: the width that an edge is known to have elsewhere; None = it has seen nothing.
    """

    def __init__(self, look_up: Callable[[Edge], int | None]) -> None:
        self._look_up = look_up
        self._widths: dict[Edge, int] = {}
        self._fitting: set[_Shape] = set()  # most lessons are like one before, and telling that is cheap

    def forget(self) -> None:
        """Looks every edge up anew."""
        self._widths.clear()
        self._fitting.clear()

    def check(self, lessons: Iterable[Lesson]) -> None:
        """Makes sure that lessons can be added.

        Raises:
            StoreError: one has inputs of another width than those that its edge has seen.
        """
        for lesson in lessons:
            if _shape(lesson) not in self._fitting:
                self._check(lesson)

    def expect(self, lessons: Iterable[Lesson]) -> list[tuple[Edge, int]]:
        """Holds later lessons to the widths of these, which were checked; the edges that had seen nothing before."""
        first: list[tuple[Edge, int]] = []
        for lesson in lessons:
            shape = _shape(lesson)
            if shape not in self._fitting:
                self._fitting.add(shape)
                first += [(edge, len(lesson.x)) for edge in edges_of(lesson) if self._width(edge) is None]
                self._widths.update((edge, len(lesson.x)) for edge in edges_of(lesson))
        return first

    def _check(self, lesson: Lesson) -> None:
        for edge in edges_of(lesson):
            known = self._width(edge)
            if known is not None:
                check_width(edge, known, len(lesson.x))

    def _width(self, edge: Edge) -> int | None:
        if edge in self._widths:
            return self._widths[edge]
        width = self._look_up(edge)
        if width is not None:
            self._widths[edge] = width
        return width


def check_width(edge: Edge, known: int, width: int) -> None:
    """Makes sure that inputs are as many as those that an edge has seen.

    Raises:
        StoreError: they are not.
    """
    if known != width:
        raise StoreError(
            f"evidence of {edge.model!r} in {edge.task!r} has {known} inputs, the lesson {width}; "
            f"give a changed encoder a new version than {edge.encoder_version!r}"
        )


def _shape(lesson: Lesson) -> _Shape:
    edge = lesson.task, lesson.model, lesson.encoder_version
    return (*edge, len(lesson.x), tuple([value is None for value in lesson.values]))
