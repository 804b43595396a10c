"""A stream in Anthropic's events: the provider's own where it speaks Anthropic, else written from OpenAI's pieces."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from banditroute.gateway.anthropic.blocks import BlockWriter, event
from banditroute.gateway.anthropic.errors import anthropic_error
from banditroute.gateway.anthropic.replies import message_head, stop_of, usage_of
from banditroute.gateway.anthropic.unfolding import events_of
from banditroute.gateway.refusals import Refusal
from banditroute.providers.reading import mapping, objects, word
from banditroute.records import Answer, Decision, Delta, Json

_PING = event({"type": "ping"})


class MessageEvents:
    """Writes one stream's events.

    Args:
        stops: the texts at which the answer was to stop.
    """

    def __init__(self, stops: Collection[str] = ()) -> None:
        self._stops = stops
        self._passing = False  # the provider's own events
        self._model = ""
        self._start = b""  # until it is written
        self._blocks = BlockWriter("")

    def begin(self, decision: Decision, model: str) -> None:
        """Takes note of what the stream is; how long the prompt is, is an estimate until the end."""
        self._model = model
        self._blocks = BlockWriter(decision.decision_id)
        usage = {"input_tokens": decision.context.input_tokens, "output_tokens": 0}
        head = message_head(decision.decision_id, model)
        message = {**head, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        self._start = event({"type": "message_start", "message": message}) + _PING

    def piece(self, delta: Delta) -> bytes:
        """The events of a piece; empty where it is nothing to the caller."""
        self._passing = self._passing or bool(delta.native)
        if self._passing:
            return b"".join(event(self._renamed(each)) for native in delta.native for each in _unfolded(native))
        return self._started() + self._written(delta)

    def end(self, answer: Answer) -> bytes:
        """The last events."""
        if self._passing:
            return b""
        delta = {"type": "message_delta", "delta": stop_of(answer, self._stops), "usage": usage_of(answer)}
        return self._started() + self._blocks.close() + event(delta) + event({"type": "message_stop"})

    def failure(self, refusal: Refusal) -> bytes:
        """The last event of a stream that broke off."""
        return event(anthropic_error(refusal))

    def _started(self) -> bytes:
        start, self._start = self._start, b""
        return start

    def _written(self, delta: Delta) -> bytes:
        blocks = self._blocks
        written = blocks.thinking(delta.reasoning) if delta.reasoning else b""
        if text := delta.text or _refusal(delta):
            written += blocks.text(text)
        for fragment in delta.tool_calls:
            written += blocks.call(fragment)
        return written

    def _renamed(self, native: Json) -> Json:
        if native.get("type") != "message_start":
            return native
        return {**native, "message": {**mapping(native.get("message")), "model": self._model}}


def _unfolded(native: Json) -> Iterable[Json]:
    return events_of(native) if native.get("type") == "message" else (native,)


def _refusal(delta: Delta) -> str:
    choices = objects(delta.chunk.get("choices"))
    return word(mapping(choices[0].get("delta")).get("refusal")) if choices else ""
