"""The live decision: a request, what was learned, an instant and a uniform go in; a `Decision` comes out.

The same functions on the same arrays serve the simulator (`learning.policy`). Tokens and seconds are learned and
dollars computed from the catalog, so that a price edit acts at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError, NoEligibleModelError
from banditroute.learning.objective import utility
from banditroute.learning.pacer import Pacer
from banditroute.learning.policy import Exploration, PolicySettings
from banditroute.learning.priors import LOG_LATENCY, LOG_TOKENS, TOKENS_CENTRE
from banditroute.learning.selection import best_arm_probabilities, draw, mixed
from banditroute.records import Context, Decision, Demand, Forecast

from .catalog import TOKENS_PER_MTOK, Catalog
from .eligibility import Eligibility, Screen
from .signals import Amounts, Signals

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_Value = TypeVar("_Value")

_NONE: Mapping[str, str] = MappingProxyType({})
_VERSION = 1
_LEAST_TOKENS = 1.0
_LEAST_LATENCY_S = 1e-3


class Decider:
    """Decides which model serves a request, and learns from what came of it; one owner, no clock, no chance, no I/O.

    Args:
        catalog: the models; their order is that of the arms.
        tasks: task classes known from the start; others join when something is first learned of them.
        features: width of `Context.features`.
        settings: how to explore, pace and refresh.
        budget_usd: dollars per request to pace the spending to; None = unconstrained.
        quality_per_s: quality points that one second of waiting costs.
    """

    def __init__(
        self,
        catalog: Catalog,
        tasks: Sequence[str] = (),
        features: int = 0,
        settings: PolicySettings | None = None,
        budget_usd: float | None = None,
        quality_per_s: float = 0.0,
    ) -> None:
        self._settings = PolicySettings() if settings is None else settings
        self._catalog = catalog
        self._names = catalog.names
        self._screen = Screen(catalog)
        self._rates = _Rates(catalog)
        self._tasks = {task: index for index, task in enumerate(dict.fromkeys(tasks))}
        self._features = features
        priors = (self._settings.quality, LOG_TOKENS, LOG_LATENCY)
        self._signals = Signals(priors, len(self._tasks), len(catalog), features + 2)
        self._pacer = Pacer(budget_usd, self._settings.pacing, self._settings.resolve_at)
        self._quality_per_s = quality_per_s
        self._policy_version = policy_version(self._settings.exploration)
        self._seen = 0
        self._next_refresh = self._settings.refresh_first

    @property
    def catalog(self) -> Catalog:
        """The models that are decided between."""
        return self._catalog

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task classes of which something can be told apart, in the order they became known."""
        return tuple(self._tasks)

    @property
    def signals(self) -> Signals:
        """What was learned; row i of its evidence is class `tasks[i]`, the row after the last is empty."""
        return self._signals

    @property
    def shadow_price(self) -> float:
        """Quality points that one budget-worth of dollars must earn now; 0 without a budget."""
        return float(self._pacer.price[0])

    @property
    def refresh_due(self) -> bool:
        """Whether enough was learned since the last `refresh` for another to be worth its time."""
        return self._seen >= self._next_refresh

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
    ) -> Decision:
        """The model to call, drawn with the probabilities that the decision carries.

        Args:
            context: what is known of the prompt.
            demand: what the request needs and its caller allows.
            decision_id: a unique name for the decision.
            now: the instant, seconds since the epoch.
            u: chance, uniform in [0, 1).
            level_usd: dollars left of a hard budget.
            unavailable: models that cannot be called now, each with its reason.

        Raises:
            NoEligibleModelError: no model may serve the request; carries the reasons.
            InputError: the features are not of the width agreed, or not finite.
        """
        x = self._inputs(context)
        screened = self._screen.check(demand, level_usd=level_usd, unavailable=unavailable)
        if len(screened.reasons) == len(self._names):
            raise NoEligibleModelError(screened.reasons)
        forecast = self._forecast(context.task, demand, x)
        screened = _within_latency(screened, demand.max_latency_s, forecast.amounts.latency_s, self._names)
        p = self._propensities(screened.mask, forecast)
        chosen = self._names[draw(p, u)]
        propensities = self._named(p.tolist(), screened)
        return Decision(
            decision_id=decision_id,
            at=now,
            context=context,
            chosen=chosen,
            propensity=propensities[chosen],
            propensities=propensities,
            excluded=dict(screened.reasons),
            forecasts=self._named(forecast.records(), screened),
            shadow_prices={"global": self.shadow_price},
            policy_version=self._policy_version,
        )

    def learn(
        self,
        context: Context,
        model: str,
        *,
        quality: float | None = None,
        output_tokens: int | None = None,
        latency_s: float | None = None,
    ) -> None:
        """Takes in what the model that served showed, at once or much later; None = not known, nothing is imputed.

        Raises:
            ConfigError: the catalog has no such model.
            InputError: a value is out of range, or the features are.
        """
        arm = self._catalog.arm(model)
        x = self._inputs(context)
        values = (
            _checked_quality(quality),
            _log_amount(output_tokens, _LEAST_TOKENS, "output_tokens"),
            _log_amount(latency_s, _LEAST_LATENCY_S, "latency_s"),
        )
        if all(value is None for value in values):
            return
        task = self._tasks.get(context.task)
        if task is None:
            task = self._tasks[context.task] = self._signals.grow()
        self._signals.observe(task, arm, x, values)
        self._seen += 1

    def spend(self, cost_usd: float) -> None:
        """Takes in what one request cost, which moves the shadow price of the paced budget.

        Raises:
            InputError: the cost is negative or not finite.
        """
        if not 0 <= cost_usd < math.inf:
            raise InputError(f"{cost_usd} is not a cost in dollars", field="cost_usd")
        self._pacer.spend(cost_usd)

    def refresh(self) -> None:
        """Solves what was learned anew from all evidence, so that classes and models hear of each other.

        Takes milliseconds: call it when `refresh_due`, from wherever a pause does no harm.
        """
        self._signals.refresh()
        self._next_refresh = self._settings.next_refresh(self._seen)

    def _inputs(self, context: Context) -> Floats:
        """The inputs (X,) of the linear models: 1, centred log tokens, features."""
        features = context.features
        if len(features) != self._features:
            problem = f"{len(features)} features where {self._features} are expected"
            raise InputError(problem, remedy="encode every prompt with one encoder", field="features")
        if not math.isfinite(sum(features)):
            raise InputError("a feature is not a finite number", field="features")
        return np.array((1.0, math.log(context.input_tokens + 1) - TOKENS_CENTRE, *features))

    def _forecast(self, task: str, demand: Demand, x: Floats) -> _Forecasts:
        amounts = self._signals.forecast(self._tasks.get(task, len(self._tasks)), x)
        tokens = np.minimum(amounts.output_tokens, self._rates.most_output_tokens)
        if demand.max_output_tokens is not None:
            tokens = np.minimum(tokens, demand.max_output_tokens)
        return _Forecasts(amounts, tokens, self._rates.estimate_usd(demand.input_tokens, tokens))

    def _propensities(self, eligible: Bools, forecast: _Forecasts) -> Floats:
        """Probability (K,) of each model: that its utility is the best, mixed with the exploration floor."""
        exploration, amounts = self._settings.exploration, forecast.amounts
        share = self._pacer.share(forecast.cost_usd)
        self._pacer.remember(amounts.quality, share, eligible)
        worth = utility(amounts.quality, share, self._pacer.price, amounts.latency_s, self._quality_per_s)
        score = exploration.optimistic(worth, amounts.quality_sd)
        p = best_arm_probabilities(score, exploration.sampled * amounts.quality_sd, eligible)
        return mixed(p, exploration.floor(eligible, worth, share))

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
        quality, quality_sd, _, latency_s = self.amounts
        columns = (quality, quality_sd, self.cost_usd, latency_s, self.output_tokens)
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
    return Eligibility(mask, {**screened.reasons, **slow})


def _checked_quality(quality: float | None) -> float | None:
    if quality is not None and not 0.0 <= quality <= 1.0:
        raise InputError(f"{quality} is not a quality", remedy="give a number from 0 to 1", field="quality")
    return quality


def _log_amount(amount: float | None, least: float, field: str) -> float | None:
    """The log in which an amount is learned, no less than that of the least one."""
    if amount is None:
        return None
    if not 0.0 <= amount < math.inf:
        raise InputError(f"{amount} is not an amount", remedy="give a number from 0 up", field=field)
    return math.log(max(amount, least))
