"""The rows that this process has written and that are in no sum yet."""

from __future__ import annotations

from banditroute.routing.lessons import Lesson

from .operations import Settle
from .tally import Tally


class Pending:
    """Remembers them, so that they need not be read from the file again.

    It is of use where it is complete: where no row above the marks was written by another process, or before this one.
    """

    def __init__(self) -> None:
        self.complete = False
        self._settled: list[Settle] = []
        self._judged: list[Lesson] = []
        self.settle = self._settled.append
        self.judge = self._judged.append

    def restart(self, *, complete: bool) -> None:
        """Begins anew.

        Args:
            complete: whether every row so far is in the sums.
        """
        self.complete = complete
        self._settled.clear()
        self._judged.clear()

    def tally(self, after: int) -> Tally:
        """What they amount to, added up in the order in which they would be read.

        Args:
            after: the number of the last outcome before them.
        """
        tally = Tally()
        for number, settle in enumerate(self._settled, after + 1):
            tally.learn(settle.lessons)
            tally.charge(settle.charges)
            tally.pace(settle.paces, number)
        tally.learn(self._judged)
        return tally
