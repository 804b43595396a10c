"""What a first configuration says: which models by which names, and what may be spent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from banditroute.cli.starting.found import Found
from banditroute.config.findings import TYPICAL_INPUT_TOKENS, typical_usd
from banditroute.routing.catalog import Model

DAY_USD = 5.0
_LONGEST_ANSWER = 32_768
_SHORTEST_LIMIT = 1_024
_SHARE_OF_A_CALL = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """A first configuration.

    Attributes:
        providers: who serves models.
        models: what may be called, names unique.
        day_usd: a cap for the day; None = everything is free.
        usd_per_request: a pace; None = the models are one, or cost the same.
    """

    providers: tuple[Found, ...]
    models: tuple[Model, ...]
    day_usd: float | None
    usd_per_request: float | None

    @property
    def some_free(self) -> bool:
        """Whether a model costs nothing."""
        return any(model.price.free for model in self.models)


def planned(found: Sequence[Found], day_usd: float = DAY_USD) -> Plan:
    """A configuration of what was found: all of its models, a cap for the day, and a pace between cheap and dear."""
    models = _named([(each.name, model) for each in found for model in each.models])
    models = tuple(_bounded(model, day_usd) for model in models)
    priced = any(not model.price.free for model in models)
    return Plan(tuple(found), models, day_usd if priced else None, _pace(models))


def _named(models: Sequence[tuple[str, Model]]) -> tuple[Model, ...]:
    """The models under the last parts of their names, where these are unique; else with their provider's before it."""
    short = [model.upstream.rsplit("/", 1)[-1] for _, model in models]
    full = [f"{provider}/{name}" for (provider, _), name in zip(models, short, strict=True)]
    names = [one if short.count(one) == 1 and one != "auto" else whole for one, whole in zip(short, full, strict=True)]
    return tuple(
        replace(model, name=name, provider=provider) for (provider, model), name in zip(models, names, strict=True)
    )


def _bounded(model: Model, day_usd: float) -> Model:
    """The model with answers limited such that one call, which names no limit, reserves a tenth of the day at most."""
    stated = model.capabilities.max_output_tokens
    if model.price.free or stated is None:
        return model
    prompt_usd = model.price.bound_usd(TYPICAL_INPUT_TOKENS, 0)
    token_usd = model.price.bound_usd(TYPICAL_INPUT_TOKENS, 1) - prompt_usd
    worth = math.floor((_SHARE_OF_A_CALL * day_usd - prompt_usd) / token_usd / _SHORTEST_LIMIT) * _SHORTEST_LIMIT
    limit = min(stated, _LONGEST_ANSWER, max(worth, _SHORTEST_LIMIT))
    return replace(model, capabilities=replace(model.capabilities, max_output_tokens=limit))


def _pace(models: Sequence[Model]) -> float | None:
    """Between what a typical request costs with the cheapest and the dearest, to two digits: their geometric mean."""
    costs = [typical_usd(model) for model in models]
    low, high = min(costs), max(costs)
    if low == high:
        return None
    return float(f"{math.sqrt(low * high) if low else high / 10:.2g}")
