"""Deleting everything of one tenant: its rows stretch by stretch, then what its own budgets have spent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from banditroute.storage.protocol import Deleted
from banditroute.storage.tally import Tally
from banditroute.storage.withdrawing import Withdrawn, needle_of, withdrawal

from .namespace import Namespace
from .operations import Operation
from .pruning import added_up, withdraw
from .reading import Found, Reader
from .wording import named, trail_of

Ask = Callable[[Operation], Awaitable[Any]]
"""Has an operation done."""


class Deletion:
    """One tenant's deletion.

    Args:
        namespace: whose keys.
        reader: reads the log.
        ask: writes.
        tenant: whose.
    """

    def __init__(self, namespace: Namespace, reader: Reader, ask: Ask, tenant: str) -> None:
        self._namespace = namespace
        self._reader = reader
        self._ask = ask
        self._tenant = tenant
        self._counted = Withdrawn()
        self._left = 0

    async def run(self, budgets: Collection[str]) -> Deleted:
        """What is gone at the end; where it fails, what went before is gone.

        Raises:
            StoreError: the server cannot be reached.
        """
        keys = [key.key_id for key in await self._reader.keys() if key.tenant == self._tenant]
        await self._drop("keys", keys)
        needle, after = needle_of(self._tenant), "-inf"
        while True:
            upto, found = await self._reader.naming(needle, after)
            if upto is None:
                break
            if await self._deleted(found):
                after = upto
        if budgets:
            await self._drop_budgets(budgets)
        counted = self._counted
        return Deleted(counted.decisions, counted.judgements, counted.prompts, len(keys), self._left)

    async def _deleted(self, found: list[Found]) -> bool:
        """Deletes those rows of a stretch that are the tenant's and settled; False where it is to be read anew."""
        trails = [(each, trail_of("", each.row)) for each in found]
        own = [(each, trail) for each, trail in trails if trail.decision.tenant == self._tenant]
        gone = [(each, trail) for each, trail in own if trail.outcome is not None]
        rows = [each for each, _ in gone]
        if rows and not await self._ask(await self._forgetting(rows)):
            return False
        self._left += len(own) - len(gone)
        for _, trail in gone:
            self._counted.count(trail)
        return True

    async def _forgetting(self, rows: list[Found]) -> Operation:
        taught = added_up(rows)
        retired = await self._reader.retired()  # before the state: what moves either after this is noticed
        kept = Tally.of(await self._reader.state())
        off = withdrawal(taught.evidence, kept.evidence, retired.tally.evidence)
        return withdraw(self._namespace, rows, taught, off, retired.moved)

    async def _drop_budgets(self, budgets: Collection[str]) -> None:
        state, retired = await self._reader.state(), (await self._reader.retired()).tally
        windows = {*state.spent_usd, *retired.spent_usd}
        spent = [named(*window) for window in windows if window.budget in budgets]
        names = [named(budget) for budget in budgets]
        paid = [what + name for name in names for what in (b"requests ", b"usd ")]
        for prefix in ("", "retired_"):
            await self._drop(f"{prefix}spent", spent)
            await self._drop(f"{prefix}pace", names)
            await self._drop(f"{prefix}paid", paid)

    async def _drop(self, part: str, fields: Collection[bytes | str]) -> None:
        if fields:
            await self._ask(Operation(("HDEL", self._namespace.key(part), *fields), bool))
