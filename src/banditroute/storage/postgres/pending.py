"""What this process has written to the log and not yet added to the sums."""

from __future__ import annotations

from banditroute.routing.lessons import lesson_of, lessons_of
from banditroute.storage.codec import dispatch_of, feedback_of, settled_of
from banditroute.storage.tally import Tally

from .operations import Judge, Settle


class Pending:
    """Sums of rows that are in no sum yet.

    Attributes:
        batches: the names of the rows' batches, rising.
        rows: how many rows.
        sure: whether these are all that the process has written; not so after a commit that was never answered.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        self.batches: list[int] = []
        self.rows = 0
        self.sure = True

    def settle(self, settle: Settle, number: int) -> None:
        """Takes in an outcome that was written under a number."""
        self.tally.learn(settle.lessons)
        self.tally.charge(settle.charges)
        self.tally.pace(settle.paces, number)
        self.tally.pay(settle.paces, settle.usd)
        self.rows += 1

    def judge(self, judge: Judge) -> None:
        """Takes in a judgement that was written."""
        self.tally.learn((judge.lesson,))
        self.rows += 1

    def add_row(self, dispatch: str, settlement: str, number: int, feedback: str | None) -> None:
        """Takes in an outcome as the log has it, or a judgement where there is one.

        Raises:
            StoreError: the row is damaged.
        """
        decision = dispatch_of(dispatch).decision
        outcome, charges, paces = settled_of(settlement)
        self.rows += 1
        if feedback is not None:
            lessons = [lesson_of(decision, outcome, feedback_of(feedback))]
        else:
            lessons = lessons_of(decision, outcome)
            self.tally.charge(charges)
            self.tally.pace(paces, number)
            self.tally.pay(paces, outcome.cost_usd)
        self.tally.check(lessons)
        self.tally.learn(lessons)
