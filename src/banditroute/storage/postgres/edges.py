"""Holding lessons to the width of inputs that their edges have seen before, by whichever process."""

from __future__ import annotations

from collections.abc import Iterable

from banditroute.routing.lessons import Edge, Lesson
from banditroute.storage.packing import edges_of
from banditroute.storage.widths import check_width

from .address import Place
from .driver import Connection
from .sums import edges_row

_INTRODUCE = "SELECT {schema}.introduce($1)"


class KnownEdges:
    """The widths of edges, each asked for once; an edge that is new gets the width that is first told of it.

    Args:
        place: where the store is.
    """

    def __init__(self, place: Place) -> None:
        self._introduce = place.sql(_INTRODUCE)
        self._widths: dict[Edge, int] = {}

    async def learn(self, connection: Connection, edges: Iterable[tuple[Edge, int]]) -> None:
        """Looks up, or introduces, those that are not known.

        Raises:
            asyncpg.PostgresError, OSError: it could not.
        """
        unknown = sorted({edge: width for edge, width in edges if edge not in self._widths}.items())
        if unknown:
            widths: list[int] = await connection.fetchval(self._introduce, edges_row(unknown))
            self._widths.update(zip((edge for edge, _ in unknown), widths, strict=True))

    def check(self, edges: Iterable[tuple[Edge, int]]) -> None:
        """Makes sure that something of these widths can be added.

        Raises:
            StoreError: an edge has seen inputs of another width.
        """
        for edge, width in edges:
            check_width(edge, self._widths[edge], width)


def widths_of(lessons: Iterable[Lesson]) -> list[tuple[Edge, int]]:
    """The edges that lessons tell something of, with the widths of their inputs."""
    return [(edge, len(lesson.x)) for lesson in lessons for edge in edges_of(lesson)]
