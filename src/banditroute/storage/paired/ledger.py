"""What one process has logged and not yet added to the sums, and how far it has come with that."""

from __future__ import annotations

from banditroute.storage.postgres.pending import Pending

from .sums import Marked, RedisSums


class Ledger:
    """Adds what is handed to it, if that is all that was logged since it last did; else somebody has to read the log.

    Args:
        sums: what the log amounts to.
        writer: names the process's store.

    Attributes:
        last: the last batch that was handed to it.
    """

    def __init__(self, sums: RedisSums, writer: str) -> None:
        self._sums = sums
        self._writer = writer
        self._mark = 0
        self._changes = 0  # of the sums when the mark was moved last; 0 = what is up to the mark is let go of
        self._taken = Pending()
        self._handed = Pending()
        self._is_sure = True
        self.last = 0

    def take(self, pending: Pending) -> None:
        """Takes what was logged, to be added the next time."""
        _join(self._handed, pending)
        self.last = max(self.last, *pending.batches[-1:], 0)

    def doubt(self) -> None:
        """The mark may be another by now, and the sums others: the log is to be read, and nothing let go of before."""
        self._changes = 0
        self._is_sure = self.last == 0

    async def added(self, edition: int) -> Marked | None:
        """How far all is added that was taken until now; None where the log has to be read to know that.

        Raises:
            UnsoundError: the sums are to be looked at first.
            StoreError: they cannot be reached; it may be done nevertheless, and the next time finds out.
        """
        _join(self._taken, self._handed)
        self._handed = Pending()
        taken = self._taken
        if not self._is_sure or not taken.sure or (taken.batches and taken.batches[0] <= self._mark):
            return None
        if taken.batches:
            marked = await self._sums.gain(edition, self._writer, self._mark, taken.batches[-1], taken.tally)
            if not marked.is_done or marked.mark != taken.batches[-1]:
                self.doubt()
                return None
            self._mark, self._changes, self._taken = marked.mark, marked.changes, Pending()
        return Marked(True, self._mark, self._changes)

    def set(self, marked: Marked) -> None:
        """Takes over how far somebody has come who read the log, and has let go of that."""
        self._mark, self._changes, self._taken, self._is_sure = marked.mark, 0, Pending(), True

    def let_go(self) -> None:
        """What is up to the mark is let go of."""
        self._changes = 0


def _join(known: Pending, more: Pending) -> None:
    known.tally.merge(more.tally)
    known.batches += more.batches
    known.rows += more.rows
    known.sure = known.sure and more.sure
