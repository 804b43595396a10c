"""What a benchmark found: every model on the same prompts, with intervals, and which differences are real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

Measure = Literal["quality", "cost_usd", "latency_s"]
"""What two models are compared by: quality in [0, 1], dollars a call, seconds to the whole answer."""

_NONE: Mapping[str, int] = MappingProxyType({})

ALL_TASKS = ""
"""The task of a row or difference that is over all prompts."""


class Estimate(NamedTuple):
    """A figure and its interval.

    Attributes:
        value: the estimate.
        low: lower end of its 95% interval; nan where too little is known for one (a single prompt).
        high: upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One model on the prompts of one task class, or on all of them.

    Every call counts for dollars and failures; quality is over the answers that were graded, latency over all answers.

    Attributes:
        model: which.
        task: the task class; "" = all prompts.
        prompts: on how many prompts it was asked.
        calls: how many calls were finished: prompts times repeats, less those that a spending limit left out.
        answered: of these, calls that brought an answer.
        graded: of these, answers that a grader gave a quality.
        quality: mean over graded answers, in [0, 1]; None where none was graded.
        cost_usd: dollars a call, mean over calls that brought an answer; None where none did.
        total_usd: dollars of all calls, failed ones and their retries included, judges left out.
        latency_p50_s: median seconds to the whole answer; None where no call was answered.
        latency_p95_s: seconds that 95% of answers stayed below; None where no call was answered.
        failures: calls that brought no answer, by the name of what went wrong.
    """

    model: str
    task: str
    prompts: int
    calls: int
    answered: int
    graded: int
    quality: Estimate | None
    cost_usd: Estimate | None
    total_usd: float
    latency_p50_s: Estimate | None
    latency_p95_s: Estimate | None
    failures: Mapping[str, int] = field(default_factory=lambda: _NONE)

    @property
    def failed(self) -> int:
        """Calls that brought no answer."""
        return self.calls - self.answered

    @property
    def ungraded(self) -> int:
        """Answers that no grader gave a quality: they count in no mean of quality."""
        return self.answered - self.graded


@dataclass(frozen=True, slots=True)
class Difference:
    """Two models compared on the prompts that both answered.

    Attributes:
        measure: by what.
        first: one model; second: the other. Of the two, the first has the larger mean.
        task: the task class; "" = all prompts.
        prompts: how many prompts both have a figure for.
        mean: first minus second, mean over these prompts, and its 95% interval.
        p_value: of the paired test, corrected for all comparisons over all prompts, or for all that are task by task
            (Holm, 1979); 1 where it cannot be made.
        shown: whether the difference is real at the 5% level, all these comparisons together.
        verdict: one sentence for people.
    """

    measure: Measure
    first: str
    second: str
    task: str
    prompts: int
    mean: Estimate
    p_value: float
    shown: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What a benchmark found.

    Attributes:
        name: what to call it: the prompts file without its ending.
        prompts: how many prompts there are.
        repeats: how often each model was asked each.
        models: their names, in the order of the pool.
        tasks: task classes among the prompts, sorted.
        rows: for each model the row of all prompts, and one for each task class.
        differences: every pair of models by every measure, over all prompts; then by quality, task by task.
        spent_usd: dollars of all calls so far, judges included; those of earlier runs that were gone on with too, and
            at their worst those that were cut off with one.
        judging_usd: dollars of these for judges.
        planned: calls there are to make; done: calls that are finished.
        notes: what a reader has to know besides, one sentence each.
    """

    name: str
    prompts: int
    repeats: int
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    rows: tuple[BenchRow, ...]
    differences: tuple[Difference, ...]
    spent_usd: float
    judging_usd: float
    planned: int
    done: int
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every call is finished."""
        return self.done == self.planned

    def row(self, model: str, task: str = ALL_TASKS) -> BenchRow:
        """One model's row, over all prompts or those of one task class; raises KeyError where there is none."""
        for row in self.rows:
            if (row.model, row.task) == (model, task):
                return row
        raise KeyError((model, task))

    def rows_of(self, task: str = ALL_TASKS) -> tuple[BenchRow, ...]:
        """The rows of one task class, or of all prompts, one for each model."""
        return tuple(row for row in self.rows if row.task == task)

    def compared(self, measure: Measure, task: str = ALL_TASKS) -> tuple[Difference, ...]:
        """The differences by one measure."""
        return tuple(each for each in self.differences if (each.measure, each.task) == (measure, task))

    @property
    def failures(self) -> Mapping[str, int]:
        """Calls of all models that brought no answer, by the name of what went wrong."""
        total: Counter[str] = Counter()
        for row in self.rows_of():
            total.update(row.failures)
        return total
