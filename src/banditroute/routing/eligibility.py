"""Which models may serve a request, and for each that may not, one sentence saying why.

It comes before any choice: exploration varies cost, never safety.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from banditroute.records import Demand

from .catalog import Catalog, Model

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_Value = TypeVar("_Value")

_NONE: Mapping[str, str] = MappingProxyType({})


def unbounded(_model: str) -> float:
    """Nothing is known of how long a model's answers are."""
    return math.inf


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The outcome of a screening.

    Attributes:
        mask: (K,) the models that may serve, in the catalog's order; read-only.
        reasons: why each other model may not.
        short: some may not for want of a budget's dollars.
    """

    mask: Bools
    reasons: Mapping[str, str]
    short: bool = False

    def named(self, values: Iterable[_Value], names: tuple[str, ...]) -> dict[str, _Value]:
        """Values (K,) of the models that may serve, each by its model's name."""
        named = zip(names, values, strict=True)
        if not self.reasons:
            return dict(named)
        return {name: value for name, value in named if name not in self.reasons}

    def without(self, barred: Mapping[str, str], names: tuple[str, ...]) -> Eligibility:
        """The same less models that are barred besides, each with its reason."""
        if not barred:
            return self
        mask = self.mask & np.array([name not in barred for name in names])
        return Eligibility(mask, {**self.reasons, **barred}, self.short)

    def within(self, limit_s: float | None, latency_s: Floats, names: tuple[str, ...]) -> Eligibility:
        """The same less models expected to be too slow; unchanged where that would leave none.

        A forecast is no promise: where every model looks too slow, the request is better served late than not at all.
        """
        if limit_s is None:
            return self
        late = self.mask & (latency_s > limit_s)
        if not (self.mask & ~late).any():
            return self
        slow = {
            names[arm]: f"expected to take {latency_s[arm]:.3g} s, the caller allows {limit_s:.3g} s"
            for arm in np.flatnonzero(late)
        }
        return self.without(slow, names)


class Limits(NamedTuple):
    """What holds now, beside the request's own demand.

    Attributes:
        level_usd: dollars that are left of a hard budget; None = no such budget.
        unavailable: models that cannot be called now, each with its reason.
        likely_tokens: what 99% of a model's answers stay below; bounds a reservation that nothing else does. It is
            asked only where the budget's level may bind.
    """

    level_usd: float | None = None
    unavailable: Mapping[str, str] = _NONE
    likely_tokens: Callable[[str], float] = unbounded


class Screen:
    """Screens requests against one catalog, what depends on the catalog alone worked out beforehand.

    Args:
        catalog: the models.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._least_window = min((_window(model) for model in catalog), default=math.inf)
        self._ceiling_usd = _Ceiling.over(catalog)
        self._by_needs = {
            needs: self._screened(_needing(*needs), Limits()) for needs in product((False, True), repeat=4)
        }

    def check(
        self,
        demand: Demand,
        *,
        level_usd: float | None = None,
        unavailable: Mapping[str, str] = _NONE,
        likely_tokens: Callable[[str], float] = unbounded,
    ) -> Eligibility:
        """The models that may serve the demand now; see `eligible`."""
        limits = Limits(level_usd, unavailable, likely_tokens)
        if self._needs_decide(demand, limits):
            return self._by_needs[demand.tools, demand.vision, demand.json, demand.streaming]
        return self._screened(demand, limits)

    def _needs_decide(self, demand: Demand, limits: Limits) -> bool:
        """Whether no limit can bind on any model: the usual case, answered from a table of needs."""
        if demand.allowed or demand.denied or demand.only or limits.unavailable:
            return False
        if demand.input_tokens + (demand.max_output_tokens or 1) > self._least_window:
            return False
        limit = _least_limit_usd(demand, limits)
        return limit is None or self._ceiling_usd.of(demand) <= limit

    def _screened(self, demand: Demand, limits: Limits) -> Eligibility:
        barred = [_reason(model, demand, limits) for model in self._catalog]
        pairs = zip(self._catalog, barred, strict=True)
        short = [None if why else _level(model, demand, limits) for model, why in pairs]
        found = [why or too_dear for why, too_dear in zip(barred, short, strict=True)]
        mask = np.array([reason is None for reason in found], dtype=np.bool_)
        mask.flags.writeable = False
        named = zip(self._catalog.names, found, strict=True)
        return Eligibility(mask, {name: why for name, why in named if why is not None}, any(short))


def eligible(
    demand: Demand, catalog: Catalog, *, level_usd: float | None = None, unavailable: Mapping[str, str] = _NONE
) -> Eligibility:
    """The models of a catalog that may serve a demand; a `Screen` does the same, many times over one catalog.

    Args:
        demand: what the request needs and its caller allows. Its latency limit is not looked at: that takes a forecast.
        catalog: the models.
        level_usd: dollars left of a hard budget: a model whose reservation exceeds them is excluded.
        unavailable: models that cannot be called now, each with its reason.
    """
    return Screen(catalog).check(demand, level_usd=level_usd, unavailable=unavailable)


def worst_case_usd(model: Model, demand: Demand) -> float:
    """The most that the model can charge for the demand; infinite where nothing bounds a priced answer."""
    longest = _longest_answer(model, demand)
    if math.isfinite(longest):
        return model.price.bound_usd(demand.input_tokens, longest * demand.answers)
    prompt = model.price.bound_usd(demand.input_tokens, 0)
    return prompt if model.price.bound_usd(demand.input_tokens, 1) == prompt else math.inf


def reservation_usd(model: Model, demand: Demand, likely_output_tokens: float = math.inf) -> float:
    """Dollars to hold for a call: its worst case, an answer that the caller does not limit bounded by what is likely.

    What an answer costs beyond it is an overrun: rare, counted, and part of the bound that a cap states.
    """
    if demand.max_output_tokens is not None or not math.isfinite(likely_output_tokens):
        return worst_case_usd(model, demand)
    longest = min(_longest_answer(model, demand), math.ceil(likely_output_tokens))
    return model.price.bound_usd(demand.input_tokens, longest * demand.answers)


def _needing(tools: bool, vision: bool, json: bool, streaming: bool) -> Demand:
    return Demand(0, tools=tools, vision=vision, json=json, streaming=streaming)


def _least_limit_usd(demand: Demand, limits: Limits) -> float | None:
    """The tighter of the caller's limit and what is left of the budget; None where neither is set."""
    if demand.max_cost_usd is None or limits.level_usd is None:
        return limits.level_usd if demand.max_cost_usd is None else demand.max_cost_usd
    return min(demand.max_cost_usd, limits.level_usd)


class _Ceiling(NamedTuple):
    """A bill that no model of a catalog exceeds: the dearest tokens and the longest answer of any."""

    input_usd: float
    output_usd: float
    answer_tokens: float

    @classmethod
    def over(cls, catalog: Catalog) -> _Ceiling:
        prices = [price for model in catalog for price in (model.price, *(tier.price for tier in model.price.tiers))]
        return cls(
            max((price.bound_usd(1, 0) for price in prices), default=0.0),
            max((price.bound_usd(0, 1) for price in prices), default=0.0),
            max((_or_inf(model.capabilities.max_output_tokens) for model in catalog), default=0.0),
        )

    def of(self, demand: Demand) -> float:
        answer = min(_or_inf(demand.max_output_tokens), self.answer_tokens) * demand.answers
        return demand.input_tokens * self.input_usd + (answer * self.output_usd if self.output_usd else 0.0)


def _reason(model: Model, demand: Demand, limits: Limits) -> str | None:
    for check in _CHECKS:
        reason = check(model, demand, limits)
        if reason is not None:
            return reason
    return None


def _permission(model: Model, demand: Demand, limits: Limits) -> str | None:
    if model.name in demand.denied:
        return "the caller denies it"
    if demand.allowed and model.name not in demand.allowed:
        return "not among the models the caller allows"
    if not (model.routed or demand.allowed):
        return "serves only who names it"
    return limits.unavailable.get(model.name)


def _capability(model: Model, demand: Demand, _: Limits) -> str | None:
    can = model.capabilities
    if demand.tools and not can.tools:
        return "does not take tools"
    if demand.vision and not can.vision:
        return "does not take images"
    if demand.json and not can.json:
        return "does not write JSON on request"
    if demand.streaming and not can.streaming:
        return "does not stream"
    return None


def _protocol(model: Model, demand: Demand, _: Limits) -> str | None:
    only = demand.only
    if only is None or model.protocol == only.protocol:
        return None
    return f"its provider does not speak {only.protocol}, as this takes: {only.because}"


def _length(model: Model, demand: Demand, _: Limits) -> str | None:
    window = _window(model)
    if demand.input_tokens + 1 > window:
        return f"a prompt of {demand.input_tokens} tokens leaves no room in its context window of {window:.0f}"
    answer = _asked_answer(model, demand)
    if answer is not None and demand.input_tokens + answer > window:
        asked = f"a prompt of {demand.input_tokens} tokens and an answer of up to {answer}"
        return f"{asked} exceed its context window of {window:.0f}"
    return None


def _cost(model: Model, demand: Demand, _: Limits) -> str | None:
    limit = demand.max_cost_usd
    if limit is not None and (worst := worst_case_usd(model, demand)) > limit:
        return f"{_may_cost(worst)}, the caller allows ${limit:.6g}"
    return None


def _level(model: Model, demand: Demand, limits: Limits) -> str | None:
    level = limits.level_usd
    if level is None:
        return None
    held = reservation_usd(model, demand, limits.likely_tokens(model.name))
    return f"{_may_cost(held)}, the budget has ${level:.6g} left" if held > level else None


_CHECKS: tuple[Callable[[Model, Demand, Limits], str | None], ...] = (
    _permission,
    _capability,
    _protocol,
    _length,
    _cost,
)


def _may_cost(worst_usd: float) -> str:
    if math.isinf(worst_usd):
        return "nothing bounds its answer (set max_output_tokens)"
    return f"may cost ${worst_usd:.6g}"


def _window(model: Model) -> float:
    return _or_inf(model.capabilities.context_window)


def _or_inf(tokens: int | None) -> float:
    return math.inf if tokens is None else tokens


def _asked_answer(model: Model, demand: Demand) -> int | None:
    """The answer the model would be asked for: the caller's limit, cut to what the model writes at most."""
    asked, most = demand.max_output_tokens, model.capabilities.max_output_tokens
    return asked if asked is None or most is None else min(asked, most)


def _longest_answer(model: Model, demand: Demand) -> float:
    """The most tokens that an answer can have; infinite where neither caller, model nor window bounds it."""
    room = max(_window(model) - demand.input_tokens, 0)
    return min(_or_inf(demand.max_output_tokens), _or_inf(model.capabilities.max_output_tokens), room)
