"""What a benchmark is going to cost, before it does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import fmean

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.planning import BenchPlan
from banditroute.benching.worst import NOTHING, Bill, Reckoner, answer_limit
from banditroute.records import ChatRequest
from banditroute.routing.catalog import Catalog, Model
from banditroute.routing.eligibility import eligible
from banditroute.routing.requests import demand_of, input_tokens

ASSUMED_TOKENS = 500
"""Tokens that an answer is taken to have as long as none of the model's is known, unless its limit is lower."""

_LEAST_SEEN = 5  # answers, to go by their length
_SHORT = 0.25  # of the answer that is assumed


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What the calls of one model that are still to be made will cost.

    Attributes:
        model: which.
        calls: how many are to be made; unfit: how many more cannot be, for the model may not serve such a prompt.
        input_tokens: of all these prompts together, an estimate.
        answer_tokens: what an answer is taken to have; seen: by this model's earlier ones, not by assumption.
        low_usd: with answers a quarter as long; likely_usd: as taken; most_usd: with the longest, prompts a quarter
            longer than estimated; infinite where nothing bounds them.
    """

    model: str
    calls: int
    unfit: int
    input_tokens: int
    answer_tokens: float
    seen: bool
    low_usd: float
    likely_usd: float
    most_usd: float


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What the calls that are still to be made will cost.

    Attributes:
        models: each model's calls.
        judging: what judges will cost; of nothing where there are none.
        spent_usd: what earlier runs have cost.
    """

    models: tuple[ModelEstimate, ...]
    judging: Bill
    spent_usd: float

    @property
    def calls(self) -> int:
        """Calls to be made, judges' left out."""
        return sum(each.calls for each in self.models)

    @property
    def low_usd(self) -> float:
        """Dollars with answers a quarter as long as taken."""
        return sum(each.low_usd for each in self.models) + self.judging.likely_usd

    @property
    def likely_usd(self) -> float:
        """Dollars with answers as long as taken."""
        return sum(each.likely_usd for each in self.models) + self.judging.likely_usd

    @property
    def most_usd(self) -> float:
        """Dollars with the longest answers; infinite where nothing bounds them."""
        return sum(each.most_usd for each in self.models) + self.judging.most_usd


def estimate_cost(
    plan: BenchPlan, done: Mapping[CallKey, FinishedCall] | None = None, spent_usd: float = 0.0
) -> CostEstimate:
    """What is still to be paid.

    Args:
        plan: what is to be run.
        done: finished calls: they are not made again, and tell how long answers are.
        spent_usd: what they have cost.
    """
    done = {} if done is None else done
    reckoner = Reckoner(plan.router.catalog, plan.judges)
    models = tuple(_Pending(plan, model, done, reckoner) for model in plan.models)
    judging = sum((each.judging() for each in models), NOTHING)
    return CostEstimate(tuple(each.estimate() for each in models), judging, spent_usd)


class _Pending:
    """The calls of one model that are still to be made."""

    def __init__(self, plan: BenchPlan, model: str, done: Mapping[CallKey, FinishedCall], reckoner: Reckoner) -> None:
        self._plan = plan
        self._model = plan.router.catalog[model]
        self._reckoner = reckoner
        todo = [row for row, turn in plan.turns() if plan.key(row, model, turn) not in done]
        unfit = _unfit(self._model, {row: plan.prompts.rows[row].request for row in todo})
        self._rows = [row for row in todo if row not in unfit]
        self._unfit = len(todo) - len(self._rows)
        seen = [call.output_tokens for key, call in done.items() if key.model == model and call.answered]
        self._seen = len(seen) >= _LEAST_SEEN
        self._tokens = fmean(seen) if self._seen else self._assumed()

    def estimate(self) -> ModelEstimate:
        prompts, name, tokens = self._plan.prompts.rows, self._model.name, self._tokens
        bill = sum((self._reckoner.call(prompts[row], name, tokens) for row in self._rows), NOTHING)
        short = sum((self._reckoner.call(prompts[row], name, tokens * _SHORT) for row in self._rows), NOTHING)
        return ModelEstimate(
            model=name,
            calls=len(self._rows),
            unfit=self._unfit,
            input_tokens=sum(input_tokens(prompts[row].request) for row in self._rows),
            answer_tokens=tokens,
            seen=self._seen,
            low_usd=short.likely_usd,
            likely_usd=bill.likely_usd,
            most_usd=bill.most_usd,
        )

    def judging(self) -> Bill:
        plan = self._plan
        bills = (self._reckoner.judging(plan.prompts.rows[row], plan.tasks[row], self._tokens) for row in self._rows)
        return sum(bills, NOTHING)

    def _assumed(self) -> float:
        """The mean of what each prompt's answer is taken to have."""
        limits = [answer_limit(self._model, self._plan.prompts.rows[row].request) for row in self._rows]
        return fmean(min(limit, ASSUMED_TOKENS) for limit in limits) if limits else 0.0


def _unfit(model: Model, requests: Mapping[int, ChatRequest]) -> Collection[int]:
    """The rows whose prompts the model may not serve."""
    catalog = Catalog((model,))
    demands = ((row, demand_of(each, input_tokens(each), allowed=(model.name,))) for row, each in requests.items())
    return {row for row, demand in demands if eligible(demand, catalog).reasons}
