"""One grader's grades on a judge's scale: what was graded waits there until the judge has spoken of the same answer."""

from __future__ import annotations

from collections import OrderedDict

from banditroute.grading.calibration import Calibration

_MOST_ALONE = 1_000


class Scale:
    """Brings one grader's grades onto a judge's scale, by the answers that both have graded; ends with the process."""

    def __init__(self) -> None:
        self.calibration = Calibration()
        self._alone: OrderedDict[str, float] = OrderedDict()

    def grade(self, decision_id: str, quality: float) -> float:
        """The grade on the judge's scale; remembered until the judge has spoken."""
        self._alone[decision_id] = quality
        if len(self._alone) > _MOST_ALONE:
            self._alone.popitem(last=False)
        return self.calibration.apply(quality)

    def compare(self, decision_id: str, judged: float) -> None:
        """Takes in what the judge said of the same answer."""
        quality = self._alone.pop(decision_id, None)
        if quality is not None:
            self.calibration.add(quality, judged)
