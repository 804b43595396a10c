"""The router that a service embeds: decides, calls the model, learns from what came of it, keeps the budgets."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, cast

from banditroute.changes import Changes
from banditroute.delivery.exchange import Wire
from banditroute.delivery.pool import ClientPool
from banditroute.desk import Terms
from banditroute.errors import FeedbackError, InputError, InvalidRequestError, NotOpenError
from banditroute.flight import RequestFlight
from banditroute.grading.signals import Signal, quality_of, source_of
from banditroute.learner import Learner
from banditroute.observe import Observer, Reloaded, ReloadFailed
from banditroute.providers.reading import MOST_COUNTED
from banditroute.records import (
    Answer,
    Attempt,
    ChatRequest,
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
from banditroute.routing.catalog import AUTO, Catalog, Model, Price
from banditroute.routing.guards.switchboard import FROZEN, OFF
from banditroute.routing.lessons import checked_quality
from banditroute.routing.requests import chat_request, check_text, is_number
from banditroute.routing.tasks import EMBEDDINGS, JUDGE_TASK
from banditroute.serving import StreamServing
from banditroute.storage.finding import answers_of, named_by
from banditroute.storage.judging import judgeable
from banditroute.storage.protocol import Named, Trail
from banditroute.works import Works

Messages = str | Sequence[Json]

C = TypeVar("C", contravariant=True)
D = TypeVar("D")

_AUTO_JUDGE = f"{AUTO}:{JUDGE_TASK}"


class Configuration(Protocol):
    """What a router is made of, as `load_config` reads it."""

    @property
    def path(self) -> Path:
        """Its file."""
        ...

    @property
    def catalog(self) -> Catalog:
        """Its models."""
        ...


class Workshop(Protocol[C, D]):
    """Makes what serves requests, of one configuration after another."""

    @property
    def pool(self) -> ClientPool:
        """The connections."""
        ...

    @property
    def observer(self) -> Observer:
        """Is told what happens."""
        ...

    def read(self, config: str | Path | C | None) -> D:
        """A configuration, checked whole; None = the file of the one in force. May run in a thread."""
        ...

    def edited(self, edit: Callable[[Catalog], Catalog]) -> D:
        """The one in force with an edit of its models, checked whole. May run in a thread."""
        ...

    def put_in_force(self, draft: D, living: Sequence[Works]) -> tuple[Works, Changes]:
        """The works of what was read, which go on where the living stand; the last of these were in force."""
        ...


class _Expected(NamedTuple):
    """A decision whose call the caller makes: until when it may be recorded, and the models as it knew them."""

    expires_at: float
    catalog: Catalog


class Router:
    """Routes requests; one event loop, one owner. `open_router` builds one from a configuration file.

    Args:
        works: what serves requests, until others take their place.
        learner: what is learned and spent; opened and closed with the router.
        workshop: makes other works.
        clock: seconds since the epoch.
        record_within_s: how long dollars are held for a decision whose call the caller makes.
    """

    def __init__(
        self,
        works: Works,
        learner: Learner,
        workshop: Workshop[Any, Any],
        clock: Callable[[], float],
        record_within_s: float = 3600.0,
    ) -> None:
        self._works = works
        self._learner = learner
        self._workshop = workshop
        self._clock = clock
        self._record_within_s = record_within_s
        self._state: Literal["new", "open", "closed"] = "new"
        self._by_caller: OrderedDict[str, _Expected] = OrderedDict()
        self._former: list[Works] = []  # with requests on their way, oldest first
        self._changing = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()

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
        works = self.works
        for each in works:
            each.serving.close()
        try:
            await self._stop_retiring()
            for each in works:
                await each.serving.stop_grading()
            for each in works:
                await each.hang_up()
            await self._workshop.pool.aclose()
            for each in works:
                await each.serving.aclose()
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

    @property
    def observer(self) -> Observer:
        """Is told what happens, and tells whoever observes the router."""
        return self._workshop.observer

    @property
    def works(self) -> tuple[Works, ...]:
        """What serves requests: by the configuration in force, which is last, and by those before it that finish."""
        return (*self._former, self._works)

    async def chat(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        task: str | None = None,
        tenant: str = "",
        session_id: str | None = None,
        request_id: str | None = None,
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
            request_id: what you call the request: `feedback` takes it in the place of the decision's id.
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
        limits = max_cost_usd, max_latency_s, allowed, denied, timeout_s
        terms = Terms(model, task, tenant, session_id, features, *limits, expected, request_id)
        return await self.serve(chat_request(messages, params), terms)

    async def serve(self, request: ChatRequest, terms: Terms) -> Answer:
        """The same for who has a request already, none of whose fields is taken for one of the terms."""
        self._check(terms)
        return await self._works.serving.answer(request, terms)

    def stream(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        task: str | None = None,
        tenant: str = "",
        session_id: str | None = None,
        request_id: str | None = None,
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
        limits = max_cost_usd, max_latency_s, allowed, denied, timeout_s
        terms = Terms(model, task, tenant, session_id, features, *limits, expected, request_id)
        return self.serve_stream(chat_request(messages, params), terms)

    def serve_stream(self, request: ChatRequest, terms: Terms) -> RoutedStream:
        """The same for who has a request already, none of whose fields is taken for one of the terms."""
        self._check(terms)
        return RoutedStream(StreamServing(lambda: self._works.serving, request, terms))

    def decide(
        self,
        messages: Messages,
        *,
        model: str | None = None,
        task: str | None = None,
        tenant: str = "",
        session_id: str | None = None,
        request_id: str | None = None,
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
        limits = max_cost_usd, max_latency_s, allowed, denied
        terms = Terms(model, task, tenant, session_id, features, *limits, request_id=request_id)
        self._check(terms)
        request = chat_request(messages, params)
        flight = self._works.desk.decide(request, terms, self._record_within_s)
        self._works.serving.begin(request, flight, by_caller=True)
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
        model = self._recorded(decision, served or decision.chosen)
        _check_seconds(latency_s, "latency_s")
        if ttft_s is not None:
            _check_seconds(ttft_s, "ttft_s")
        if usage is not None and not isinstance(usage, Usage):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"expected a Usage, got {type(usage).__name__}", field="usage")
        if usage is not None and not 0 <= min(astuple(usage)) <= max(astuple(usage)) <= MOST_COUNTED:
            raise InputError(f"{usage} has a number of tokens that cannot be", field="usage")
        billed_usd = cost_usd
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
            attempts=() if ttft_s is None or not ok else (Attempt(model.name, latency_s, cost_usd, ttft_s=ttft_s),),
            billed_usd=billed_usd,
        )
        expected = self._by_caller.pop(decision.decision_id, None) is not None
        serving = self._works.serving
        serving.settle_soon(decision.decision_id, serving.record(decision, outcome, expected=expected))

    async def feedback(
        self,
        decision_id: str | None = None,
        *,
        request_id: str | None = None,
        session_id: str | None = None,
        every: bool = False,
        tenant: str | None = None,
        quality: float | None = None,
        signal: Signal | None = None,
        source: str | None = None,
        weight: float = 1.0,
        at: float | None = None,
    ) -> bool:
        """Takes in how good an answer was; written for good once returned.

        Returns False where that source already judged the decision: the first judgement counts.

        Args:
            decision_id: the decision that is judged; or else
            request_id: what its caller called the request: judged is the newest whole answer of that name; or else
            session_id: the conversation: judged is its newest whole answer.
            every: every answer of that name is judged, of its newest hundred decisions, each counting for its share, so
                that together they count as one.
            tenant: only what was asked on its behalf is looked for by name; None = anybody's.
            quality: from 0 to 1; or else
            signal: what a user did with the answer, such as Thumb(up=True).
            source: who or what judges; None = "user", and of a signal user:thumb and so on.
            weight: how much it counts for, from 0 to 1, beside what `[trust]` makes of its source.
            at: when it was judged, seconds since the epoch; None = now.

        Raises:
            FeedbackError: neither a quality from 0 to 1 nor a signal, or both; no decision, request or session, or
                several; the weight or instant is none.
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
        at = self._clock() if at is None else _checked_instant(at)
        share = _checked_weight(weight)
        decisions = await self._judged(decision_id, named_by(request_id, session_id, tenant), every=every)
        share /= len(decisions)
        return any([await self._learner.judge(Feedback(each, judged, source, at, share)) for each in decisions])

    async def _judged(self, decision_id: str | None, named: Named | None, *, every: bool) -> Sequence[str]:
        """The decisions that a judgement is of, every one of them settled."""
        if (decision_id is None) == (named is None):
            raise FeedbackError("expected one of decision_id, request_id and session_id", field="decision_id")
        serving = self._works.serving
        if named is not None:
            return await answers_of(self._learner.store, named, serving.settled, every=every)
        judged = cast("str", decision_id)
        await serving.settled(judged)
        return (judged,)

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
        await self._works.serving.settled(decision_id)
        trail = await self._learner.store.trail(decision_id)
        judgeable(decision_id, trail.outcome)
        return await self._works.serving.graded(trail.decision, request, completion, expected)

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
        terms = Terms(model, tenant=tenant, max_cost_usd=max_cost_usd, timeout_s=timeout_s)
        return await self.serve_embeddings(EmbeddingRequest(inputs, params), terms)

    async def serve_embeddings(self, request: EmbeddingRequest, terms: Terms) -> Embedded:
        """The same for who has a request already, none of whose fields is taken for one of the terms."""
        self._check_open()
        model = terms.model
        if model is None or self.catalog.current(model) is None:
            raise InvalidRequestError(
                f"no model is named {model!r}", remedy="embeddings need one by name", field="model"
            )
        if not request.inputs:
            raise InvalidRequestError("nothing to embed", remedy="give a text or a list of texts", field="input")
        features = (0.0,) * self._learner.decider.beliefs.width  # no encoder is asked what an embedding is of
        return await self._works.serving.embed(request, replace(terms, task=EMBEDDINGS, features=features))

    async def reload(self, config: str | Path | Configuration | None = None) -> Changes:
        """Puts another configuration in force, between two requests; returns what is different.

        Requests on their way finish on what they began with. What was learned of models that stay, what is spent of
        caps and where paced budgets stand goes on; what a model was called before is in its `formerly`.

        Args:
            config: a router.toml, or what `load_config` made of one; None = the file that is in force, as it is now.

        Raises:
            ConfigError: it cannot be used, or has something that takes a restart; nothing is changed.
            MissingExtraError: it asks for what is not installed; nothing is changed.
            Exception: what a module of yours that it names raises as it is imported; nothing is changed.
        """
        return await self._put_in_force(lambda: self._workshop.read(config))

    async def add_model(self, model: Model) -> Changes:
        """Adds a model of a provider that is there; returns what is different.

        It lasts until the router ends or a file is reloaded: write it there as well, if it is to stay. So do the other
        edits of this kind.

        Raises:
            ConfigError: the name is taken, or there is no such provider; nothing is changed.
        """
        return await self._put_in_force(lambda: self._workshop.edited(lambda catalog: catalog.added(model)))

    async def remove_model(self, name: str) -> Changes:
        """Takes a model out; requests that it is answering are answered. What is known of it waits for its return.

        Raises:
            ConfigError: there is no such model, it is the last, or something else needs it; nothing is changed.
        """
        return await self._put_in_force(lambda: self._workshop.edited(lambda catalog: catalog.removed(name)))

    async def rename_model(self, name: str, to: str) -> Changes:
        """Gives a model another name, under which it keeps what is known of it; the old one goes on to be understood.

        Write `formerly` in the file too: what is learned from now on is on record under the new name.

        Raises:
            ConfigError: there is no such model, or the new name is taken; nothing is changed.
        """
        return await self._put_in_force(lambda: self._workshop.edited(lambda catalog: catalog.renamed(name, to)))

    async def reprice(self, name: str, price: Price) -> Changes:
        """Has a model cost something else from the next request on.

        Raises:
            ConfigError: there is no such model; nothing is changed.
        """
        return await self._put_in_force(lambda: self._workshop.edited(lambda catalog: catalog.with_price(name, price)))

    async def switch_to(self, model: str | None) -> None:
        """Has every request that names no model go to one while it can serve; None = the router chooses again.

        Caps, open circuits and what callers demand still hold. It acts at once, on other processes with the same store
        within half a minute, and outlives the process until it is said otherwise, here or by a change of `guard.only`.

        Raises:
            ConfigError: no model has that name.
            StoreError: it could not be written; in this process it holds all the same.
        """
        self._check_open()
        await self._learner.throw("only", "" if model is None else self.catalog[model].name)

    async def freeze(self) -> None:
        """Has nothing tried: the model that is expected to be best serves. What it shows is still learned.

        It acts, spreads and lasts as `switch_to` does, until `unfreeze` or a change of `guard.freeze`.

        Raises:
            StoreError: it could not be written; in this process it holds all the same.
        """
        self._check_open()
        await self._learner.throw("freeze", FROZEN)

    async def unfreeze(self) -> None:
        """Has models tried again that little is known of.

        Raises:
            StoreError: it could not be written; in this process it holds all the same.
        """
        self._check_open()
        await self._learner.throw("freeze", OFF)

    async def _put_in_force(self, draft: Callable[[], Any]) -> Changes:
        self._check_open()
        async with self._changing:
            try:
                drafted = await asyncio.to_thread(draft)
                self._check_open()
                works, changes = self._workshop.put_in_force(drafted, self.works)
            except Exception as error:  # raised again: a module that a file names may raise anything
                self._workshop.observer.notify(ReloadFailed.by(error))
                raise
            former, self._works = self._works, works
            self._former.append(former)
        retiring = asyncio.create_task(self._retire(former))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        self._workshop.observer.notify(Reloaded(changes))
        return changes

    async def _retire(self, works: Works) -> None:
        """Lets works go once nothing is under way there."""
        await works.serving.landed()
        await works.serving.stop_grading()
        self._former.remove(works)
        await works.hang_up(self._wires())
        await self._workshop.pool.keep({wire.client for wire in self._wires()})  # others may be in force by now

    def _wires(self) -> frozenset[Wire]:
        """The ways to every provider that some works may call."""
        return frozenset[Wire]().union(*(each.wires for each in self.works))

    async def _stop_retiring(self) -> None:
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)

    def _recorded(self, decision: Decision, name: str) -> Model:
        """The model of which a caller tells, at the price that it had when it was decided on, where that is known."""
        expected = self._by_caller.get(decision.decision_id)
        if expected is not None and name in expected.catalog:
            return expected.catalog[name]
        return self.catalog[self.catalog.current(name) or name]

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
        self._by_caller[flight.decision_id] = _Expected(flight.expires_at, self.catalog)
        while next(iter(self._by_caller.values())).expires_at < flight.decision.at:
            self._by_caller.popitem(last=False)


def _checked_weight(weight: float) -> float:
    if not is_number(weight) or not 0 <= weight <= 1:
        raise FeedbackError(f"{weight!r} is not a weight", remedy="give a number from 0 to 1", field="weight")
    return weight


def _checked_instant(at: float) -> float:
    if not is_number(at) or not 0 <= at < float("inf"):
        raise FeedbackError(f"{at!r} is not an instant", remedy="give seconds since the epoch", field="at")
    return at


def _check_seconds(amount: float, field: str) -> None:
    if not 0 <= amount < float("inf"):
        raise InputError(f"{amount} is not a time in seconds", field=field)
