"""What a log amounts to, as Redis keeps it: read, added to, and begun anew; each by one script.

The sums have an edition. Within one nothing of them is ever lost: where the server may have lost what it acknowledged
(it was started again, another took its place), scripts refuse to touch them until somebody has compared them with the
log. For each writer of the log a mark says up to which of its batches they go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from banditroute.storage.redis.address import address_of
from banditroute.storage.redis.exchanging import NewsOf, parts_of
from banditroute.storage.redis.link import Link
from banditroute.storage.redis.namespace import Namespace
from banditroute.storage.redis.reading import tally_of
from banditroute.storage.redis.scripts import Command, command, telling
from banditroute.storage.redis.wording import edge_of, listed, named, pairs, tally_parts
from banditroute.storage.sharing import News, Report
from banditroute.storage.tally import Tally
from banditroute.storage.widths import check_width

from .faults import UnsoundError

_UNSOUND, _MISFIT = -1, -2


class Standing(NamedTuple):
    """How the sums are.

    Attributes:
        edition: which they are; 0 = none.
        is_same_life: whether nothing can have been lost since that was last made sure of.
        changes: how often they were changed.
        life: which life of the server this is.
    """

    edition: int
    is_same_life: bool
    changes: int
    life: bytes


class Marked(NamedTuple):
    """Up to which batch a writer's log is in the sums.

    Attributes:
        is_done: whether what was asked for is in them.
        mark: the batch.
        changes: how often the sums were changed by then.
    """

    is_done: bool
    mark: int
    changes: int


class Told(NamedTuple):
    """What came of an exchange.

    Attributes:
        news: what the others told; None where not all is in the sums that has to be.
        overdue: the holders whose time is up and whose leases are kept, and the writers that they logged as.
    """

    news: News | None
    overdue: Mapping[str, str]


class RedisSums:
    """The sums of one log.

    Args:
        url: of the server.
        namespace: the log's.
        timeout_s: seconds to wait for a connection, and for a reply.

    Raises:
        ConfigError: the URL is none.
    """

    def __init__(self, url: str, namespace: str, timeout_s: float) -> None:
        self._namespace = Namespace(f"{namespace}.sums")  # a store that keeps all in Redis may have the log's name
        self._link = Link(address_of(url), self._namespace, timeout_s)

    @property
    def where(self) -> str:
        """The server and the namespace, without password."""
        return self._link.where

    async def open(self) -> None:
        """Makes sure that the server is there.

        Raises:
            StoreError: it is not.
        """
        await self._link.open()

    async def aclose(self) -> None:
        """Lets go of the connections; the next command opens others."""
        await self._link.aclose()

    async def standing(self) -> Standing:
        """How the sums are."""
        edition, is_same_life, changes, life = await self._link.ask(command(self._namespace, "standing"))
        return Standing(int(edition), bool(is_same_life), int(changes), life)

    async def confirm(self, edition: int, follower: int, life: bytes) -> bool:
        """Takes them for the next edition, unless something has happened to them since; whether that was done."""
        return bool(await self._link.ask(command(self._namespace, "confirm", edition, follower, life)))

    async def renew(self, edition: int, life: bytes, marks: Mapping[str, int], tally: Tally, *, is_lost: bool) -> bool:
        """Begins an edition, unless a later one has begun, or the server has begun another life.

        Args:
            edition: its number.
            life: the server's.
            marks: which batches of each writer are in it.
            tally: the sums.
            is_lost: there were sums, with leases beside them, which are lost.
        """
        words = telling(
            self._namespace, "renew", edition, life, int(is_lost), *listed(list(marks.items())), *tally_parts(tally)
        )
        return bool(await self._link.ask(words))

    async def mark(self, edition: int, writer: str) -> Marked:
        """Up to which batch a writer's log is in the sums."""
        _, mark, changes = await self._sound(command(self._namespace, "mark", edition, writer))
        return Marked(True, mark, changes)

    async def gain(self, edition: int, writer: str, expected: int, upto: int, tally: Tally) -> Marked:
        """Adds what a writer's batches after one and up to another amount to; done twice, it is as if once.

        Args:
            edition: the one that is added to.
            writer: whose log.
            expected: the mark that the tally begins behind; where it is another, nothing is added.
            upto: the last batch.
            tally: what they amount to.

        Raises:
            UnsoundError: the sums are to be looked at first.
            StoreError: they have an edge of another width, or the server cannot be reached.
        """
        words = telling(self._namespace, "gain", edition, writer, expected, upto, *tally_parts(tally))
        verdict, *rest = await self._sound(words)
        if verdict == _MISFIT:
            edge, known, width = rest
            check_width(edge_of(edge), known, width)
        mark, changes = rest
        return Marked(bool(verdict), mark, changes)

    async def read(self, edition: int) -> tuple[Mapping[str, int], Tally]:
        """The marks, and the sums."""
        _, marks, *hashes = await self._sound(command(self._namespace, "beside", edition))
        return {writer.decode(): int(mark) for writer, mark in pairs(marks)}, tally_of(*hashes)

    async def drop(self, edition: int, budgets: Collection[str]) -> int:
        """Forgets what budgets have spent, and how they are paced; how often the sums were changed by then."""
        _, tally = await self.read(edition)
        windows = [(named(*window),) for window in tally.spent_usd if window.budget in budgets]
        names = [named(budget) for budget in budgets]
        paid = [(what + name,) for name in names for what in (b"requests ", b"usd ")]
        told = *listed(windows), *listed([(name,) for name in names]), *listed(paid)
        _, changes = await self._sound(telling(self._namespace, "drop", edition, *told))
        return changes

    async def exchange(self, edition: int, writer: str, upto: int, cleared: Collection[str], report: Report) -> Told:
        """Takes in what a process tells and tells it the news.

        Args:
            edition: the one that counts.
            writer: what the process logs as.
            upto: the last of its batches that has to be in the sums.
            cleared: holders that are gone and have nothing waiting in the log.
            report: what it tells.

        Raises:
            UnsoundError: the sums are to be looked at first.
            StoreError: the server cannot be reached.
        """
        beside = edition, writer, upto, *listed([(name,) for name in cleared]), report.holder
        words = telling(self._namespace, "exchange_beside", *beside, *parts_of(report))
        verdict, *rest = await self._sound(words)
        if not verdict:
            return Told(None, {})
        overdue, news = rest
        return Told(NewsOf(report)(news), {name.decode(): by.decode() for name, by in overdue})

    async def _sound(self, words: Command) -> Any:
        reply = await self._link.ask(words)
        if reply[0] == _UNSOUND:
            raise UnsoundError(f"{self.where}: the sums are not those of the log; a router computes them anew")
        return reply
