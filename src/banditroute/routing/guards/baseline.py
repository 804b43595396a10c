"""Conservative mode: what was served never falls behind a share of what a baseline model would have got."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.guard import Conservative, HarmAccount, Margin
from banditroute.learning.posterior import Posterior
from banditroute.records import Alarm, Context, Decision, Outcome
from banditroute.routing.lessons import inputs_of
from banditroute.routing.paced import PaceRecord
from banditroute.routing.rules import Believed, Rule, Situation

from .counting import GUARDS, Count

Floats = NDArray[np.float64]

_PLENTY = 5.0  # quality points that no single request can lose, what is unsure of it included
_MOST_OPEN = 10_000  # decisions whose outcome is awaited; older ones are taken to have gone as decided
_NAME = "baseline/"
_RECORDS = GUARDS + _NAME
_NOBODY: Mapping[str, str] = MappingProxyType({})
_REASON = "it might lose more quality against the baseline than is earned"


class _Serving(NamedTuple):
    """A request on its way: its class, who was to serve it, its inputs (X,)."""

    task: int
    arm: int
    x: Floats


class BaselineGuard(Rule):
    """Bars models that might take what was served below (1 - alpha) times what the baseline would have got.

    Where the baseline itself may not serve a request there is nothing to be held against: the request is left alone.

    Args:
        baseline: the model.
        terms: what is promised.
    """

    def __init__(self, baseline: str, terms: Conservative) -> None:
        self._baseline = baseline
        self._terms = terms
        self._count = Count(_NAME + baseline)
        self._beliefs: Believed
        self._account: HarmAccount
        self._valued: Posterior
        self._open: OrderedDict[str, _Serving] = OrderedDict()
        self._reasons: Mapping[str, str] = _NOBODY

    @property
    def mark(self) -> str:
        """Names the baseline."""
        return f"baseline:{self._baseline}"

    @property
    def margin(self) -> float:
        """Quality points that are surely left."""
        return float(self._account.lower)

    def attend(self, beliefs: Believed) -> None:
        """Opens the account: what is believed is what it values by."""
        self._beliefs, self._valued = beliefs, beliefs.signals.posterior
        self._baseline = beliefs.catalog.current(self._baseline) or self._baseline
        self._count.name = _RECORDS + self._baseline
        axes = len(beliefs.tasks) + 1, len(beliefs.catalog)  # the last class stands for all that are unknown
        width = self._valued.block.shape[-1]
        self._account = HarmAccount(axes, width, beliefs.catalog.arm(self._baseline), self._terms)

    def barred(self, situation: Situation) -> Mapping[str, str]:
        """The models whose serving would leave nothing for sure."""
        self._count.ask(situation)
        arm = self._beliefs.catalog.arm(self._baseline)
        if situation.cheapest or not situation.eligible[arm] or situation.eligible.sum() == 1:
            return _NOBODY
        posterior = self._current()
        if self._account.lower >= _PLENTY:
            return _NOBODY
        left = self._account.after(posterior, self._class(situation.context), _inputs(situation.context))
        unsafe = situation.eligible & (left < 0.0)
        unsafe[arm] = False
        return {situation.names[each]: _REASON for each in np.flatnonzero(unsafe)}

    def decided(self, decision: Decision) -> None:
        """Takes the model that is to serve for the one that does."""
        if not self._count.is_of(decision) or self._baseline not in decision.propensities:
            return
        self._count.add(bent=_REASON in decision.excluded.values())
        arm = self._beliefs.catalog.arm(decision.chosen)
        serving = _Serving(self._class(decision.context), arm, _inputs(decision.context))
        self._account.serve(self._current(), *serving)
        self._open[decision.decision_id] = serving
        if len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Puts right who served, if anybody did."""
        serving = self._open.pop(decision.decision_id, None)
        if serving is None or outcome.served == decision.chosen:
            return
        self._account.serve(self._current(), *serving, times=-1.0)
        if outcome.ok and outcome.served in self._beliefs.catalog:
            arm = self._beliefs.catalog.arm(outcome.served)
            self._account.serve(self._current(), serving.task, arm, serving.x)

    def drifted(self, alarm: Alarm) -> None:
        """Leaves what was served before a model changed valued as it was."""
        if alarm.signal == "quality":
            self._account.close()

    def records(self) -> tuple[PaceRecord, ...]:
        """The count and the margin."""
        mean, variance = self._account.total
        return (self._count.record(float(mean), float(variance)),)

    def restore(self, records: Sequence[PaceRecord]) -> None:
        """Goes on from the margin, which what is learned from now on no longer changes."""
        for record in records:
            if self._is_of_baseline(record.budget):
                self._count.resume(record)
                self._account.resume(Margin(np.asarray(record.log_price), np.asarray(record.spend)))

    def _is_of_baseline(self, name: str) -> bool:
        """Whether a record is of this baseline, under whatever name it had."""
        model = name.removeprefix(_RECORDS)
        return model != name and self._beliefs.catalog.current(model) == self._baseline

    def _class(self, context: Context) -> int:
        tasks = self._beliefs.tasks
        return tasks.index(context.task) if context.task in tasks else len(tasks)

    def _current(self) -> Posterior:
        """What is believed; after it was solved anew, all that was served is valued anew by it."""
        posterior = self._beliefs.signals.posterior
        if posterior is not self._valued:
            self._valued = posterior
            self._account.grow(posterior.block.shape[0])
            self._account.review(posterior)
        return posterior


def _inputs(context: Context) -> Floats:
    return np.array(inputs_of(context))
