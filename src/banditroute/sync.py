"""The router for code that does not await: Django views, scripts, notebooks.

`with open_router("router.toml") as router: router.chat("hello")`. The router lives on one background thread; any number
of threads may ask it at once, also such as run an event loop of their own, which stands still meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar
from weakref import WeakSet

from banditroute.assemble import open_router as open_async_router
from banditroute.background import LoopThread
from banditroute.changes import Changes
from banditroute.config import RouterConfig
from banditroute.desk import Terms
from banditroute.errors import NotOpenError
from banditroute.grading.signals import Signal
from banditroute.observe import Observer
from banditroute.records import (
    Answer,
    ChatRequest,
    Completion,
    Decision,
    Embedded,
    EmbeddingRequest,
    Grade,
    Usage,
)
from banditroute.router import Configuration, Messages, Router
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.requests import chat_request
from banditroute.routing.tasks import FeatureEncoder, TaskClassifier
from banditroute.storage.protocol import Trail
from banditroute.sync_stream import SyncStream

T = TypeVar("T")


def open_router(
    config: str | Path | RouterConfig,
    *,
    environ: Mapping[str, str] | None = None,
    observer: Observer | None = None,
    classifier: TaskClassifier | None = None,
    encoder: FeatureEncoder | None = None,
) -> SyncRouter:
    """The router that a configuration describes, for code that does not await; `with` it, or `open` and `close` it.

    Nothing is opened, written or started before that, so a process may make it and leave opening it to those that it
    forks. What observes it is told on the router's own thread.

    Args:
        config: the path of a router.toml, or what `load_config` made of one.
        environ: where the keys are; None = the process's environment.
        observer: is told what happens.
        classifier: names a request's task class where the caller does not; None = as the configuration says.
        encoder: what of a prompt the policy sees; None = as the configuration says.

    Raises:
        ConfigError: the configuration cannot be used, or a key's variable is not set; says which.
    """
    return SyncRouter(
        open_async_router(config, environ=environ, observer=observer, classifier=classifier, encoder=encoder)
    )


class SyncRouter:
    """Routes requests for any number of threads; every method does, takes and raises what `Router`'s of its name does.

    Args:
        router: does the work, on a thread that opening this one starts; nobody else may use it.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._state: Literal["new", "open", "closed"] = "new"
        self._changing = threading.Lock()
        self._thread: LoopThread | None = None

    def __enter__(self) -> SyncRouter:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> SyncRouter:
        """Starts the thread and opens the router; who does not close it has it closed as the interpreter ends.

        Raises:
            NotOpenError: it was opened before.
        """
        with self._changing:
            if self._state != "new":
                problem = "a router is opened once"
                raise NotOpenError(f"{problem}, and this one is {self._state}; make another with open_router(...)")
            thread = LoopThread("banditroute-router")
            try:
                thread.wait_for(self._router.__aenter__())
            except BaseException:
                thread.close()
                raise
            self._thread, self._state = thread, "open"
        _open.add(self)
        return self

    def close(self) -> None:
        """Writes what is still to be written and closes connections and store; a second call does nothing."""
        with self._changing:
            if self._state == "closed":
                return
            self._state, thread = "closed", self._thread
        _open.discard(self)
        if thread is None or not thread.is_ours:
            return
        try:
            thread.wait_for(self._router.aclose())
        finally:
            thread.close()

    @property
    def catalog(self) -> Catalog:
        """The models."""
        return self._router.catalog

    def chat(
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
        """The answer of the model that is worth its money: see `Router.chat`."""
        limits = max_cost_usd, max_latency_s, allowed, denied, timeout_s
        terms = Terms(model, task, tenant, session_id, features, *limits, expected, request_id)
        return self.serve(chat_request(messages, params), terms)

    def serve(self, request: ChatRequest, terms: Terms) -> Answer:
        """The same for who has a request already: see `Router.serve`."""
        return self._wait(lambda: self._router.serve(request, terms))

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
    ) -> SyncStream:
        """The same as it is written: `for delta in router.stream(...)`, or `with` it first to leave it early."""
        limits = max_cost_usd, max_latency_s, allowed, denied, timeout_s
        terms = Terms(model, task, tenant, session_id, features, *limits, expected, request_id)
        return self.serve_stream(chat_request(messages, params), terms)

    def serve_stream(self, request: ChatRequest, terms: Terms) -> SyncStream:
        """The same for who has a request already: see `Router.serve_stream`."""
        thread = self._running()
        return SyncStream(thread.call(lambda: self._router.serve_stream(request, terms)), thread)

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
        """Which model to call, for a caller with a client of its own: see `Router.decide`."""
        limits: dict[str, Any] = {"max_cost_usd": max_cost_usd, "max_latency_s": max_latency_s}
        named = {"task": task, "tenant": tenant, "session_id": session_id, "request_id": request_id}
        asked = {"model": model, **named, "features": features, **limits, "allowed": allowed, "denied": denied}
        return self._running().call(lambda: self._router.decide(messages, **asked, **params))

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
        """Takes in what came of a decision whose call the caller made: see `Router.record`."""
        told: dict[str, Any] = {"usage": usage, "latency_s": latency_s, "ttft_s": ttft_s}
        told |= {"cost_usd": cost_usd, "served": served, "ok": ok}
        self._running().call(lambda: self._router.record(decision, **told))

    def feedback(
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
        """Takes in how good an answer was: see `Router.feedback`."""
        about: dict[str, Any] = {"request_id": request_id, "session_id": session_id, "every": every, "tenant": tenant}
        verdict: dict[str, Any] = {"quality": quality, "signal": signal, "source": source, "weight": weight, "at": at}
        return self._wait(lambda: self._router.feedback(decision_id, **about, **verdict))

    def grade(
        self,
        decision_id: str,
        messages: Messages,
        answer: str | Completion,
        *,
        expected: str | None = None,
        **params: Any,
    ) -> tuple[Grade, ...]:
        """Has an answer graded that the caller's own client got: see `Router.grade`."""
        return self._wait(lambda: self._router.grade(decision_id, messages, answer, expected=expected, **params))

    def explain(self, decision_id: str) -> Trail:
        """Everything on record of a decision: see `Router.explain`."""
        return self._wait(lambda: self._router.explain(decision_id))

    def embed(
        self,
        inputs: Any,
        *,
        model: str,
        tenant: str = "",
        max_cost_usd: float | None = None,
        timeout_s: float | None = None,
        **params: Any,
    ) -> Embedded:
        """Embeddings by a model of the catalog: see `Router.embed`."""
        terms = Terms(model, tenant=tenant, max_cost_usd=max_cost_usd, timeout_s=timeout_s)
        return self.serve_embeddings(EmbeddingRequest(inputs, params), terms)

    def serve_embeddings(self, request: EmbeddingRequest, terms: Terms) -> Embedded:
        """The same for who has a request already: see `Router.serve_embeddings`."""
        return self._wait(lambda: self._router.serve_embeddings(request, terms))

    def reload(self, config: str | Path | Configuration | None = None) -> Changes:
        """Puts another configuration in force: see `Router.reload`."""
        return self._wait(lambda: self._router.reload(config))

    def add_model(self, model: Model) -> Changes:
        """Adds a model: see `Router.add_model`."""
        return self._wait(lambda: self._router.add_model(model))

    def remove_model(self, name: str) -> Changes:
        """Takes a model out: see `Router.remove_model`."""
        return self._wait(lambda: self._router.remove_model(name))

    def rename_model(self, name: str, to: str) -> Changes:
        """Gives a model another name: see `Router.rename_model`."""
        return self._wait(lambda: self._router.rename_model(name, to))

    def reprice(self, name: str, price: Price) -> Changes:
        """Has a model cost something else: see `Router.reprice`."""
        return self._wait(lambda: self._router.reprice(name, price))

    def switch_to(self, model: str | None) -> None:
        """Has every request that names no model go to one: see `Router.switch_to`."""
        self._wait(lambda: self._router.switch_to(model))

    def freeze(self) -> None:
        """Has nothing tried: see `Router.freeze`."""
        self._wait(self._router.freeze)

    def unfreeze(self) -> None:
        """Has models tried again: see `Router.unfreeze`."""
        self._wait(self._router.unfreeze)

    def _wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return self._running().wait_for(work())

    def _running(self) -> LoopThread:
        if self._thread is None:
            raise NotOpenError("the router is not open yet; use it inside `with`, or call its `open`")
        return self._thread


_open: WeakSet[SyncRouter] = WeakSet()


def _close_all() -> None:
    for router in list(_open):
        router.close()


# `atexit` comes too late: by then no executor takes work, and stores close on one.
threading._register_atexit(_close_all)  # pyright: ignore
