"""Reading a stream of chat completion chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from banditroute.errors import BrokenReplyError, CutStreamError, ProviderError
from banditroute.providers.openai_failures import inner_failure
from banditroute.providers.openai_pieces import ChoicePieces
from banditroute.providers.openai_reply import refused, usage_of
from banditroute.providers.piecewise import Piecewise
from banditroute.providers.reading import count, json_object, mapping, objects, word
from banditroute.providers.sse import ServerSentEvent
from banditroute.records import Completion, Delta, Json

_DONE = b"[DONE]"
_OWN_FIELDS = frozenset({"id", "object", "created", "model", "choices", "usage", "error", "obfuscation"})


class OpenAIReader:
    """Reads one stream, however its bytes are cut.

    `[DONE]` ends it. Several local servers leave that out: a stream that stops after every answer has said why it
    ended is whole too, as `close` finds out; `finished` waits for `[DONE]`, for the usage comes in between.

    An error inside the stream is raised once the pieces before it are handed over: by the same call where there are
    none, else by the next one. Until then `finished` is true, for nothing more will come.
    """

    __slots__ = ("_choices", "_cost_usd", "_done", "_extras", "_from_cache", "_head", "_stream", "_usage")

    def __init__(self, cost_usd: Callable[[Json], float | None], from_cache: Callable[[Json], bool]) -> None:
        self._cost_usd = cost_usd
        self._from_cache = from_cache
        self._stream = Piecewise()
        self._head: Json = {}
        self._choices: dict[int, ChoicePieces] = {}
        self._extras: dict[str, Any] = {}
        self._usage: Any = None
        self._done = False

    def feed(self, data: bytes) -> list[Delta]:
        """The pieces that became whole with these bytes; may be none.

        Raises:
            ProviderError: the stream carries an error, or is not what the protocol says.
        """
        return self._stream.feed(data, self._read)

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: the protocol's end, or an error, has been read."""
        return self._done or self._stream.failure is not None

    def close(self) -> Completion:
        """The whole answer, pieced together.

        Raises:
            CutStreamError: the protocol's end has not been read.
            ProviderError: the stream carried an error, or no answer.
        """
        self._stream.check()
        if not self._done and not self._every_choice_ended():
            raise self._why_cut()
        if not self._choices:
            raise BrokenReplyError("the stream carries no answer")
        return self.partial()

    def partial(self) -> Completion:
        """What has arrived so far, whether or not the end has; usage only where the provider already reported it."""
        first = self._choices.get(0) or next(iter(self._choices.values()), None) or ChoicePieces()
        body = self._body()
        return Completion(
            body=body,
            text=first.text,
            usage=usage_of(self._usage),
            finish_reason=first.finish_reason,
            tool_calls=first.tool_calls,
            refused=refused(first.message(), first.finish_reason),
            cost_usd=self._cost_usd(body),
            from_cache=self._from_cache(body),
        )

    def _read(self, event: ServerSentEvent, deltas: list[Delta]) -> None:
        if self._done:
            return
        if event.data.startswith(_DONE):
            self._done = True
        elif event.data.strip():
            deltas.append(self._delta(_chunk(event)))

    def _delta(self, chunk: Json) -> Delta:
        if not self._head and chunk.get("id"):
            self._head = chunk
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        for name in chunk.keys() - _OWN_FIELDS:
            if chunk[name] is not None:
                self._extras[name] = chunk[name]
        first = Delta(chunk)
        for choice in _choices(chunk):
            delta = self._add(choice, chunk)
            first = delta or first
        return first

    def _add(self, choice: Json, chunk: Json) -> Delta | None:
        index = count(choice.get("index")) or 0
        pieces = self._choices.get(index)
        if pieces is None:
            pieces = self._choices[index] = ChoicePieces()
        delta = mapping(choice.get("delta"))
        text, reasoning = pieces.add(delta, choice)
        if index:
            return None  # a caller who asked for several answers reads them from the chunk
        calls = objects(delta.get("tool_calls"))
        return Delta(chunk, text, reasoning, calls, word(choice.get("finish_reason")) or None)

    def _body(self) -> dict[str, Any]:
        return {
            "id": word(self._head.get("id")),
            "object": "chat.completion",
            "created": count(self._head.get("created")) or 0,
            "model": word(self._head.get("model")),
            "choices": [pieces.body(index) for index, pieces in sorted(self._choices.items())],
            "usage": self._usage,
            **self._extras,
        }

    def _every_choice_ended(self) -> bool:
        return bool(self._choices) and all(pieces.finish_reason for pieces in self._choices.values())

    def _why_cut(self) -> ProviderError:
        # An error that came as plain JSON instead of as an event is left over in the parser.
        try:
            rest = json_object(self._stream.rest(), "the rest")
        except BrokenReplyError:
            return CutStreamError("the stream ended before its end")
        return inner_failure(rest) or BrokenReplyError("the reply is not a stream")


def _chunk(event: ServerSentEvent) -> Json:
    try:
        chunk = orjson.loads(event.data)
    except orjson.JSONDecodeError:
        raise BrokenReplyError("an event of the stream is not JSON") from None
    if not isinstance(chunk, dict):
        raise BrokenReplyError("an event of the stream is not a JSON object")
    failure = inner_failure({"error": chunk} if event.event == "error" and "error" not in chunk else chunk)
    if failure is not None:
        raise failure
    return chunk


def _choices(chunk: Json) -> list[Json]:
    choices = chunk.get("choices")
    if choices is None:
        return []
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise BrokenReplyError("the choices of the stream are not a list of objects")
    return choices
