"""Frozen records of one request, in the order they come to be: asked, decided, served, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as billed.

    Attributes:
        input_tokens: the whole prompt, cached and cache-written tokens included.
        output_tokens: the whole answer, reasoning tokens included.
        cached_input_tokens: the part of the prompt read from the provider's cache.
        cache_write_tokens: the part of the prompt written to the provider's cache.
        reasoning_tokens: the part of the answer that is hidden reasoning.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request needs of a model and what its caller allows.

    Attributes:
        input_tokens: prompt length, an estimate.
        max_output_tokens: the caller's own limit on the answer, if any.
        tools: the request carries tools.
        vision: the request carries images.
        json: the request asks for JSON mode or a schema.
        streaming: the request asks for a stream.
        allowed: if not empty, only these models.
        denied: never these models.
        max_cost_usd: the most that the request may cost.
        max_latency_s: the longest it may be expected to take.
    """

    input_tokens: int
    max_output_tokens: int | None = None
    tools: bool = False
    vision: bool = False
    json: bool = False
    streaming: bool = False
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    max_cost_usd: float | None = None
    max_latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What the policy sees of a request.

    Attributes:
        task: name of its task class.
        features: encoded prompt, fixed width for one encoder version.
        input_tokens: prompt length, an estimate.
        encoder_version: which encoder made the features; evidence of two versions never mixes.
    """

    task: str
    features: tuple[float, ...] = ()
    input_tokens: int = 0
    encoder_version: str = "none"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one model is expected to do with one request.

    Attributes:
        quality: expected quality in [0, 1]; quality_sd its uncertainty.
        cost_usd: expected dollars.
        latency_s: expected seconds.
        output_tokens: expected tokens of the answer.
    """

    quality: float
    quality_sd: float
    cost_usd: float
    latency_s: float
    output_tokens: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Which model the policy drew for one request, with everything needed to evaluate the draw later.

    Attributes:
        decision_id: unique name of the decision.
        at: instant of the decision, seconds since the epoch.
        context: what the policy saw.
        chosen: the model that was drawn.
        propensity: probability with which it was drawn.
        propensities: that of every eligible model; they sum to one.
        excluded: why each other model was not eligible.
        forecasts: what was expected of each eligible model.
        shadow_prices: the price of one more budget-worth of dollars, in quality points, by budget.
        policy_version: which policy and settings decided.
    """

    decision_id: str
    at: float
    context: Context
    chosen: str
    propensity: float
    propensities: Mapping[str, float]
    excluded: Mapping[str, str]
    forecasts: Mapping[str, Forecast]
    shadow_prices: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    policy_version: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What serving a decision cost.

    Attributes:
        decision_id: the decision that was served.
        served: the model that answered, which after a fallback is not the chosen one.
        at: instant of completion, seconds since the epoch.
        usage: tokens as billed; None where the provider did not say.
        cost_usd: dollars as billed or computed from usage.
        latency_s: seconds from dispatch to the whole answer.
        ttft_s: seconds to the first content token, where streamed.
        ok: whether an answer was delivered.
    """

    decision_id: str
    served: str
    at: float
    usage: Usage | None
    cost_usd: float
    latency_s: float
    ttft_s: float | None = None
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Feedback:
    """How good an answer was.

    Attributes:
        decision_id: the decision that is judged.
        quality: in [0, 1].
        source: who or what judged.
        at: instant of the judgement, seconds since the epoch.
    """

    decision_id: str
    quality: float
    source: str = "user"
    at: float = 0.0
