"""The router for tests of code that embeds one: the real thing, but for who answers, the clock and where chance begins.

    async with scripted_router("Escrow is money held by a third party.") as router:
        answer = await router.chat("What is escrow?", task="qa")

Decisions, propensities, budgets, fallbacks, circuits, grades and what is learned are those of a live router with a
store in memory. Nothing is sent, written to disk or waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, Literal

from banditroute.assemble import decider_of
from banditroute.changes import Changes
from banditroute.config import RouterConfig
from banditroute.delivery.dispatch import Answered
from banditroute.delivery.streaming import AnswerStream
from banditroute.desk import Terms
from banditroute.flight import RequestFlight
from banditroute.learner import Learner
from banditroute.observe import Decided, Event, Judged, Observer, Settled
from banditroute.records import Answer, ChatRequest, Decision, Embedded, EmbeddingRequest, Feedback, Outcome
from banditroute.routed_stream import RoutedStream
from banditroute.router import Configuration, Messages, Router
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.requests import chat_request
from banditroute.serving import StreamServing
from banditroute.storage.memory import MemoryStore
from banditroute.testing.hermetic import SeededIds, hermetic, loaded, offline, own_names
from banditroute.testing.manual_clock import NOON, ManualClock
from banditroute.testing.scripted_endpoint import ScriptedEndpoint, decided
from banditroute.testing.scripts import Line, Script, prompt_of
from banditroute.workshop import Given, Outside, Workshop

_Config = str | Path | RouterConfig | None
_TERMS = frozenset(field.name for field in fields(Terms))


@dataclass(frozen=True, slots=True)
class Call:
    """What the code under test asked of the router, whatever came of it.

    Attributes:
        method: how it was asked; what asks with a request that is made already counts as chat, stream or embed.
        request: what is to be answered or embedded.
        terms: on which terms: task, tenant, model, budgets of the request.
    """

    method: Literal["chat", "stream", "embed", "decide"]
    request: ChatRequest | EmbeddingRequest
    terms: Terms

    @property
    def prompt(self) -> str:
        """What the last message says; of an embedding its inputs."""
        return prompt_of(self.request)


class Notes:
    """An observer that remembers; what was learned is solved at once, lest choices depend on how fast a machine is.

    Attributes:
        events: all that the router told.
        learner: whose beliefs are kept fresh, once there is one.
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self.events: list[Event] = []
        self.learner: Learner | None = None
        self._observer = observer

    def name_of(self, upstream: str) -> str:
        """What a model is called in the catalog, where it may have been added or renamed since."""
        models = () if self.learner is None else self.learner.decider.catalog
        return next((model.name for model in models if model.upstream == upstream), upstream)

    def notify(self, event: Event) -> None:
        """Takes note of an event."""
        self.events.append(event)
        if isinstance(event, Decided):
            decided.set(event.decision)
        elif isinstance(event, Settled | Judged) and self.learner is not None and self.learner.decider.refresh_due:
            self.learner.decider.refresh()
        if self._observer is not None:
            self._observer.notify(event)


class _Streaming(StreamServing):
    """Says on whose behalf a stream is opened, which may be elsewhere than where it was decided on."""

    async def open_stream(self, flight: RequestFlight) -> Answered[AnswerStream]:
        decided.set(flight.decision)
        return await super().open_stream(flight)


class ScriptedRouter(Router):
    """A router whose models say what a script says; `scripted_router` makes one.

    Args:
        workshop: makes what serves requests.
        script: what models say.
        clock: stands still but for the seconds that replies are to take.
        notes: what the router tells.
        prepared: of a configuration, one that reaches nothing outside; of None, of the first.

    Attributes:
        calls: what the code under test asked, in order, refused requests included.
        script: what models say, and what they were asked; change it at any time.
        clock: the router's; `advance` it to see a budget's window end or a circuit close.
    """

    def __init__(
        self,
        workshop: Workshop,
        script: Script,
        clock: ManualClock,
        notes: Notes,
        prepared: Callable[[_Config], RouterConfig],
    ) -> None:
        super().__init__(workshop.first(), workshop.learner, workshop, clock)
        self.calls: list[Call] = []
        self.script = script
        self.clock = clock
        self._notes = notes
        self._prepared = prepared

    @property
    def events(self) -> tuple[Event, ...]:
        """All that the router told of itself, in order."""
        return tuple(self._notes.events)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What was decided, in order; what took the place of a model that had failed left out."""
        told = self._notes.events
        return tuple(event.decision for event in told if isinstance(event, Decided) and not event.fallback_from)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What came of decisions, in the order in which they were settled."""
        return tuple(event.outcome for event in self._notes.events if isinstance(event, Settled))

    @property
    def judgements(self) -> tuple[Feedback, ...]:
        """Feedback that was taken in, graders' too, in order."""
        return tuple(event.feedback for event in self._notes.events if isinstance(event, Judged))

    async def serve(self, request: ChatRequest, terms: Terms) -> Answer:
        """As `Router.serve`, on record in `calls`."""
        self.calls.append(Call("chat", request, terms))
        return await super().serve(request, terms)

    def serve_stream(self, request: ChatRequest, terms: Terms) -> RoutedStream:
        """As `Router.serve_stream`, on record in `calls`."""
        self.calls.append(Call("stream", request, terms))
        self._check(terms)
        return RoutedStream(_Streaming(lambda: self._works.serving, request, terms))

    async def serve_embeddings(self, request: EmbeddingRequest, terms: Terms) -> Embedded:
        """As `Router.serve_embeddings`, on record in `calls`."""
        self.calls.append(Call("embed", request, terms))
        return await super().serve_embeddings(request, terms)

    def decide(self, messages: Messages, **given: Any) -> Decision:
        """As `Router.decide`, on record in `calls`."""
        terms = {name: value for name, value in given.items() if name in _TERMS}
        params = {name: value for name, value in given.items() if name not in _TERMS}
        self.calls.append(Call("decide", chat_request(messages, params), Terms(**terms)))
        return super().decide(messages, **given)

    async def reload(self, config: str | Path | Configuration | None = None) -> Changes:
        """As `Router.reload`, and what comes into force reaches nothing outside either; None = the first file, anew."""
        if config is not None and not isinstance(config, str | Path | RouterConfig):
            raise TypeError("a configuration is a path or what load_config made of one")
        return await super().reload(self._prepared(config))


update_wrapper(ScriptedRouter.decide, Router.decide)  # so that whoever looks sees the router's own arguments


def scripted_router(
    replies: Line | Sequence[Line] = "ok",
    *,
    config: str | Path | RouterConfig | None = None,
    chooses: str | None = None,
    budgets: Sequence[Cap | PacedBudget] = (),
    seed: int = 0,
    at: float = NOON,
    observer: Observer | None = None,
) -> ScriptedRouter:
    """A router for tests, not open yet; `async with` it. The same seed and calls give the same decisions and names.

    Args:
        replies: what every model says: a text, a `Reply`, an error to raise, a function of what is asked, or a list of
            these, one for each request. `router.script.say` changes it, for one model or task class where wanted.
        config: a router.toml, or what `load_config` made of one, for its models, prices, budgets and settings; its keys
            are not asked for, and no provider is reached. None = two models, small and large.
        chooses: the model that serves whatever names none, as by `guard.only`; None = the router chooses.
        budgets: further ones; they hold as they do live.
        seed: chance begins here.
        at: the instant at which the clock stands, seconds since the epoch.
        observer: is told what happens as well.

    Raises:
        ConfigError: the configuration cannot be used.
    """

    def prepared(given: _Config) -> RouterConfig:
        found = offline(hermetic(loaded(config if given is None else given, budgets), seed))
        only = found.guard if chooses is None else replace(found.guard, only=found.catalog[chooses].name)
        return replace(found, catalog=own_names(found.catalog), guard=only)

    script, clock, notes = Script(replies), ManualClock(at), Notes(observer)

    def endpoint(*args: Any, **settings: Any) -> ScriptedEndpoint:
        return ScriptedEndpoint(script, clock, notes.name_of, *args, **settings)

    plan = prepared(None)
    store = MemoryStore(keep_prompts=plan.store.keep_prompts, clock=clock)
    outside = Outside(clock, SeededIds(seed), endpoint)
    workshop = Workshop(plan, {}, notes, Given(), store, decider_of, outside)
    notes.learner = workshop.learner
    return ScriptedRouter(workshop, script, clock, notes, prepared)
