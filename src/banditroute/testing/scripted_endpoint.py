"""A provider's live end that calls nobody: it answers from a script, and moves a clock on by what that takes."""

from __future__ import annotations

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from banditroute.delivery.clock import loop_time
from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.endpoint import Reply as Answer
from banditroute.delivery.streaming import AnswerStream
from banditroute.errors import CutStreamError, TimedOutError
from banditroute.providers.vectors import in_format
from banditroute.records import ChatRequest, Completion, Decision, Delta, EmbeddingRequest, Embeddings, Json, Usage
from banditroute.routing.requests import input_tokens
from banditroute.testing.manual_clock import ManualClock
from banditroute.testing.scripts import Asked, Reply, Script

decided: ContextVar[Decision | None] = ContextVar("decided", default=None)
"""The decision on whose behalf the current task asks."""

_SIGNS_PER_TOKEN = 4
_WORD = re.compile(r"\s*\S+\s*|\s+")


def _nothing() -> None:
    """Nobody wants to know."""


class ScriptedEndpoint(Endpoint):
    """Answers from a script.

    Args:
        script: says what.
        moments: the clock, which moves on by what a reply is to take.
        name_of: of an upstream model, its name in the catalog.
        args: as for `Endpoint`; so are settings.
    """

    def __init__(
        self, script: Script, moments: ManualClock, name_of: Callable[[str], str], *args: Any, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self._name_of = name_of
        self._script = script
        self._moments = moments

    async def chat(
        self, request: ChatRequest, *, model: str, deadline: float, on_sent: Callable[[], None] = _nothing
    ) -> Answer:
        """The answer that the script has."""
        on_sent()
        begun = self._moments()
        reply = self._script.reply(_asked(self._name_of(model), request, stream=False))
        await asyncio.sleep(0)
        self._take(begun, reply.latency_s, deadline, min(self._timeouts.whole_s, self._timeouts.total_s), "whole")
        return Answer(completion_of(reply, request, model, self._moments()), reply.latency_s, None)

    async def open_stream(
        self, request: ChatRequest, *, model: str, deadline: float, on_sent: Callable[[], None] = _nothing
    ) -> ScriptedStream:
        """The same in pieces."""
        on_sent()
        begun = self._moments()
        reply = self._script.reply(_asked(self._name_of(model), request, stream=True))
        await asyncio.sleep(0)
        first_s = reply.latency_s if reply.ttft_s is None else reply.ttft_s
        self._take(begun, first_s, deadline, self._timeouts.first_token_s, "first_token")
        completion = completion_of(reply, request, model, self._moments())

        def end() -> None:
            self._take(begun, reply.latency_s, deadline, self._timeouts.total_s, "total")

        return ScriptedStream(replace(reply, ttft_s=first_s), completion, end)

    async def embed(
        self, request: EmbeddingRequest, *, model: str, deadline: float, on_sent: Callable[[], None] = _nothing
    ) -> tuple[Embeddings, float]:
        """Embeddings that depend on the texts alone."""
        on_sent()
        begun, asked = self._moments(), _asked(self._name_of(model), request, stream=False)
        vectors = self._script.embedded(asked)
        await asyncio.sleep(0)
        self._take(begun, 0.0, deadline, self._timeouts.whole_s, "whole")
        rows = [
            {"object": "embedding", "index": index, "embedding": list(vector)} for index, vector in enumerate(vectors)
        ]
        tokens = _tokens(asked.prompt)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        body = {"object": "list", "model": model, "data": rows, "usage": usage}
        return in_format(Embeddings(body, Usage(tokens, 0)), request.params.get("encoding_format")), 0.0

    def _take(self, begun: float, needed_s: float, deadline: float, limit_s: float, phase: str) -> None:
        """Moves the clock on by what is needed, or by what there is of it.

        Raises:
            TimedOutError: that is less.
        """
        decision = decided.get()
        gone_s = 0.0 if decision is None else begun - decision.at
        left_s = deadline - loop_time() - gone_s
        if needed_s > min(left_s, limit_s):
            waited_s, phase = (limit_s, phase) if limit_s <= left_s else (max(left_s, 0.0), "deadline")
            self._moments.reach(begun + waited_s)
            raise TimedOutError(phase, waited_s)
        self._moments.reach(begun + needed_s)


class ScriptedStream(AnswerStream):
    """A scripted answer in pieces; of an `AnswerStream` it has the type and nothing else, for there is no connection.

    Args:
        reply: what the script has.
        completion: the whole answer.
        end: is called once all has come; may raise.
    """

    def __init__(self, reply: Reply, completion: Completion, end: Callable[[], None]) -> None:
        self.ttft_s = reply.ttft_s or 0.0
        self._reply = reply
        self._whole = completion
        self._end_of_it = end
        self._pieces = deque(_deltas(reply, completion))
        self._text = ""
        self._state = "open"

    async def __anext__(self) -> Delta:
        if self._state == "ended":
            raise StopAsyncIteration
        if self._state == "given up":
            raise CutStreamError("the stream was given up before its end")
        await asyncio.sleep(0)
        if self._pieces:
            delta = self._pieces.popleft()
            self._text += delta.text
            return delta
        self._finish()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends it; may be called again."""
        self._pieces.clear()
        if self._state == "open":
            self._state = "given up"

    @property
    def ready(self) -> bool:
        """Whether another piece is there already."""
        return bool(self._pieces)

    @property
    def completion(self) -> Completion:
        """The whole answer, once the stream has ended.

        Raises:
            CutStreamError: it has not, or not well.
        """
        if self._state != "ended":
            raise CutStreamError("the stream was not read to its end")
        return self._whole

    def partial(self) -> Completion:
        """What has arrived so far."""
        if self._state == "ended":
            return self._whole
        return Completion({}, self._text, None)

    @property
    def duration_s(self) -> float:
        """Seconds from dispatch to the end."""
        return self._reply.latency_s

    async def begin(self) -> None:
        """Nothing: the first content is there."""

    def _finish(self) -> None:
        self._state = "given up"
        if self._reply.breaks is not None:
            raise self._reply.breaks
        self._end_of_it()
        self._state = "ended"


def completion_of(reply: Reply, request: ChatRequest, model: str, now: float) -> Completion:
    """The answer as a provider that speaks OpenAI's protocol would have given it."""
    usage = reply.usage or Usage(input_tokens(request), _tokens(reply.text))
    calls = {"tool_calls": list(reply.tool_calls)} if reply.tool_calls else {}
    message = {"role": "assistant", "content": reply.text, **calls}
    body = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": int(now),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        "usage": {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        },
    }
    return Completion(body, reply.text, usage, reply.finish_reason, reply.tool_calls, cost_usd=reply.cost_usd)


def _deltas(reply: Reply, completion: Completion) -> list[Delta]:
    head = {**{name: completion.body[name] for name in ("id", "created", "model")}, "object": "chat.completion.chunk"}

    def chunk(delta: Json, finish_reason: str | None = None) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}

    pieces = [Delta(chunk({"content": word}), word) for word in _WORD.findall(reply.text)]
    calls = tuple({"index": index, **call} for index, call in enumerate(reply.tool_calls))
    if calls:
        pieces.append(Delta(chunk({"tool_calls": calls}), tool_calls=calls))
    if reply.breaks is None:
        pieces.append(Delta(chunk({}, reply.finish_reason), finish_reason=reply.finish_reason))
    return pieces


def _asked(model: str, request: ChatRequest | EmbeddingRequest, *, stream: bool) -> Asked:
    decision = decided.get()
    if decision is None:
        return Asked(model, request, stream=stream)
    return Asked(model, request, decision.context.task, stream, decision.decision_id)


def _tokens(text: str) -> int:
    return max(1, math.ceil(len(text) / _SIGNS_PER_TOKEN))
