"""Frozen records of one request, in the order they come to be: asked, decided, served, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Json = Mapping[str, Any]
"""A JSON object as a provider or a caller wrote it: passed through, never a record of our own."""

_NOTHING: Mapping[str, float] = MappingProxyType({})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_NO_PARAMS: Json = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Native:
    """A chat request in its caller's own words, where these are another protocol's than OpenAI's.

    Attributes:
        protocol: whose words they are, the kind of a provider; such a provider is asked in these very words.
        body: every field but `model` and `stream`.
        headers: by their names in lower case, those of the caller's that say what its words mean.
        confined: why nobody else could be asked this, in one line; empty = OpenAI's shape says all of it too.
    """

    protocol: str
    body: Json
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    confined: str = ""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat request in OpenAI's shape, whichever provider will serve it.

    Attributes:
        messages: the conversation, each message as the caller wrote it.
        params: every other field of the body but `model` and `stream`; what is not known passes through untouched.
        native: the same as the caller wrote it, where that was in another shape.
    """

    messages: tuple[Json, ...]
    params: Json = field(default_factory=lambda: _NO_PARAMS)
    native: Native | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts to embed, in OpenAI's shape.

    Attributes:
        inputs: the value of `input` as the caller wrote it: a text, texts, or token ids.
        params: every other field of the body but `model`.
    """

    inputs: Any
    params: Json = field(default_factory=lambda: _NO_PARAMS)


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
class Completion:
    """A provider's whole answer, read.

    Attributes:
        body: the answer in OpenAI's `chat.completion` shape; the provider's own body where that is its shape.
        text: what the assistant wrote; empty where it only calls tools.
        usage: tokens as billed; None where the provider did not say.
        finish_reason: OpenAI's word for why the answer ended (stop, length, tool_calls, content_filter).
        tool_calls: OpenAI's `tool_calls`, arguments whole.
        refused: the provider or the model declined to answer; an answer all the same.
        cost_usd: dollars as the provider states them; None where it does not.
        from_cache: a response cache answered: neither its time nor its cost is the model's.
        native: the provider's own body, where it is an Anthropic `message` or OpenAI's `response`.
    """

    body: Json
    text: str
    usage: Usage | None
    finish_reason: str | None = None
    tool_calls: tuple[Json, ...] = ()
    refused: bool = False
    cost_usd: float | None = None
    from_cache: bool = False
    native: Json | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """One piece of a streamed answer.

    Attributes:
        chunk: the piece in OpenAI's `chat.completion.chunk` shape.
        text: content that it adds.
        reasoning: reasoning that it adds, where the provider shows it.
        tool_calls: fragments of tool calls that it adds, as in the chunk.
        finish_reason: why the answer ended, on the piece that says so.
        native: the provider's own events since the piece before, where they are Anthropic's (all but pings) or those of
            OpenAI's Responses API; of an answer that came whole its body.
    """

    chunk: Json
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[Json, ...] = ()
    finish_reason: str | None = None
    native: tuple[Json, ...] = ()

    @property
    def content(self) -> bool:
        """Whether the piece carries anything of the answer: a role, a ping or a usage report does not."""
        return bool(self.text or self.reasoning or self.tool_calls)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """A provider's embeddings.

    Attributes:
        body: the reply in OpenAI's shape, vectors as the caller asked for them (floats or base64).
        usage: tokens as billed; None where the provider did not say.
        cost_usd: dollars as the provider states them; None where it does not.
    """

    body: Json
    usage: Usage | None
    cost_usd: float | None = None


class Only(NamedTuple):
    """Whose models alone may serve a request: those of providers that speak a protocol; and why."""

    protocol: str
    because: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What a request needs of a model and what its caller allows.

    Attributes:
        input_tokens: prompt length, an estimate.
        max_output_tokens: the caller's own limit on each answer, if any.
        tools: the request carries tools.
        vision: the request carries images.
        json: the request asks for JSON mode or a schema.
        streaming: the request asks for a stream.
        allowed: if not empty, only these models.
        denied: never these models.
        max_cost_usd: the most that the request may cost.
        max_latency_s: the longest it may be expected to take.
        answers: how many answers are asked for at once.
        only: whose models alone have words for it; None = anybody's.
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
    answers: int = 1
    only: Only | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What the policy sees of a request.

    Attributes:
        task: name of its task class.
        features: encoded prompt, fixed width for one encoder version.
        input_tokens: prompt length, an estimate.
        encoder_version: which encoder made the features; evidence of two versions never mixes.
        likeliest: the likeliest named class, where it was not likely enough to be the task; otherwise empty.
        probability: how likely the class is, or the likeliest where there is one; 1 where the caller named it.
    """

    task: str
    features: tuple[float, ...] = ()
    input_tokens: int = 0
    encoder_version: str = "none"
    likeliest: str = ""
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one model is expected to do with one request.

    Attributes:
        quality: expected quality in [0, 1]; quality_sd its uncertainty.
        cost_usd: expected dollars.
        latency_s: expected seconds, as busy as it is where seconds were asked about, and else as if it were idle.
        output_tokens: expected tokens of the answer.
    """

    quality: float
    quality_sd: float
    cost_usd: float
    latency_s: float
    output_tokens: float


@dataclass(frozen=True, slots=True)
class ShadowDecision:
    """What a policy that decides beside the router would have chosen for one request; it calls nobody.

    Attributes:
        name: the policy, as the configuration calls it.
        chosen: the model that it drew.
        propensities: the probability of every model that was eligible for it; they sum to one.
        forecasts: what it expected of each of them.
        shadow_prices: as in a decision, of its own paced budgets.
        policy_version: its way to explore.
    """

    name: str
    chosen: str
    propensities: Mapping[str, float]
    forecasts: Mapping[str, Forecast]
    shadow_prices: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    policy_version: str = ""


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
        tenant: on whose behalf, where the caller said.
        pinned: the caller named the model; nothing was drawn.
        shadow: what a shadow would have chosen; None where none decided on it.
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
    tenant: str = ""
    pinned: bool = False
    shadow: ShadowDecision | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of one model on behalf of a decision.

    Attributes:
        model: which.
        duration_s: seconds from dispatch to the whole answer or the failure, waiting for a free connection left out.
        cost_usd: dollars that it cost, or is taken to have cost.
        failure: name of the error's class; empty = it answered. A time limit that is not the provider's stands behind
            it in brackets.
        problem: the error in one line.
        probe: it tested whether a model that had failed is back.
        hedge: it was a second call beside a slow first one.
        in_flight: other calls of the model that were under way when it began; None = nobody counted.
        slowdown: times the seconds of an idle model that this load was believed to ask for when the call ended.
        ttft_slowdown: the same of the first token.
        ttft_s: seconds from dispatch to the first content, where it streamed.
    """

    model: str
    duration_s: float
    cost_usd: float = 0.0
    failure: str = ""
    problem: str = ""
    probe: bool = False
    hedge: bool = False
    in_flight: int | None = None
    slowdown: float = 1.0
    ttft_slowdown: float = 1.0
    ttft_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What serving a decision cost.

    Attributes:
        decision_id: the decision that was served.
        served: the model that answered, which after a fallback is not the chosen one; empty where none did.
        at: instant of completion, seconds since the epoch.
        usage: tokens as billed; None where the provider did not say.
        cost_usd: dollars of all attempts, as billed or computed from usage.
        latency_s: seconds from the decision to the whole answer, failed attempts included.
        ttft_s: seconds to the first content token, where streamed.
        ok: whether a whole answer was delivered.
        estimated: the provider did not report usage, so tokens and dollars are estimates.
        from_cache: a response cache answered: neither time nor tokens are the model's.
        attempts: every call that was made, in order; where empty, `latency_s` is that of the one call.
        billed_usd: dollars of the answer as its provider states them; None where it does not.
    """

    decision_id: str
    served: str
    at: float
    usage: Usage | None
    cost_usd: float
    latency_s: float
    ttft_s: float | None = None
    ok: bool = True
    estimated: bool = False
    from_cache: bool = False
    attempts: tuple[Attempt, ...] = ()
    billed_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """How good an answer was.

    Attributes:
        decision_id: the decision that is judged.
        quality: in [0, 1].
        source: who or what judged.
        at: instant of the judgement, seconds since the epoch.
        weight: how much it counts for, against 1 for an observation that is trusted in full; in [0, 1].
    """

    decision_id: str
    quality: float
    source: str = "user"
    at: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """A model was found to be no longer what was learned of it.

    Attributes:
        at: when it came to light, seconds since the epoch.
        model: which model.
        signal: what changed: quality, output_tokens, latency_s, ttft_s, or price (dollars billed over dollars due).
        task: in which task class; empty = in all of them together.
        before: what was expected of it; after: what it is estimated to be now.
        seen: observations since it began to change, from which that is estimated.
        confidence: that it is no chance, in [0, 1): one less the rate, per observation, at which noise raises such an
            alarm.
    """

    at: float
    model: str
    signal: str
    task: str
    before: float
    after: float
    seen: int
    confidence: float

    @property
    def text(self) -> str:
        """The same in one line."""
        where = f" in {self.task}" if self.task else ""
        change = f"from {self.before:.3g} to {self.after:.3g}"
        return f"{self.model}: {self.signal}{where} moved {change}, by its last {self.seen} observations"


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to a router, for whoever asks the night after.

    Attributes:
        at: when, seconds since the epoch.
        kind: what it was, in one word: started, stopped, reloaded, price, circuit, newcomer, switch, alert and so on.
        about: whom it concerns: a model, provider, budget, task class or source; empty = the router as a whole.
        text: what happened, in one line; holds neither prompts nor keys.
        cause: why, in one line; empty = it has none, or none that is known.
        by: the process that noted it, where several share the store.
    """

    at: float
    kind: str
    about: str
    text: str
    cause: str = ""
    by: str = ""


AlertState = Literal["began", "goes on", "over", "happened"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that whoever runs a router should hear of, told once as it begins and once as it is over.

    Attributes:
        alert_id: one for all that is told of it from its beginning to its end.
        at: when this was told, seconds since the epoch.
        kind: what it is: budget, forecast, provider, model, drift, newcomer, feedback, store or reload.
        about: whom it concerns: a budget, provider, model, task class or source.
        state: it began, still goes on, or is over; or happened, which has no end.
        text: what is the case, in one line; holds neither prompts nor keys.
        cause: why, in one line.
        began_at: when it began, seconds since the epoch.
    """

    alert_id: str
    at: float
    kind: str
    about: str
    state: AlertState
    text: str
    cause: str
    began_at: float


class Grade(NamedTuple):
    """What a grader says of an answer: a quality in [0, 1], and the grader's name, its source."""

    quality: float
    source: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller gets.

    Attributes:
        decision_id: names the decision in feedback and logs.
        model: the model that answered, by its name in the catalog.
        text: what it wrote.
        task: the task class that the request was taken for.
        usage: tokens; estimated where `outcome.estimated`.
        cost_usd: dollars of all attempts.
        latency_s: seconds from the decision to the whole answer.
        completion: the provider's answer, read: finish reason, tool calls, whole body.
        decision: why this model.
        outcome: what is logged of serving it.
        recorded: the outcome is in the store for good; False where the store failed, which is then reported.
        grades: what the graders said that are asked before an answer is given.
    """

    decision_id: str
    model: str
    text: str
    task: str
    usage: Usage | None
    cost_usd: float
    latency_s: float
    completion: Completion
    decision: Decision
    outcome: Outcome
    recorded: bool = True
    grades: tuple[Grade, ...] = ()


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a caller gets who asked for embeddings.

    Attributes:
        decision_id: names the call in logs.
        model: the model that embedded, by its name in the catalog.
        embeddings: the provider's reply, read.
        cost_usd: dollars of all attempts; latency_s: seconds of them.
    """

    decision_id: str
    model: str
    embeddings: Embeddings
    cost_usd: float
    latency_s: float
