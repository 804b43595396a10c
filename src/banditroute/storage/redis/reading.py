"""The reading half of a store on a Redis server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from banditroute.errors import UnknownDecisionError
from banditroute.records import Alarm, Incident
from banditroute.storage.checking import is_unicode
from banditroute.storage.codec import alarm_of, incident_of
from banditroute.storage.protocol import Dispatch, Named, State, StoredKey, Switch, Trail
from banditroute.storage.reading import PAGE, STRETCH, Logged
from banditroute.storage.rebuilding import Comparison
from banditroute.storage.tally import Tally

from .link import Link
from .namespace import Namespace
from .scripts import command
from .sundries import key_of, switch_of
from .wording import Argument, edge_of, lesson_of, logged_of, logged_pace, paid_of, pairs, sums_of, trail_of, window_of

_PLACE_DIGITS = 20  # of a decision's place, in the index by names


class Found(NamedTuple):
    """What the server has of a decision, and its score in the index by which it was found."""

    score: float
    row: Sequence[bytes | None]

    @property
    def decision_id(self) -> bytes:
        """Its id."""
        return self.row[0] or b""

    @property
    def judged_bytes(self) -> int:
        """How long its judgements are, which tells whether it was judged since."""
        return len(self.row[-1] or b"")


class Retired(NamedTuple):
    """What rows that are gone have added.

    Attributes:
        tally: all of it.
        pruned: how often rows were until then.
        moved: how often sums were until then, by what is of no row.
    """

    tally: Tally
    pruned: int
    moved: int


class Reader:
    """Reads a store's keys beside whoever writes them, and changes nothing.

    Everything that one call returns is as of one instant, but for `trails` and `compared`, where each page is.

    Args:
        link: to the server; its owner closes it.
        namespace: whose keys.
    """

    def __init__(self, link: Link, namespace: Namespace) -> None:
        self._link = link
        self._namespace = namespace

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the server cannot be reached.
        """
        if not is_unicode(decision_id):
            raise UnknownDecisionError(decision_id)
        return trail_of(decision_id, await self._ask("trail", decision_id))

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        kind, name = ("request_id", named.request_id) if named.request_id else ("session_id", named.session_id)
        if not is_unicode(name):
            return []
        head = f"{kind} {name}\0".encode()
        found: list[Trail] = []
        most = b"(" + head + b"\xff"
        while page := await self._ask("named", most, b"[" + head, PAGE, len(head) + _PLACE_DIGITS):
            trails = (logged_of(0, row).trail for _, row in page if row[1] is not None)
            found += [trail for trail in trails if named.fits(trail.dispatch)]
            most = b"(" + page[-1][0]
            if len(found) >= limit:
                break
        return found[:limit]

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in; a page of them is in memory at a time."""
        async for logged in self.pages():
            yield logged.trail

    async def pages(self, index: str = "order") -> AsyncIterator[Logged]:
        """Every row that an index by their order has."""
        after = "-inf"
        while page := await self.page(index, after, "+inf"):
            for found in page:
                yield logged_of(int(found.score), found.row)
            after = f"({page[-1].score:.0f}"

    async def page(self, index: str, least: str, most: str) -> list[Found]:
        """The first rows that an index has between two of its scores, as many as make a page."""
        rows = await self._ask("page", least, most, PAGE, index=index)
        return [Found(float(score), row) for score, row in rows]

    async def naming(self, text: str, after: str) -> tuple[str | None, list[Found]]:
        """Of the stretch of the log after a score the rows that hold a text, and where the next begins; None = nowhere.

        Args:
            text: what is looked for.
            after: the score, as the server writes the open end of a range.
        """
        last, rows = await self._ask("naming", after, STRETCH, text)
        found = [Found(float(score), row) for score, row in rows]
        return None if last is None else f"({float(last):.0f}", found

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        rows = await self._ask("newest", limit) if limit > 0 else []
        return [logged_of(0, row).trail for row in rows]

    async def settled_before(self, before: float) -> AsyncIterator[list[bytes]]:
        """The ids of settled decisions of before an instant, by their age; a stretch of them at a time."""
        most, place = f"({float(before)!r}", 0
        while True:
            words = ("ZRANGEBYSCORE", self._namespace.key("settled"), "-inf", most, "LIMIT", place, STRETCH)
            found: list[bytes] = await self._link.ask(words)
            if not found:
                return
            yield found
            place += len(found)

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        return [logged.trail.dispatch async for logged in self.pages("unsettled")]

    async def state(self) -> State:
        """What the log amounts to, as kept up to date with it."""
        sums, pending, spent, pace, paid = await self._ask("state")
        tally = tally_of(sums, spent, pace, paid)
        tally.learn([lesson_of(data) for data in pending])
        return tally.state()

    async def retired(self) -> Retired:
        """What rows that are gone have added."""
        sums, spent, pace, paid, pruned, moved = await self._ask("retired")
        return Retired(tally_of(sums, spent, pace, paid), int(pruned), int(moved))

    async def rebuilt(self) -> State:
        """The state, computed anew from the log; begun again where that of which there is no row changes meanwhile."""
        while True:
            tally, *times = await self.retired()
            async for logged in self.pages():
                logged.add_to(tally)
            if [*(await self.retired())[1:]] == times:
                return tally.state()

    async def compared(self) -> Comparison:
        """The state that is kept, and the one computed anew; they are of one instant where nobody writes meanwhile."""
        return Comparison(await self.state(), await self.rebuilt())

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        if limit <= 0:
            return []
        found: list[bytes] = await self._link.ask(("LRANGE", self._namespace.key("alarms"), -limit, -1))
        return [alarm_of(text.decode()) for text in reversed(found)]

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        if limit <= 0:
            return []
        words = ("ZRANGE", self._namespace.key("incidents"), "+inf", repr(float(since)), "BYSCORE", "REV")
        found: list[bytes] = await self._link.ask((*words, "LIMIT", 0, limit))
        return [incident_of(text.decode()) for text in found]

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last, sorted by name."""
        found: list[bytes] = await self._link.ask(("HVALS", self._namespace.key("switches")))
        return sorted(map(switch_of, found), key=lambda switch: switch.name)

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        found: list[bytes] = await self._link.ask(("HVALS", self._namespace.key("keys")))
        return sorted(map(key_of, found), key=lambda key: (key.created_at, key.key_id))

    async def _ask(self, name: str, *arguments: Argument, index: str = "") -> Any:
        return await self._link.ask(command(self._namespace, name, *arguments, index=index))


def tally_of(sums: list[bytes], spent: list[bytes], pace: list[bytes], paid: list[bytes]) -> Tally:
    """What the server keeps of sums, each hash as a list of names and values in turn."""
    return Tally(
        {edge_of(edge): sums_of(data) for edge, data in pairs(sums)},
        {window_of(window): float(usd) for window, usd in pairs(spent)},
        {logged.record.budget: logged for logged in (logged_pace(text) for _, text in pairs(pace))},
        paid_of(paid),
    )
