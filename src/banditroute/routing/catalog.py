"""The models that may be called, what each can do, and what each costs: immutable values and price arithmetic."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import ConfigError, PriceError
from banditroute.records import Usage

Floats = NDArray[np.float64]

TOKENS_PER_MTOK = 1_000_000
AUTO = "auto"

_UNKNOWN = "price unknown"
_UNKNOWN_REMEDY = "state it, 0 declares the model free"
_RATE_FIELDS = (
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cached_input_usd_per_mtok",
    "cache_write_usd_per_mtok",
    "reasoning_usd_per_mtok",
)


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of long prompts: it holds for the whole request once its prompt is longer than the bound.

    Attributes:
        above_input_tokens: the longest prompt that is still billed at the tier below.
        price: what every token of a longer request costs; has no tiers of its own.

    Raises:
        PriceError: the bound is not positive, or the price has tiers.
    """

    above_input_tokens: int
    price: "Price"

    def __post_init__(self) -> None:
        if self.above_input_tokens < 1:
            raise PriceError(f"{self.above_input_tokens} is not a number of tokens", field="tiers.above_input_tokens")
        if self.price.tiers:
            raise PriceError("a tier cannot have tiers", remedy="list them side by side", field="tiers")


@dataclass(frozen=True, slots=True)
class Price:
    """What one model's tokens cost, in dollars per million tokens; 0 and 0 declare it free.

    Attributes:
        input_usd_per_mtok: prompt tokens.
        output_usd_per_mtok: answer tokens.
        cached_input_usd_per_mtok: prompt tokens read from the provider's cache; None = as input.
        cache_write_usd_per_mtok: prompt tokens written to the provider's cache; None = as input.
        reasoning_usd_per_mtok: hidden reasoning tokens; None = as output.
        tiers: prices of longer prompts, bounds ascending.

    Raises:
        PriceError: a price is negative or not finite, or the tiers do not ascend.
    """

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None
    tiers: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        for key in _RATE_FIELDS:
            _check_rate(key, getattr(self, key))
        bounds = self._bounds
        if any(low >= high for low, high in pairwise(bounds)):
            raise PriceError(f"bounds {bounds} do not ascend", remedy="sort them, each bound once", field="tiers")

    @classmethod
    def declared(
        cls,
        model: str,
        *,
        input_usd_per_mtok: float | None,
        output_usd_per_mtok: float | None,
        cached_input_usd_per_mtok: float | None = None,
        cache_write_usd_per_mtok: float | None = None,
        reasoning_usd_per_mtok: float | None = None,
        tiers: tuple[Tier, ...] = (),
    ) -> "Price":
        """The price that a file declares for a model, None being what it leaves out.

        Raises:
            PriceError: the input or output price is unknown, or a price cannot be; names the model and the key.
        """
        try:
            return cls(
                input_usd_per_mtok=_known("input_usd_per_mtok", input_usd_per_mtok),
                output_usd_per_mtok=_known("output_usd_per_mtok", output_usd_per_mtok),
                cached_input_usd_per_mtok=cached_input_usd_per_mtok,
                cache_write_usd_per_mtok=cache_write_usd_per_mtok,
                reasoning_usd_per_mtok=reasoning_usd_per_mtok,
                tiers=tiers,
            )
        except PriceError as error:
            raise PriceError(error.problem, remedy=error.remedy, field=f"{model}: {error.field}") from None

    def times(self, factor: float) -> "Price":
        """The price at which every token costs a multiple."""
        rates: list[tuple[str, Any]] = [(key, getattr(self, key)) for key in _RATE_FIELDS]
        stated = {key: rate * factor for key, rate in rates if rate is not None}
        tiers = tuple(Tier(tier.above_input_tokens, tier.price.times(factor)) for tier in self.tiers)
        return Price(**stated, tiers=tiers)

    @property
    def free(self) -> bool:
        """Whether no token costs anything, at any length."""
        dearest = max(self._dearest_input, self._dearest_output)
        return dearest == 0 and all(tier.price.free for tier in self.tiers)

    def at(self, input_tokens: float) -> "Price":
        """The price in force for a prompt of that many tokens."""
        tier = bisect_left(self._bounds, input_tokens)
        return self.tiers[tier - 1].price if tier else self

    def cost_usd(self, usage: Usage) -> float:
        """Dollars that a call costs, every kind of token at its own price and the tier chosen by the whole prompt.

        Parts that exceed their whole, which some servers report, are billed as they stand: never less than the parts.
        """
        price = self.at(usage.input_tokens)
        plain_input = max(usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens, 0)
        plain_output = max(usage.output_tokens - usage.reasoning_tokens, 0)
        micro_usd = (
            plain_input * price.input_usd_per_mtok
            + usage.cached_input_tokens * _or(price.cached_input_usd_per_mtok, price.input_usd_per_mtok)
            + usage.cache_write_tokens * _or(price.cache_write_usd_per_mtok, price.input_usd_per_mtok)
            + plain_output * price.output_usd_per_mtok
            + usage.reasoning_tokens * _or(price.reasoning_usd_per_mtok, price.output_usd_per_mtok)
        )
        return micro_usd / TOKENS_PER_MTOK

    @overload
    def estimate_usd(self, input_tokens: float, output_tokens: float) -> float: ...
    @overload
    def estimate_usd(self, input_tokens: float, output_tokens: Floats) -> Floats: ...
    @overload
    def estimate_usd(self, input_tokens: Floats, output_tokens: float | Floats) -> Floats: ...

    def estimate_usd(self, input_tokens: float | Floats, output_tokens: float | Floats) -> float | Floats:
        """Dollars expected of a plain call: nothing cached, no reasoning apart; arrays broadcast."""
        per_input, per_output = self._rates_at(input_tokens)
        return (input_tokens * per_input + output_tokens * per_output) / TOKENS_PER_MTOK

    def bound_usd(self, input_tokens: float, output_tokens: float) -> float:
        """The most that a prompt of this length can cost with an answer of at most so many tokens: what to reserve."""
        price = self.at(input_tokens)
        return (input_tokens * price._dearest_input + output_tokens * price._dearest_output) / TOKENS_PER_MTOK

    @property
    def _bounds(self) -> list[int]:
        return [tier.above_input_tokens for tier in self.tiers]

    @property
    def _dearest_input(self) -> float:
        cached, write = self.cached_input_usd_per_mtok, self.cache_write_usd_per_mtok
        return max(self.input_usd_per_mtok, _or(cached, 0.0), _or(write, 0.0))

    @property
    def _dearest_output(self) -> float:
        return max(self.output_usd_per_mtok, _or(self.reasoning_usd_per_mtok, 0.0))

    def _rates_at(self, input_tokens: float | Floats) -> tuple[float, float] | tuple[Floats, Floats]:
        """Input and output price in force for each prompt length."""
        if not self.tiers:
            return self.input_usd_per_mtok, self.output_usd_per_mtok
        if not isinstance(input_tokens, np.ndarray):
            price = self.at(input_tokens)
            return price.input_usd_per_mtok, price.output_usd_per_mtok
        prices = (self, *(tier.price for tier in self.tiers))
        tier = np.searchsorted(self._bounds, input_tokens, side="left")
        return (
            np.array([price.input_usd_per_mtok for price in prices])[tier],
            np.array([price.output_usd_per_mtok for price in prices])[tier],
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do.

    What is left out defaults to what a user expects of a chat model today: it streams, calls tools and writes JSON. One
    that cannot refuses the request, and the next model is tried. Images are the exception: servers of text models are
    known to drop them without a word, so vision has to be declared.

    Attributes:
        context_window: the most tokens of prompt and answer together; None = unknown, nothing is excluded by length.
        max_output_tokens: the longest answer; None = unknown.
        tools: takes tool definitions.
        vision: takes images.
        json: has a JSON mode or takes a schema.
        streaming: streams.

    Raises:
        ConfigError: a limit is not positive, or the answer is to be longer than the context window.
    """

    context_window: int | None = None
    max_output_tokens: int | None = None
    tools: bool = True
    vision: bool = False
    json: bool = True
    streaming: bool = True

    def __post_init__(self) -> None:
        window, output = self.context_window, self.max_output_tokens
        for key, limit in (("context_window", window), ("max_output_tokens", output)):
            if limit is not None and limit < 1:
                raise ConfigError(f"{limit} is not a number of tokens", remedy="leave it out if unknown", field=key)
        if window is not None and output is not None and output > window:
            problem = f"{output} is more than the context window of {window}"
            raise ConfigError(problem, remedy="lower it or raise context_window", field="max_output_tokens")


@dataclass(frozen=True, slots=True)
class Model:
    """One LLM endpoint.

    Attributes:
        name: what callers see; unique in a catalog.
        provider: the name of the provider that serves it.
        upstream: the provider's own name for it.
        price: what its tokens cost.
        capabilities: what it can do.
        tags: free words to select models by.
        routed: may be drawn; otherwise it serves only judges and callers who name it.
        formerly: names that it had before: what is known under them is known of it.
        like: the model from whose evidence it starts; empty = from none.
        canary: as a newcomer it goes through stages, or never does; None = as the rollout's settings say.
        protocol: what its provider speaks, a provider's kind; empty = nobody said.

    Raises:
        ConfigError: the name is empty or one that callers use to let the router choose.
    """

    name: str
    provider: str
    upstream: str
    price: Price
    capabilities: Capabilities = Capabilities()
    tags: frozenset[str] = frozenset()
    routed: bool = True
    formerly: tuple[str, ...] = ()
    like: str = ""
    canary: bool | None = None
    protocol: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ConfigError("a model without a name", field="name")
        if self.name == AUTO or self.name.startswith(f"{AUTO}:"):
            problem = f"{self.name!r} is what callers write to let the router choose"
            raise ConfigError(problem, remedy="choose another name", field="name")


@dataclass(frozen=True, slots=True)
class Catalog:
    """Models in a fixed order, found by name; the position of a model is its arm.

    Editing gives a new catalog. `with_price` and `added` leave every arm where it is; `removed` moves those behind.

    Raises:
        ConfigError: two models have the same name, or had it; or one is to be like a model that there is not.
    """

    models: tuple[Model, ...] = ()
    _arms: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _current: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        arms: dict[str, int] = {}
        for arm, model in enumerate(self.models):
            if arms.setdefault(model.name, arm) != arm:
                raise ConfigError(f"two models are named {model.name!r}", remedy="rename one", field="name")
        object.__setattr__(self, "_arms", arms)
        object.__setattr__(self, "_current", _current_names(self.models))
        for model in self.models:
            if model.like and (model.like == model.name or model.like not in arms):
                problem = f"{model.name!r} is like {model.like!r}, which is no other model"
                raise ConfigError(problem, remedy=self._suggestion(model.like), field="like")

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def __contains__(self, name: object) -> bool:
        return name in self._arms

    def __getitem__(self, name: str) -> Model:
        """The model of that name; raises ConfigError where there is none."""
        return self.models[self.arm(name)]

    @property
    def names(self) -> tuple[str, ...]:
        """The models' names, in the order of the arms."""
        return tuple(self._arms)

    def current(self, name: str) -> str | None:
        """The name today of the model that has or had that name; None where no model has."""
        return self._current.get(name)

    def arm(self, name: str) -> int:
        """The position of the model of that name; raises ConfigError where there is none."""
        arm = self._arms.get(name)
        if arm is None:
            raise ConfigError(f"no model is named {name!r}", remedy=self._suggestion(name))
        return arm

    def with_price(self, name: str, price: Price) -> "Catalog":
        """The catalog in which that model costs something else; raises ConfigError for an unknown name."""
        arm = self.arm(name)
        return Catalog((*self.models[:arm], replace(self.models[arm], price=price), *self.models[arm + 1 :]))

    def speaking(self, protocols: Mapping[str, str]) -> "Catalog":
        """The catalog whose models speak what their providers do, by the providers' names."""
        models = tuple(
            model if model.protocol == spoken else replace(model, protocol=spoken)
            for model in self.models
            for spoken in (protocols.get(model.provider, model.protocol),)
        )
        return self if models == self.models else Catalog(models)

    def added(self, model: Model) -> "Catalog":
        """The catalog with one more model, as its last arm; raises ConfigError where the name is taken."""
        return Catalog((*self.models, model))

    def removed(self, name: str) -> "Catalog":
        """The catalog without that model, none like it any more; raises ConfigError for an unknown name."""
        arm = self.arm(name)
        others = (*self.models[:arm], *self.models[arm + 1 :])
        return Catalog(tuple(replace(model, like="") if model.like == name else model for model in others))

    def renamed(self, name: str, to: str) -> "Catalog":
        """The catalog in which that model has another name; raises ConfigError for an unknown or a taken one."""
        arm = self.arm(name)
        model = self.models[arm]
        former = (*(each for each in model.formerly if each != to), name)
        renamed = (*self.models[:arm], replace(model, name=to, formerly=former), *self.models[arm + 1 :])
        return Catalog(tuple(replace(each, like=to) if each.like == name else each for each in renamed))

    def _suggestion(self, name: str) -> str:
        near = get_close_matches(name, self.names, n=1)
        if near:
            return f"did you mean {near[0]!r}?"
        return f"choose from: {', '.join(self.names)}" if self.models else "the catalog is empty"


def _current_names(models: tuple[Model, ...]) -> dict[str, str]:
    """Each model's name by all the names that it has and had."""
    current = {model.name: model.name for model in models}
    for model in models:
        for former in model.formerly:
            other = current.setdefault(former, model.name)
            if other != model.name or former == model.name:
                problem = f"{former!r} cannot be a former name of {model.name!r}: it is one of {other!r}"
                raise ConfigError(problem, remedy="a name is of one model", field="formerly")
    return current


def _check_rate(key: str, usd_per_mtok: float | None) -> None:
    if usd_per_mtok is None:
        return
    if not (math.isfinite(usd_per_mtok) and usd_per_mtok >= 0):
        raise PriceError(f"{usd_per_mtok} is not a price", remedy="give dollars per million tokens", field=key)


def _known(key: str, usd_per_mtok: float | None) -> float:
    if usd_per_mtok is None:
        raise PriceError(_UNKNOWN, remedy=_UNKNOWN_REMEDY, field=key)
    return usd_per_mtok


def _or(usd_per_mtok: float | None, default: float) -> float:
    return default if usd_per_mtok is None else usd_per_mtok
