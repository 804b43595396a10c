"""The live decision: a request, what is believed, an instant and a uniform go in; a `Decision` comes out.

The same functions on the same arrays serve the simulator (`learning.policy`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError, NoEligibleModelError
from banditroute.learning.evidence import Evidence
from banditroute.learning.objective import utility
from banditroute.learning.policy import PolicySettings
from banditroute.learning.selection import draw
from banditroute.records import Context, Decision, Demand, Forecast, Outcome

from . import lessons, odds, pacers
from .beliefs import NO_ENCODER, Beliefs
from .budgets import Cap, PacedBudget, global_budget
from .catalog import Catalog
from .eligibility import Eligibility
from .hearing import Ears
from .lessons import Edge, Lesson
from .paced import Paced, PaceRecord
from .pacers import Pacers
from .rates import Priced
from .rules import Rule, Situation
from .saved import SavedPolicy
from .sessions import Stay
from .signals import Signals
from .steering import Steering
from .tasks import is_judging

Floats = NDArray[np.float64]

_NONE: Mapping[str, str] = MappingProxyType({})


class Decider:
    """Decides which model serves a request, and learns from what came of it; one owner, no clock, no chance, no I/O.

    Args:
        catalog: the models; their order is that of the arms.
        tasks: task classes known from the start; others join when something is first learned of them.
        features: width of `Context.features`.
        settings: how to explore, pace and refresh.
        budget_usd: dollars per request to pace all spending to; None = unconstrained.
        quality_per_s: quality points that one second of waiting costs.
        budgets: paced budgets of any scope, beside or instead of `budget_usd`.
        caps: those that are to be paced too, once its `pacers` have heard what is left of them.
        encoder_version: which encoder made the features; evidence of another is not taken in.
        rules: what else bends its decisions.
        beliefs: what to decide by, of the same catalog, features and encoder, which others teach and solve anew, and
            tell its `ears`; None = its own.

    Attributes:
        beliefs: what is believed of every model; borrows: they are another's.
        ears: what of it is to hear what they take in.
        pacers: the paced budgets.
        steering: what else bends its decisions.
    """

    def __init__(
        self,
        catalog: Catalog,
        tasks: Sequence[str] = (),
        features: int = 0,
        settings: PolicySettings | None = None,
        budget_usd: float | None = None,
        quality_per_s: float = 0.0,
        *,
        budgets: Sequence[PacedBudget] = (),
        caps: Sequence[Cap] = (),
        encoder_version: str = NO_ENCODER,
        rules: Sequence[Rule] = (),
        beliefs: Beliefs | None = None,
    ) -> None:
        settings = PolicySettings() if settings is None else settings
        self.beliefs = Beliefs(catalog, tasks, features, settings, encoder_version) if beliefs is None else beliefs
        self.borrows = beliefs is not None
        everywhere = () if budget_usd is None else (global_budget(budget_usd),)
        self.pacers = Pacers((*everywhere, *budgets), settings, caps)
        self.steering = Steering(rules)
        self.steering.attend(self)
        self.ears = Ears(self.steering, self.pacers)
        if not self.borrows:
            self.beliefs.tell(self.ears)
        self._quality_per_s = quality_per_s
        self._exploration = settings.exploration
        self._policy_version = odds.policy_version(settings.exploration)

    @property
    def catalog(self) -> Catalog:
        """The models that are decided between, at what they are billed where that is known to be another price."""
        return self.beliefs.catalog

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task classes of which something can be told apart, in the order they became known."""
        return self.beliefs.tasks

    @property
    def signals(self) -> Signals:
        """What was learned; row i of its evidence is class `tasks[i]`, the row after the last is empty."""
        return self.beliefs.signals

    @property
    def shadow_price(self) -> float:
        """Quality points that one budget-worth of dollars must earn now, all global budgets together."""
        return sum(paced.shadow_price for paced in self.pacers.covering("", ""))

    @property
    def shadow_prices(self) -> dict[str, float]:
        """The same of each paced budget, by its name."""
        return self.pacers.shadow_prices()

    @property
    def paces(self) -> tuple[PaceRecord, ...]:
        """Where each paced budget stands, and each rule, and what models are billed at."""
        return (*self.pacers.records(), *self.steering.records(), *self.beliefs.records())

    def paces_of(self, decision: Decision) -> tuple[PaceRecord, ...]:
        """The same of what a decision may have moved: paced budgets that do not cover it stand where they stood."""
        covering = self.pacers.covering(decision.tenant, decision.context.task)
        return (*(paced.record() for paced in covering), *self.steering.records(), *self.beliefs.records())

    def decide(
        self,
        context: Context,
        demand: Demand,
        *,
        decision_id: str,
        now: float,
        u: float,
        level_usd: float | None = None,
        unavailable: Mapping[str, str] = _NONE,
        tenant: str = "",
        stay: Stay | None = None,
        cheapest: bool = False,
    ) -> Decision:
        """The model to call, drawn with the probabilities that the decision carries.

        Args:
            context: what is known of the prompt.
            demand: what the request needs and its caller allows.
            decision_id: a unique name for the decision.
            now: the instant, seconds since the epoch.
            u: chance, uniform in [0, 1).
            level_usd: dollars left of hard budgets: models that may cost more are excluded.
            unavailable: models that cannot be called now, each with its reason.
            tenant: on whose behalf; selects the budgets.
            stay: what leaving the conversation's model would lose.
            cheapest: take the eligible model expected to cost least, whatever its quality.

        Raises:
            NoEligibleModelError: no model may serve the request; carries the reasons.
            InputError: the features are not of the width agreed, or not finite.
        """
        asked = _Asked(context, demand, decision_id, now, u, tenant, stay, cheapest)
        choice = self._choice(asked, level_usd, unavailable)
        if cheapest:
            costs_usd = choice.screened.named(choice.forecast.cost_usd.tolist(), self.beliefs.names)
            return self._drawn(asked, choice, odds.cheapest(costs_usd))
        return self._drawn(asked, choice, self._propensities(choice, stay))

    def forecasts(self, task: str, input_tokens: int, features: tuple[float, ...] = ()) -> dict[str, Forecast]:
        """What is expected of every model at a prompt of that class, length and features; no features = all are 0.

        Raises:
            InputError: there are more or fewer features than the decider's prompts have.
        """
        context = Context(task, features or (0.0,) * self.beliefs.width, input_tokens)
        forecast = self._forecast(task, Demand(input_tokens), self.beliefs.inputs(context), None)
        return dict(zip(self.beliefs.names, forecast.records(), strict=True))

    def points(self, forecast: Forecast) -> float:
        """Quality points that the dollars and seconds of a forecast are worth, by the budgets that cover everything."""
        usd_price = pacers.usd_price(self.pacers.covering("", ""))
        return usd_price * forecast.cost_usd + self._quality_per_s * forecast.latency_s

    def worth(self, decision: Decision) -> dict[str, float]:
        """Quality points that each eligible model was worth: its quality less dollars and seconds, as priced now."""
        usd_price = pacers.usd_price(self.pacers.covering(decision.tenant, decision.context.task))
        s_price = self._quality_per_s
        return {
            model: each.quality - usd_price * each.cost_usd - s_price * each.latency_s
            for model, each in decision.forecasts.items()
        }

    def learn(
        self,
        context: Context,
        model: str,
        *,
        quality: float | None = None,
        output_tokens: int | None = None,
        latency_s: float | None = None,
        ttft_s: float | None = None,
    ) -> None:
        """Takes in what the model that served showed, at once or much later; None = not known, nothing is imputed.

        Raises:
            ConfigError: the catalog has no such model.
            InputError: a value is out of range, or the features are.
        """
        self.catalog.arm(model)
        self.beliefs.inputs(context)
        seen = {"quality": quality, "output_tokens": output_tokens, "latency_s": latency_s, "ttft_s": ttft_s}
        self.beliefs.take(lessons.shown(context, model, self.beliefs.encoder_version, **seen))

    def take(self, lesson: Lesson) -> None:
        """Takes in one lesson; one of a model or an encoder that is no longer in use teaches nothing here."""
        self.beliefs.take(lesson)

    def expect(self, decision: Decision) -> float:
        """Takes in that a decision is on its way, so that shadow prices feel its cost before its bill is there.

        Returns the dollars that it is expected to cost, for `spend` to take back.
        """
        expected_usd = decision.forecasts[decision.chosen].cost_usd
        self.steering.decided(decision)
        for paced in self.pacers.covering(decision.tenant, decision.context.task):
            paced.pacer.expect(expected_usd)
        return expected_usd

    def spend(self, cost_usd: float, *, tenant: str = "", task: str = "", expected_usd: float | None = None) -> None:
        """Takes in what one request cost, which moves the shadow prices of the budgets that cover it.

        Args:
            cost_usd: the bill.
            tenant: on whose behalf.
            task: its task class.
            expected_usd: what `expect` returned for it; None = it was not told.

        Raises:
            InputError: the cost is negative or not finite.
        """
        if not 0 <= cost_usd < math.inf:
            raise InputError(f"{cost_usd} is not a cost in dollars", field="cost_usd")
        for paced in self.pacers.covering(tenant, task):
            paced.pacer.spend(cost_usd, expected_usd)

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Takes in what came of a decision, for rules that look at more than what is learned of each model."""
        self.steering.settled(decision, outcome)
        self.beliefs.settled(outcome)

    @property
    def refresh_due(self) -> bool:
        """Whether enough was learned since the last `refresh` for another to be worth its time."""
        return self.beliefs.stale or self.steering.stale

    def refresh(self) -> None:
        """Solves what was learned anew from all evidence, so that classes and models hear of each other.

        Takes milliseconds: call it when `refresh_due`, from wherever a pause does no harm.
        """
        self.beliefs.refresh()

    def begin_with(self, saved: SavedPolicy) -> None:
        """Starts from what was measured beforehand; models, budgets and encoders no longer in use are passed over.

        What is restored or learned later is told apart from it, and outvotes it.
        """
        self.pacers.begin_with(saved.prices)
        if not self.borrows:
            self.beliefs.begin_with(saved.evidence)

    def restore(self, evidence: Mapping[Edge, Evidence], paces: Iterable[PaceRecord]) -> None:
        """Takes up what was learned before, on top of what it knows, and goes on from where it stood."""
        known = tuple(paces)
        self.pacers.restore(known)
        self.steering.restore(known)
        if self.borrows:
            self.steering.refreshed()
        else:
            self.beliefs.restore(evidence, known)

    def inherit(self, before: Decider) -> None:
        """Takes up what another decider has learned and where its paced budgets stand, as after a restart.

        Requests on their way have to be told to `expect` anew. Where a price was edited meanwhile, it is known, and the
        shadow prices are solved for it at once.
        """
        self.restore(before.beliefs.learned, before.paces)
        if not self.borrows:
            self.beliefs.follow(before.beliefs)
        self.pacers.recall(before.pacers, self.beliefs.arms_of(before.beliefs), len(self.beliefs.names))
        for arm, factor in self.beliefs.repriced(before.beliefs).items():
            self.pacers.reprice(arm, factor, announced=True)

    def _forecast(self, task: str, demand: Demand, x: Floats, stay: Stay | None) -> Priced:
        busy = self.beliefs.load.felt and self._minds_load(demand)
        return self.beliefs.rates.priced(self.beliefs.amounts(task, x, busy=busy), demand, stay)

    def _minds_load(self, demand: Demand) -> bool:
        """Whether anybody asks how long models take as busy as they are."""
        return self._quality_per_s != 0.0 or demand.max_latency_s is not None or self.steering.minds_load

    def _choice(self, asked: _Asked, level_usd: float | None, unavailable: Mapping[str, str]) -> _Choice:
        """Who may serve a request, by its own terms, by what holds now, and by the rules.

        Raises:
            NoEligibleModelError: nobody.
        """
        context, demand, names = asked.context, asked.demand, self.beliefs.names
        x = self.beliefs.inputs(context)
        forecast = self._forecast(context.task, demand, x, asked.stay)
        screened = self.beliefs.screened(context.task, demand, x, level_usd, unavailable)
        if len(screened.reasons) == len(names):
            raise NoEligibleModelError(screened.reasons)
        screened = screened.within(demand.max_latency_s, forecast.amounts.latency_s, names)
        covering = self.pacers.covering(asked.tenant, context.task)
        if not self.steering.bends or is_judging(context.task):
            return _Choice(screened, forecast, covering, None)
        amounts, cost_usd, least_usd = forecast.amounts, forecast.cost_usd, pacers.tightest_usd(covering)
        steered = Situation(
            asked.now, context, demand, asked.tenant, names, screened.mask, amounts, cost_usd, asked.cheapest, least_usd
        )
        barred = self.steering.barred(steered)
        if barred:
            screened = screened.without(barred, names)
            steered = steered._replace(eligible=screened.mask)
        return _Choice(screened, forecast, covering, steered)

    def _propensities(self, choice: _Choice, stay: Stay | None) -> dict[str, float]:
        """Probability of each eligible model, within what the rules allow."""
        screened, forecast, covering, steered = choice
        amounts = forecast.amounts
        worth = utility(amounts.quality, latency_s=amounts.latency_s, quality_per_s=self._quality_per_s)
        worth = worth - pacers.usd_price(covering) * forecast.cost_usd
        if stay is not None and stay.model in self.catalog:
            worth[self.catalog.arm(stay.model)] += stay.quality
        if steered is not None:
            worth = self.steering.penalised(steered, worth)
        p = odds.explored(self._exploration, worth, forecast, screened, covering, self.beliefs.names)
        return p if steered is None else self.steering.limited(steered, worth, p)

    def _drawn(self, asked: _Asked, choice: _Choice, propensities: dict[str, float]) -> Decision:
        """The decision that chance makes of these propensities."""
        screened, forecast, covering, steered = choice
        chosen = list(propensities)[draw(list(propensities.values()), asked.u)]
        forecasts = screened.named(forecast.records(), self.beliefs.names)
        pacers.offer(covering, forecasts.values())
        return Decision(
            decision_id=asked.decision_id,
            at=asked.now,
            context=asked.context,
            chosen=chosen,
            propensity=propensities[chosen],
            propensities=propensities,
            excluded=dict(screened.reasons),
            forecasts=forecasts,
            shadow_prices=pacers.prices(covering),
            policy_version=self.steering.version(self._policy_version) if steered else self._policy_version,
            tenant=asked.tenant,
        )


class _Asked(NamedTuple):
    """What is asked of a decider; see `decide`."""

    context: Context
    demand: Demand
    decision_id: str
    now: float
    u: float
    tenant: str
    stay: Stay | None
    cheapest: bool


class _Choice(NamedTuple):
    """What a request has to choose from.

    Attributes:
        screened: who may serve it.
        forecast: what every model is expected to do.
        covering: the paced budgets that cover it.
        steered: what rules are asked about; None = there are none, or they do not bend it.
    """

    screened: Eligibility
    forecast: Priced
    covering: tuple[Paced, ...]
    steered: Situation | None
