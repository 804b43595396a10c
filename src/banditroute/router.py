"""The router that a service embeds: decides, calls the model, learns from what came of it, keeps the budgets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple
from typing import Any, Literal, Protocol, cast

from banditroute.desk import Desk, Terms
from banditroute.errors import FeedbackError, InputError, InvalidRequestError, NotOpenError
from banditroute.flight import RequestFlight
from banditroute.grading.signals import Signal, quality_of, source_of
from banditroute.learner import Learner
from banditroute.providers.reading import MOST_COUNTED
from banditroute.records import (
    Answer,
    Completion,
    Decision,
    Embedded,
    EmbeddingRequest,
    Feedback,
    Grade,
    Json,
    Outcome,
    Usage,
)
from banditroute.routed_stream import RoutedStream
from banditroute.routing.catalog import AUTO, Catalog
from banditroute.routing.lessons import checked_quality
from banditroute.routing.requests import chat_request, check_text
from banditroute.routing.tasks import EMBEDDINGS, JUDGE_TASK
from banditroute.serving import Serving, StreamServing
from banditroute.storage.judging import judgeable
from banditroute.storage.protocol import Trail

Messages = str | Sequence[Json]

_AUTO_JUDGE = f"{AUTO}:{JUDGE_TASK}"


class Closing(Protocol):
    """Something that is closed when done with."""

    async def aclose(self) -> None:
        """Closes it; a second call does nothing."""
        ...


class Router:
    """Routes requests; one event loop, one owner. `open_router` builds one from a configuration file.

    Args:
        desk: decides.
        serving: serves what was decided.
        learner: what is learned and spent; opened and closed with the router.
        connections: what to close with the router, in this order: the providers' live ends, then what they share.
        clock: seconds since the epoch.
        record_within_s: how long dollars are held for a decision whose call the caller makes.
    """

    def __init__(
        self,
        desk: Desk,
        serving: Serving,
        learner: Learner,
        connections: Iterable[Closing],
        clock: Callable[[], float],
        record_within_s: float = 3600.0,
    ) -> None:
        self._desk = desk
        self._serving = serving
        self._learner = learner
        self._connections = tuple(connections)
        self._clock = clock
        self._record_within_s = record_within_s
        self._state: Literal["new", "open", "closed"] = "new"
        self._by_caller: OrderedDict[str, float] = OrderedDict()

    async def __aenter__(self) -> Router:
        if self._state != "new":
            problem = "a router is entered once"
            raise NotOpenError(f"{problem}, and this one is {self._state}; open another with open_router(...)")
        await self._learner.__aenter__()
        self._state = "open"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Writes what is still to be written and closes connections and store; a second call does nothing."""
        self._state = "closed"
        self._serving.close()
        try:
            await self._serving.stop_grading()
            for connection in self._connections:
                await connection.aclose()
            await self._serving.aclose()
        finally:
            await self._learner.aclose()

    @property
    def catalog(self) -> Catalog:
        """The models."""
        return self._learner.decider.catalog

    @property
    def learner(self) -> Learner:
        """What is learned and spent: its decider, ledger and store."""
        return self._learner

    async def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        task: str | None = None,
        tenant: str = "",
        session_id: str | None = None,
        features: Sequence[float] | None = None,
        max_cost_usd: float | None = None,
        max_latency_s: float | None = None,
        allowed: Iterable[str] = (),
        denied: Iterable[str] = (),
        timeout_s: float | None = None,
        expected: str | None = None,
        **params: Any,
    ) -> Answer:
        """The answer of the model that is worth its money; on record for good once returned.

        Args:
            messages: a text, or messages in OpenAI's shape.
            model: a name of the catalog pins it; None or "auto" lets the router choose, "auto:TASK" names the class.
            task: the task class; None = classified.
            tenant: on whose behalf: selects budgets.
            session_id: names the conversation, so that it stays with a model unless leaving is worth it.
            features: of the prompt, where the configuration says that callers give them.
            max_cost_usd: the most that this request may cost, in the worst case.
            max_latency_s: the longest it may be expected to take.
            allowed: if not empty, only these models.
            denied: never these models.
            timeout_s: its whole time, retries and fallbacks included; None = the configured deadline.
            expected: the right answer, where the caller knows it: graders hold the answer against it.
            params: every other field of the request passes through untouched.

        Raises:
            InvalidRequestError: no model could be asked this.
            NoEligibleModelError: no model may serve it; says why of each.
            BudgetExceededError: a cap is reached.
            RejectedError: a provider says that the request is wrong.
            UnansweredError: every attempt failed; a CoolingDownError where none was worth making, a DeadlineError where
                the request's time was up.
        """
        terms = Terms(
            model, task, tenant, session_id, features, max_cost_usd, max_latency_s, allowed, denied, timeout_s, expected
        )
        self._check(terms)
        return await self._serving.answer(chat_request(messages, params), terms)

    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        task: str | None = None,
        tenant: str = "",
        session_id: str | None = None,
        features: Sequence[float] | None = None,
        max_cost_usd: float | None = None,
        max_latency_s: float | None = None,
        allowed: Iterable[str] = (),
        denied: Iterable[str] = (),
        timeout_s: float | None = None,
        expected: str | None = None,
        **params: Any,
    ) -> RoutedStream:
        """The same as it is written: `async with router.stream(...) as stream: async for delta in stream`.

        A model that fails before its first content is replaced; one that fails after it raises BrokenStreamError.
        Arguments and errors are those of `chat`; they are raised on entering and iterating.
        """
        terms = Terms(
            model, task, tenant, session_id, features, max_cost_usd, max_latency_s, allowed, denied, timeout_s, expected
        )
        self._check(terms)
        return RoutedStream(StreamServing(self._serving, self._desk, chat_request(messages, params), terms))

    def decide(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        task: str | None = None,
        tenant: str = "",
        session_id: str | None = None,
        features: Sequence[float] | None = None,
        max_cost_usd: float | None = None,
        max_latency_s: float | None = None,
        allowed: Iterable[str] = (),
        denied: Iterable[str] = (),
        **params: Any,
    ) -> Decision:
        """Which model to call, for a caller with a client of its own; no I/O. Tell `record` what came of it.

        Arguments and errors are those of `chat`.
        """
        terms = Terms(model, task, tenant, session_id, features, max_cost_usd, max_latency_s, allowed, denied)
        self._check(terms)
        request = chat_request(messages, params)
        flight = self._desk.decide(request, terms, self._record_within_s)
        self._serving.begin(request, flight, by_caller=True)
        self._expect(flight)
        return flight.decision

    def record(
        self,
        decision: Decision,
        *,
        usage: Usage | None = None,
        latency_s: float,
        ttft_s: float | None = None,
        cost_usd: float | None = None,
        served: str | None = None,
        ok: bool = True,
    ) -> None:
        """Takes in what came of a decision whose call the caller made; queued, and written soon.

        Args:
            decision: what `decide` returned.
            usage: tokens as billed; without it nothing is learned of the answer's length.
            latency_s: seconds that the call took.
            ttft_s: seconds to the first content, where streamed.
            cost_usd: dollars as billed; None = computed from usage and the catalog's prices.
            served: the model that answered, where it was not the chosen one.
            ok: whether a whole answer came.

        Raises:
            ConfigError: no model is named `served`.
            InputError: an amount is negative or not a number.
        """
        self._check_open()
        model = self.catalog[served or decision.chosen]
        _check_seconds(latency_s, "latency_s")
        if ttft_s is not None:
            _check_seconds(ttft_s, "ttft_s")
        if usage is not None and not isinstance(usage, Usage):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"expected a Usage, got {type(usage).__name__}", field="usage")
        if usage is not None and not 0 <= min(astuple(usage)) <= max(astuple(usage)) <= MOST_COUNTED:
            raise InputError(f"{usage} has a number of tokens that cannot be", field="usage")
        if cost_usd is None:
            cost_usd = 0.0 if usage is None else model.price.cost_usd(usage)
        if not 0 <= cost_usd < float("inf"):
            raise InputError(f"{cost_usd} is not a cost in dollars", field="cost_usd")
        estimated = usage is None
        outcome = Outcome(
            decision.decision_id,
            model.name if ok else "",
            self._clock(),
            usage,
            cost_usd,
            latency_s,
            ttft_s,
            ok,
            estimated,
        )
        expected = self._by_caller.pop(decision.decision_id, None) is not None
        self._serving.settle_soon(decision.decision_id, self._serving.record(decision, outcome, expected=expected))

    async def feedback(
        self,
        decision_id: str,
        *,
        quality: float | None = None,
        signal: Signal | None = None,
        source: str | None = None,
    ) -> bool:
        """Takes in how good an answer was; written for good once returned.

        Returns False where that source already judged the decision: the first judgement counts.

        Args:
            decision_id: the decision that is judged.
            quality: from 0 to 1; or else
            signal: what a user did with the answer, such as Thumb(up=True).
            source: who or what judges; None = "user", and of a signal user:thumb and so on.

        Raises:
            FeedbackError: neither a quality from 0 to 1 nor a signal, or both.
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no whole answer (yet).
            StoreError: the judgement could not be written.
        """
        self._check_open()
        if (quality is None) == (signal is None):
            raise FeedbackError("give a quality, or a signal that stands for one", field="quality")
        if signal is not None:
            quality, source = quality_of(signal), source_of(signal) if source is None else source
        source = "user" if source is None else source
        check_text(source, "source")
        judged = checked_quality(cast("float", quality))
        await self._serving.settled(decision_id)
        return await self._learner.judge(Feedback(decision_id, judged, source, self._clock()))

    async def grade(
        self,
        decision_id: str,
        messages: Messages,
        answer: str | Completion,
        *,
        expected: str | None = None,
        **params: Any,
    ) -> tuple[Grade, ...]:
        """Has an answer graded that the caller's own client got, and the grades recorded: see `decide` and `record`.

        Returns what the graders say that are asked at once; the others follow in the background.

        Args:
            decision_id: the decision, its outcome recorded.
            messages: what was asked.
            answer: what was answered; a Completion also carries tool calls and why it ended.
            expected: the right answer, where the caller knows it.
            params: other fields of the request that graders look at, such as tools and response_format.

        Raises:
            InvalidRequestError: the messages are none.
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no whole answer (yet).
        """
        self._check_open()
        request = chat_request(messages, params)
        completion = Completion({}, answer, None) if isinstance(answer, str) else answer
        await self._serving.settled(decision_id)
        trail = await self._learner.store.trail(decision_id)
        judgeable(decision_id, trail.outcome)
        return await self._serving.graded(trail.decision, request, completion, expected)

    async def explain(self, decision_id: str) -> Trail:
        """Everything on record of a decision: why this model, what it cost, how it was judged.

        Raises:
            UnknownDecisionError: the decision is not on record.
        """
        self._check_open()
        return await self._learner.store.trail(decision_id)

    async def embed(
        self,
        inputs: Any,
        *,
        model: str,
        tenant: str = "",
        max_cost_usd: float | None = None,
        timeout_s: float | None = None,
        **params: Any,
    ) -> Embedded:
        """Embeddings by a model of the catalog, within the budgets; vectors of two models never mix, so none is chosen.

        Raises what `chat` raises.
        """
        self._check_open()
        if model not in self.catalog:
            raise InvalidRequestError(
                f"no model is named {model!r}", remedy="embeddings need one by name", field="model"
            )
        if not inputs:
            raise InvalidRequestError("nothing to embed", remedy="give a text or a list of texts", field="input")
        features = (0.0,) * self._learner.decider.width  # no encoder is asked what an embedding is of
        terms = Terms(model, EMBEDDINGS, tenant, features=features, max_cost_usd=max_cost_usd, timeout_s=timeout_s)
        return await self._serving.embed(EmbeddingRequest(inputs, params), terms)

    def _check(self, terms: Terms) -> None:
        self._check_open()
        if str(terms.task).startswith(JUDGE_TASK) or str(terms.model).startswith(_AUTO_JUDGE):
            problem = f"classes that begin with {JUDGE_TASK!r} are kept for judges"
            raise InvalidRequestError(problem, remedy="name the task otherwise", field="task")

    def _check_open(self) -> None:
        if self._state == "new":
            raise NotOpenError("the router is not open yet; use it inside `async with`")
        if self._state == "closed":
            raise NotOpenError("the router is closed; open another with open_router(...)")

    def _expect(self, flight: RequestFlight) -> None:
        """Remembers that the caller will record this decision, and forgets those whose time is over."""
        self._by_caller[flight.decision_id] = flight.expires_at
        while next(iter(self._by_caller.values())) < flight.decision.at:
            self._by_caller.popitem(last=False)


def _check_seconds(amount: float, field: str) -> None:
    if not 0 <= amount < float("inf"):
        raise InputError(f"{amount} is not a time in seconds", field=field)
