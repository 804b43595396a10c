"""The live decision: a request, what was learned, an instant and a uniform go in; a `Decision` comes out.

The same functions on the same arrays serve the simulator (`learning.policy`). Tokens and seconds are learned and
dollars computed from the catalog, so that a price edit acts at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError, NoEligibleModelError
from banditroute.learning.evidence import Evidence
from banditroute.learning.objective import utility
from banditroute.learning.policy import Exploration, PolicySettings
from banditroute.learning.priors import LOG_LATENCY, LOG_TOKENS, LOG_TTFT
from banditroute.learning.selection import best_arm_probabilities, draw
from banditroute.records import Alarm, Context, Decision, Demand, Forecast, Outcome

from . import pacers, watching
from .bills import Bills
from .budgets import Cap, PacedBudget
from .catalog import TOKENS_PER_MTOK, Catalog, Model
from .eligibility import Eligibility, Screen, reservation_usd
from .ledger import Ledger
from .lessons import IN_FLIGHT, SIGNALS, Edge, Lesson, checked_quality, inputs_of, log_latency, log_tokens, tokens_of
from .load import Load
from .pacers import CapOutlook, Paced, PaceRecord, Pacers
from .saved import SavedPolicy
from .sessions import Stay
from .signals import Amounts, Signals
from .steering import Rule, Situation, Steering
from .tasks import is_judging

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_Value = TypeVar("_Value")

_NONE: Mapping[str, str] = MappingProxyType({})
_VERSION = 1
_NO_ENCODER = "none"


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
        caps: those that are to be paced too, once `arrived` says what is left of them.
        encoder_version: which encoder made the features; evidence of another is not taken in.
        rules: what else bends its decisions.

    Attributes:
        load: the calls under way; whoever makes calls tells it.
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
        encoder_version: str = _NO_ENCODER,
        rules: Sequence[Rule] = (),
    ) -> None:
        self._settings = PolicySettings() if settings is None else settings
        self._catalog = catalog
        self._names = catalog.names
        self._bills = Bills(catalog, self._settings.jumps)
        self._bill_anew()
        self._tasks = {task: index for index, task in enumerate(dict.fromkeys(tasks))}
        self._promised: set[str] = set()  # classes of requests on their way
        self._features = features
        priors = (self._settings.quality, LOG_TOKENS, LOG_LATENCY, LOG_TTFT)
        likes = [(arm, catalog.arm(model.like)) for arm, model in enumerate(catalog) if model.like]
        vigilances = watching.vigilances(self._settings)
        self._signals = Signals(priors, len(self._tasks), len(catalog), features + 2, likes, vigilances)
        self._alarms: list[Alarm] = []
        self._unused: dict[Edge, Evidence] = {}  # of models that the catalog does not have (any more, or yet)
        everywhere = () if budget_usd is None else (_global_budget(budget_usd),)
        self._pacers = Pacers((*everywhere, *budgets), self._settings, caps)
        self._steering = Steering(rules)
        self._steering.attend(self)
        self.load = Load(self._names)
        self._encoder_version = encoder_version
        self._quality_per_s = quality_per_s
        self._policy_version = policy_version(self._settings.exploration)
        self._seen = 0
        self._next_refresh = self._settings.refresh_first

    @property
    def catalog(self) -> Catalog:
        """The models that are decided between, at what they are billed where that is known to be another price."""
        return self._catalog

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task classes of which something can be told apart, in the order they became known."""
        return tuple(self._tasks)

    def may_learn(self, task: str, most: int) -> bool:
        """Whether the class is known, or may become so while there are no more than so many; promised once told."""
        if task in self._tasks or task in self._promised:
            return True
        if len(self._tasks) + len(self._promised) >= most:
            return False
        self._promised.add(task)
        return True

    @property
    def encoder_version(self) -> str:
        """Which encoder's features are learned by."""
        return self._encoder_version

    @property
    def width(self) -> int:
        """How many features a prompt has."""
        return self._features

    @property
    def signals(self) -> Signals:
        """What was learned; row i of its evidence is class `tasks[i]`, the row after the last is empty."""
        return self._signals

    @property
    def shadow_price(self) -> float:
        """Quality points that one budget-worth of dollars must earn now, all global budgets together."""
        return sum(paced.shadow_price for paced in self._pacers.covering("", ""))

    @property
    def shadow_prices(self) -> dict[str, float]:
        """The same of each paced budget, by its name."""
        return self._pacers.shadow_prices()

    @property
    def paces(self) -> tuple[PaceRecord, ...]:
        """Where each paced budget stands, and each rule, and what models are billed at."""
        return (*self._pacers.records(), *self._steering.records(), *self._bills.records())

    @property
    def steering(self) -> Steering:
        """What else bends its decisions."""
        return self._steering

    def paces_of(self, decision: Decision) -> tuple[PaceRecord, ...]:
        """The same of what a decision may have moved: paced budgets that do not cover it stand where they stood."""
        covering = self._pacers.covering(decision.tenant, decision.context.task)
        moved = tuple(paced.record() for paced in covering)
        return (*moved, *self._steering.records(), *self._bills.records())

    @property
    def refresh_due(self) -> bool:
        """Whether enough was learned since the last `refresh` for another to be worth its time."""
        return self._seen >= self._next_refresh or self._signals.stale or self._steering.stale

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
        x = self._inputs(context)
        forecast = self._forecast(context.task, demand, x, stay)
        screened = self._screen.check(
            demand,
            level_usd=level_usd,
            unavailable=unavailable,
            likely_tokens=lambda model: self._likely_tokens(model, context.task, x),
        )
        if len(screened.reasons) == len(self._names):
            raise NoEligibleModelError(screened.reasons)
        screened = _within_latency(screened, demand.max_latency_s, forecast.amounts.latency_s, self._names)
        covering = self._pacers.covering(tenant, context.task)
        steered = None
        if self._steering and not is_judging(context.task):
            amounts, cost_usd = forecast.amounts, forecast.cost_usd
            least_usd = pacers.tightest_usd(covering)
            steered = Situation(
                now, context, demand, tenant, self._names, screened.mask, amounts, cost_usd, cheapest, least_usd
            )
            screened = _without(screened, self._steering.barred(steered), self._names)
            steered = steered._replace(eligible=screened.mask)
        if cheapest:
            propensities = self._cheapest(screened, forecast)
        else:
            propensities = self._propensities(screened, forecast, covering, stay, steered)
        chosen = list(propensities)[draw(list(propensities.values()), u)]
        forecasts = self._named(forecast.records(), screened)
        pacers.offer(covering, forecasts.values())
        return Decision(
            decision_id=decision_id,
            at=now,
            context=context,
            chosen=chosen,
            propensity=propensities[chosen],
            propensities=propensities,
            excluded=dict(screened.reasons),
            forecasts=forecasts,
            shadow_prices=pacers.prices(covering),
            policy_version=self._steering.version(self._policy_version) if steered else self._policy_version,
            tenant=tenant,
        )

    def reservation_usd(self, model: Model, context: Context, demand: Demand) -> float:
        """Dollars to hold for a call: its worst case, an answer without a limit bounded by what is likely at 99%."""
        if demand.max_output_tokens is not None:
            return reservation_usd(model, demand)
        return reservation_usd(model, demand, self._likely_tokens(model.name, context.task, self._inputs(context)))

    def beliefs(self, task: str, input_tokens: int, features: tuple[float, ...] = ()) -> dict[str, Forecast]:
        """What is expected of every model at a prompt of that class, length and features; no features = all are 0.

        Raises:
            InputError: there are more or fewer features than the decider's prompts have.
        """
        context = Context(task, features or (0.0,) * self._features, input_tokens)
        forecast = self._forecast(task, Demand(input_tokens), self._inputs(context), None)
        return dict(zip(self._names, forecast.records(), strict=True))

    def points(self, forecast: Forecast) -> float:
        """Quality points that the dollars and seconds of a forecast are worth, by the budgets that cover everything."""
        usd_price = pacers.usd_price(self._pacers.covering("", ""))
        return usd_price * forecast.cost_usd + self._quality_per_s * forecast.latency_s

    def worth(self, decision: Decision) -> dict[str, float]:
        """Quality points that each eligible model was worth: its quality less its dollars and seconds, as priced now."""
        usd_price = pacers.usd_price(self._pacers.covering(decision.tenant, decision.context.task))
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
        self._catalog.arm(model)
        self._inputs(context)
        values = (
            None if quality is None else checked_quality(quality),
            None if output_tokens is None else log_tokens(_checked(output_tokens, "output_tokens")),
            None if latency_s is None else log_latency(_checked(latency_s, "latency_s")),
            None if ttft_s is None else log_latency(_checked(ttft_s, "ttft_s")),
        )
        self.take(Lesson(context.task, model, self._encoder_version, inputs_of(context), values))

    def take(self, lesson: Lesson) -> None:
        """Takes in one lesson; one of a model or an encoder that is no longer in use teaches nothing here."""
        model = self._catalog.current(lesson.model)
        if model is not None and lesson.encoder_version == IN_FLIGHT:
            self.load.take(lesson if model == lesson.model else replace(lesson, model=model))
            return
        if model is None or not self._speaks_of_us(lesson.encoder_version, len(lesson.x)):
            return
        if lesson.weight == 0.0 or all(value is None for value in lesson.values):
            return
        if model != lesson.model:
            lesson = replace(lesson, model=model)
        x, arm = np.array(lesson.x), self._catalog.arm(model)
        for shift in self._signals.observe(self._known_class(lesson.task), arm, x, lesson.values, lesson.weight):
            self._alarm(watching.alarm_of(shift, self._names, self.tasks))
        self._steering.learned(lesson)
        self._seen += 1

    def arrived(self, tenant: str, task: str, now: float, ledger: Ledger) -> None:
        """Takes in that a request came, before it is decided: paced caps that cover it look at what they have left."""
        self._pacers.arrived(tenant, task, now, ledger)

    def outlooks(self, ledger: Ledger, now: float, *, look: bool = True) -> tuple[CapOutlook, ...]:
        """What each paced cap expects of the rest of its window, as far as anything is known of it.

        Each paces to what it finds, unless `look` is False: then nothing changes.
        """
        return self._pacers.outlooks(ledger, now, look=look)

    def expect(self, decision: Decision) -> float:
        """Takes in that a decision is on its way, so that shadow prices feel its cost before its bill is there.

        Returns the dollars that it is expected to cost, for `spend` to take back.
        """
        expected_usd = decision.forecasts[decision.chosen].cost_usd
        self._steering.decided(decision)
        for paced in self._pacers.covering(decision.tenant, decision.context.task):
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
        for paced in self._pacers.covering(tenant, task):
            paced.pacer.spend(cost_usd, expected_usd)

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Takes in what came of a decision, for rules that look at more than what is learned of each model."""
        self._steering.settled(decision, outcome)
        self._signals.tick()
        self.check_bill(outcome)

    def check_bill(self, outcome: Outcome) -> None:
        """Holds the bill that a provider states against the catalog's prices; reckons with another where it is one."""
        rebilled = self._bills.take(outcome)
        if rebilled is not None:
            self._bill_anew()
            self._pacers.reprice(self._catalog.arm(outcome.served), rebilled.factor, announced=False)
            self._alarm(rebilled.alarm)

    @property
    def alarmed(self) -> bool:
        """Whether there is anything for `take_alarms` to tell."""
        return bool(self._alarms)

    def take_alarms(self, now: float) -> tuple[Alarm, ...]:
        """The changes of models that came to light since this was last asked, as of now."""
        alarms, self._alarms = self._alarms, []
        return tuple(replace(alarm, at=now) for alarm in alarms)

    def take_moves(self) -> dict[Edge, Evidence]:
        """What changes and forgetting have added to the evidence since this was last asked: it may be negative."""
        tasks = (*self._tasks, "")
        return {
            Edge(tasks[task], self._names[arm], SIGNALS[signal], self._encoder_version): sums
            for signal, (task, arm), sums in self._signals.take_moves()
        }

    def forget(self, elapsed_s: float) -> None:
        """Lets all evidence fade by what so many seconds are worth, where the settings say so."""
        if self._settings.half_life_s is not None:
            self._signals.fade(0.5 ** (elapsed_s / self._settings.half_life_s))

    def begin_with(self, saved: SavedPolicy) -> None:
        """Starts from what was measured beforehand; models, budgets and encoders no longer in use are passed over.

        What is restored or learned later is told apart from it, and outvotes it.
        """
        for edge, sums in saved.evidence.items():
            model = self._catalog.current(edge.model)
            if model is not None and self._speaks_of_us(edge.encoder_version, sums.b.shape[-1]):
                where = self._known_class(edge.task), self._catalog.arm(model)
                self._signals.warm(SIGNALS.index(edge.signal), where, sums)
        self._pacers.begin_with(saved.prices)
        self.refresh()

    def restore(self, evidence: Mapping[Edge, Evidence], paces: Iterable[PaceRecord]) -> None:
        """Takes up what was learned before, on top of what it knows.

        What is known under a former name of a model is known of it; that of models no longer in use is only kept, for
        `learned`; that of other encoders is passed over.
        """
        for edge, sums in evidence.items():
            model = self._catalog.current(edge.model)
            if edge.encoder_version == IN_FLIGHT:
                self.load.add(edge if model is None else edge._replace(model=model), sums)
                continue
            if not self._speaks_of_us(edge.encoder_version, sums.b.shape[-1]):
                continue
            if model is None:
                self._unused[edge] = sums
                continue
            where = self._known_class(edge.task), self._catalog.arm(model)
            self._signals.add(SIGNALS.index(edge.signal), where, sums)
            self._seen += int(sums.n)
        known = tuple(paces)
        self._pacers.restore(known)
        self._steering.restore(known)
        self._bills.restore(known)
        self._bill_anew()
        self._signals.mend()
        self.refresh()

    @property
    def learned(self) -> dict[Edge, Evidence]:
        """All that was learned, that of models no longer in use included: what `restore` takes up."""
        found = {**self._unused, **self.load.evidence}
        for signal, evidence in zip(SIGNALS, self._signals.evidence, strict=True):
            for (task, row), (arm, model) in product(self._tasks.items(), enumerate(self._names)):
                if evidence.n[row, arm] > 0.0:
                    sums = Evidence(*(each[row, arm] for each in evidence))
                    found[Edge(task, model, signal, self._encoder_version)] = sums
        return found

    def inherit(self, before: Decider) -> None:
        """Takes up what another decider has learned and where its paced budgets stand, as after a restart.

        Requests on their way have to be told to `expect` anew.
        """
        self.restore(before.learned, before.paces)
        self.load.count_like(before.load)
        self._promised |= before._promised - self._tasks.keys()
        self._go_on_watching(before)

    def refresh(self) -> None:
        """Solves what was learned anew from all evidence, so that classes and models hear of each other.

        Takes milliseconds: call it when `refresh_due`, from wherever a pause does no harm.
        """
        self._signals.refresh()
        self.load.refresh()
        self._next_refresh = self._settings.next_refresh(self._seen)
        self._steering.refreshed()

    def _go_on_watching(self, before: Decider) -> None:
        """Takes over what only a process remembers: sums of detectors, and contexts to solve prices from.

        Where a price was edited meanwhile, it is known, and the shadow prices are solved for it at once.
        """
        today = {name: self._catalog.current(name) for name in before._names}
        arms = {before._catalog.arm(old): self._catalog.arm(new) for old, new in today.items() if new is not None}
        tasks = {row: self._tasks[task] for task, row in before._tasks.items() if task in self._tasks}
        self._signals.watch_like(before._signals, tasks, arms)
        self._pacers.recall(before._pacers, arms, len(self._names))
        for arm, factor in self._repriced(before, arms).items():
            self._pacers.reprice(arm, factor, announced=True)

    def _repriced(self, before: Decider, arms: Mapping[int, int]) -> dict[int, float]:
        """By how much the dollars of models grew, at a prompt like those so far; of those whose price is another."""
        x = self._signals.usual_inputs()
        input_tokens, tokens = tokens_of(x), self._signals.forecast(len(self._tasks), x).output_tokens
        factors: dict[int, float] = {}
        for old, new in arms.items():
            was, now = before._catalog.models[old].price, self._catalog.models[new].price
            was_usd, now_usd = (price.estimate_usd(input_tokens, float(tokens[new])) for price in (was, now))
            if was_usd > 0.0 and not math.isclose(was_usd, now_usd, rel_tol=1e-3):
                factors[new] = now_usd / was_usd
        return factors

    def _bill_anew(self) -> None:
        """Reckons with what models are billed from now on."""
        self._catalog = self._bills.catalog
        self._screen, self._rates = Screen(self._catalog), _Rates(self._catalog)

    def _alarm(self, alarm: Alarm) -> None:
        self._alarms.append(alarm)
        self._steering.drifted(alarm)

    def _inputs(self, context: Context) -> Floats:
        """The inputs (X,) of the linear models."""
        features = context.features
        if len(features) != self._features:
            problem = f"{len(features)} features where {self._features} are expected"
            raise InputError(problem, remedy="encode every prompt with one encoder", field="features")
        if not math.isfinite(sum(features)):
            raise InputError("a feature is not a finite number", field="features")
        return np.array(inputs_of(context))

    def _speaks_of_us(self, encoder_version: str, width: int) -> bool:
        return encoder_version == self._encoder_version and width == self._features + 2

    def _class_of(self, task: str) -> int:
        """The class's index; that of the class that speaks for unknown ones where nothing was learned of it yet."""
        return self._tasks.get(task, len(self._tasks))

    def _known_class(self, task: str) -> int:
        index = self._tasks.get(task)
        if index is None:
            index = self._tasks[task] = self._signals.grow()
            self._promised.discard(task)
        return index

    def _forecast(self, task: str, demand: Demand, x: Floats, stay: Stay | None) -> _Forecasts:
        amounts = self._signals.forecast(self._class_of(task), x)
        if self.load.felt and self._minds_load(demand):
            amounts = self.load.slowed(amounts)
        tokens = np.minimum(amounts.output_tokens, self._rates.most_output_tokens)
        if demand.max_output_tokens is not None:
            tokens = np.minimum(tokens, demand.max_output_tokens)
        cost_usd = self._rates.estimate_usd(demand.input_tokens, tokens * demand.answers)
        if stay is not None and stay.cached_tokens and stay.model in self._catalog:
            cost_usd[self._catalog.arm(stay.model)] -= _cache_saving_usd(self._catalog[stay.model], demand, stay)
        return _Forecasts(amounts, tokens, cost_usd)

    def _minds_load(self, demand: Demand) -> bool:
        """Whether anybody asks how long models take as busy as they are."""
        if self._quality_per_s != 0.0 or demand.max_latency_s is not None:
            return True
        return any(rule.minds_load for rule in self._steering.rules)

    def _propensities(
        self,
        screened: Eligibility,
        forecast: _Forecasts,
        covering: Sequence[Paced],
        stay: Stay | None,
        steered: Situation | None,
    ) -> dict[str, float]:
        """Probability of each eligible model: that its utility is the best, mixed with the exploration floor."""
        exploration, amounts, eligible = self._settings.exploration, forecast.amounts, screened.mask
        worth = utility(amounts.quality, latency_s=amounts.latency_s, quality_per_s=self._quality_per_s)
        worth = worth - pacers.usd_price(covering) * forecast.cost_usd
        if stay is not None and stay.model in self._catalog:
            worth[self._catalog.arm(stay.model)] += stay.quality
        if steered is not None:
            worth = self._steering.penalised(steered, worth)
        sd = exploration.sampled * amounts.quality_sd
        if not screened.short:  # where money ran short, any price would have done
            pacers.remember(covering, worth, sd, forecast.cost_usd, eligible)
        p = best_arm_probabilities(exploration.optimistic(worth, amounts.quality_sd), sd, eligible)
        share = forecast.cost_usd / pacers.tightest_usd(covering)
        named = self._named(list(zip(p.tolist(), worth.tolist(), share.tolist(), strict=True)), screened)
        propensities = dict(zip(named, exploration.mixed(*zip(*named.values(), strict=True)), strict=True))
        return propensities if steered is None else self._steering.limited(steered, worth, propensities)

    def _cheapest(self, screened: Eligibility, forecast: _Forecasts) -> dict[str, float]:
        """All probability to the eligible model expected to cost least."""
        costs = self._named(forecast.cost_usd.tolist(), screened)
        cheapest = min(costs, key=costs.__getitem__)
        return {name: float(name == cheapest) for name in costs}

    def _likely_tokens(self, model: str, task: str, x: Floats) -> float:
        return float(self._signals.likely_tokens(self._class_of(task), x)[self._catalog.arm(model)])

    def _named(self, values: Sequence[_Value], screened: Eligibility) -> dict[str, _Value]:
        named = zip(self._names, values, strict=True)
        if not screened.reasons:
            return dict(named)
        return {name: value for name, value in named if name not in screened.reasons}


def policy_version(exploration: Exploration) -> str:
    """The name of a way to explore, and the version of what this module makes of it."""
    if exploration.sampled:
        rule = "thompson"
    elif exploration.bonus:
        rule = "linucb"
    else:
        rule = "epsilon" if exploration.decisions else "greedy"
    return f"{rule}-{_VERSION}"


class _Rates:
    """A catalog's token prices as arrays, so that all models are priced at once."""

    def __init__(self, catalog: Catalog) -> None:
        self._prices = tuple(model.price for model in catalog)
        bounds = [tier.above_input_tokens for price in self._prices for tier in price.tiers]
        self._least_bound = min(bounds, default=math.inf)
        self._short = self._in_force(0)
        most = (model.capabilities.max_output_tokens for model in catalog)
        self.most_output_tokens = np.array([math.inf if limit is None else limit for limit in most])

    def estimate_usd(self, input_tokens: int, output_tokens: Floats) -> Floats:
        """Dollars (K,) expected of a plain call with so many tokens (K,) of answer."""
        short = input_tokens <= self._least_bound
        per_input, per_output = self._short if short else self._in_force(input_tokens)
        return input_tokens * per_input + output_tokens * per_output

    def _in_force(self, input_tokens: int) -> tuple[Floats, Floats]:
        prices = [price.at(input_tokens) for price in self._prices]
        per_input = np.array([price.input_usd_per_mtok for price in prices])
        per_output = np.array([price.output_usd_per_mtok for price in prices])
        return per_input / TOKENS_PER_MTOK, per_output / TOKENS_PER_MTOK


class _Forecasts(NamedTuple):
    """What every model is expected to do, answers cut to the lengths allowed, with dollars (K,)."""

    amounts: Amounts
    output_tokens: Floats
    cost_usd: Floats

    def records(self) -> list[Forecast]:
        """The same as one record for each model, quality clipped to its range."""
        of = self.amounts
        columns = (of.quality, of.quality_sd, self.cost_usd, of.latency_s, self.output_tokens)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Forecast(min(max(mean, 0.0), 1.0), sd, usd, s, tokens) for mean, sd, usd, s, tokens in rows]


def _within_latency(
    screened: Eligibility, limit_s: float | None, latency_s: Floats, names: tuple[str, ...]
) -> Eligibility:
    """The screening without models expected to be too slow; unchanged where that would leave none.

    A forecast is no promise: where every model looks too slow, the request is better served late than not at all.
    """
    if limit_s is None:
        return screened
    late = screened.mask & (latency_s > limit_s)
    mask = screened.mask & ~late
    if not late.any() or not mask.any():
        return screened
    slow = {
        names[arm]: f"expected to take {latency_s[arm]:.3g} s, the caller allows {limit_s:.3g} s"
        for arm in np.flatnonzero(late)
    }
    return Eligibility(mask, {**screened.reasons, **slow}, screened.short)


def _without(screened: Eligibility, barred: Mapping[str, str], names: tuple[str, ...]) -> Eligibility:
    """The screening without the models that rules bar; they never bar all that are left."""
    if not barred:
        return screened
    mask = screened.mask & np.array([name not in barred for name in names])
    return Eligibility(mask, {**screened.reasons, **barred}, screened.short)


def _checked(amount: float, field: str) -> float:
    if not 0.0 <= amount < math.inf:
        raise InputError(f"{amount} is not an amount", remedy="give a number from 0 up", field=field)
    return amount


def _global_budget(usd_per_request: float) -> PacedBudget:
    if not 0 < usd_per_request < math.inf:
        problem = f"{usd_per_request} is not a budget"
        raise InputError(problem, remedy="give dollars per request", field="budget_usd")
    return PacedBudget("global", usd_per_request)


def _cache_saving_usd(model: Model, demand: Demand, stay: Stay) -> float:
    """Dollars that the provider's prompt cache is expected to save."""
    price = model.price.at(demand.input_tokens)
    cached = price.cached_input_usd_per_mtok
    if cached is None:
        return 0.0
    tokens = min(stay.cached_tokens, demand.input_tokens)
    return max(tokens * (price.input_usd_per_mtok - cached), 0.0) / TOKENS_PER_MTOK
