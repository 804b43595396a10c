"""What has come of the stream so far, beside what each model alone would have made of the same requests."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from statistics import median
from typing import NamedTuple

from banditroute.cli.live.rows import DemoRow, best_of, cheapest_of
from banditroute.records import Answer

_RECENT = 40  # requests of a task class that say where it goes now
_TIMED = 400


class Result(NamedTuple):
    """Mean quality of the requests that are judged, and dollars for all that are answered."""

    quality: float
    cost_usd: float


class TaskLine(NamedTuple):
    """One task class: its requests, the model that most of the latest went to, their mean quality when judged."""

    task: str
    requests: int
    model: str
    quality: float


@dataclass(slots=True)
class _Sums:
    quality: float = 0.0
    cost_usd: float = 0.0


@dataclass(slots=True)
class _Task:
    requests: int = 0
    judged: int = 0
    quality: float = 0.0
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))


class Tally:
    """Adds up what the driver reports.

    Attributes:
        best: the model with the highest mean quality on these requests.
        cheapest: the model with the lowest mean cost.
        models: all of them, dearest first.
        total: how many requests are to come in all.
        budget_usd: dollars per request that the router is to keep to.
        answered: requests answered; judged, those whose feedback is in; failed, those that no model answered.
        fallbacks: answers of another model than the chosen one.
        shadow_price: the budget's latest price, in quality points for a budget-worth of dollars.
        served: answers by model.
        failures: failed requests by the name of the error.
    """

    def __init__(self, rows: Sequence[DemoRow], budget_usd: float) -> None:
        self.total = len(rows)
        self.budget_usd = budget_usd
        self.best, self.cheapest = best_of(rows), cheapest_of(rows)
        self.models = tuple(sorted(rows[0].outcomes, key=lambda name: -sum(r.outcomes[name].cost_usd for r in rows)))
        self.answered = self.judged = self.failed = self.fallbacks = 0
        self.shadow_price = 0.0
        self.served: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._routed = _Sums()
        self._alone = {model: _Sums() for model in self.models}
        self._tasks: dict[str, _Task] = {}
        self._overheads_s: deque[float] = deque(maxlen=_TIMED)

    @property
    def routed(self) -> Result:
        """What the router got."""
        return self._result(self._routed)

    @property
    def usd_per_request(self) -> float:
        """Dollars per answered request."""
        return self._routed.cost_usd / self.answered if self.answered else nan

    @property
    def overhead_s(self) -> float:
        """Median seconds of the latest requests that the router added to the model's own; nan before the first."""
        return median(self._overheads_s) if self._overheads_s else nan

    def alone(self, model: str) -> Result:
        """What that model alone would have got on the same requests, which the table knows."""
        return self._result(self._alone[model])

    def share(self, model: str) -> float:
        """The part of all answers that the model gave."""
        return self.served[model] / self.answered if self.answered else 0.0

    def tasks(self) -> list[TaskLine]:
        """One line per task class, the largest first."""
        lines = [_task_line(name, task) for name, task in self._tasks.items()]
        return sorted(lines, key=lambda line: (-line.requests, line.task))

    def add_answer(self, row: DemoRow, answer: Answer, elapsed_s: float) -> None:
        """Takes in an answer and the seconds that its caller waited."""
        self.answered += 1
        self.served[answer.model] += 1
        self.fallbacks += answer.model != answer.decision.chosen
        self.shadow_price = max(answer.decision.shadow_prices.values(), default=0.0)
        self._routed.cost_usd += answer.cost_usd
        for model, sums in self._alone.items():
            sums.cost_usd += row.outcomes[model].cost_usd
        task = self._tasks.setdefault(row.task, _Task())
        task.requests += 1
        task.recent.append(answer.model)
        if len(answer.outcome.attempts) == 1:  # a wait between attempts is no overhead
            self._overheads_s.append(elapsed_s - answer.outcome.attempts[0].duration_s)

    def add_judgement(self, row: DemoRow, quality: float) -> None:
        """Takes in that an answer has been judged."""
        self.judged += 1
        self._routed.quality += quality
        for model, sums in self._alone.items():
            sums.quality += row.outcomes[model].quality
        task = self._tasks[row.task]
        task.judged += 1
        task.quality += quality

    def add_failure(self, error: Exception) -> None:
        """Takes in that a request was not answered."""
        self.failed += 1
        self.failures[type(error).__name__] += 1

    def _result(self, sums: _Sums) -> Result:
        return Result(sums.quality / self.judged if self.judged else nan, sums.cost_usd)


def _task_line(name: str, task: _Task) -> TaskLine:
    favourite = Counter(task.recent).most_common(1)[0][0]
    return TaskLine(name, task.requests, favourite, task.quality / task.judged if task.judged else nan)
