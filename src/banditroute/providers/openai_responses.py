"""OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses), for callers who speak it.

Nothing is translated: a request goes out and its answer comes back in the caller's own words; what is read here is what
an answer says, what it cost and how it ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from banditroute.errors import BrokenReplyError, CutStreamError, ProviderError, ServerFailedError
from banditroute.providers.canonical_reply import Choice, completion, tokens, tool_call
from banditroute.providers.openai_failures import inner_failure
from banditroute.providers.piecewise import Piecewise
from banditroute.providers.reading import count, json_object, mapping, objects, word
from banditroute.providers.sse import ServerSentEvent
from banditroute.records import Completion, Delta, Json, Usage

PATH = "/responses"

_TEXT = "response.output_text.delta"
_REASONING = frozenset({"response.reasoning_text.delta", "response.reasoning_summary_text.delta"})
_ARGUMENTS = "response.function_call_arguments.delta"
_ENDS = frozenset({"response.completed", "response.incomplete"})
_CUT_SHORT: Mapping[str, str] = {"max_output_tokens": "length", "content_filter": "content_filter"}


def read_response(body: Json) -> Completion:
    """The answer that a `response` object holds, itself kept as it is.

    Raises:
        BrokenReplyError: it is none, or one that is not at its end.
        ProviderError: it says that the model failed.
    """
    failure = inner_failure(body)
    if failure is not None:
        raise failure
    status = body.get("status", "completed")
    if body.get("object") != "response" or status not in ("completed", "incomplete"):
        raise BrokenReplyError(f"no whole response ({status})")
    return _answer(body)


def _answer(body: Json) -> Completion:
    items = objects(body.get("output"))
    calls = tuple(_call(item) for item in items if item.get("type") == "function_call")
    refusal = _said(items, "refusal", "refusal")
    choice = Choice(
        text=_said(items, "output_text", "text") or refusal,
        reasoning="".join(_summary(item) for item in items if item.get("type") == "reasoning"),
        tool_calls=calls,
        finish_reason=_finish_reason(body, calls=bool(calls)),
        refused=bool(refusal),
    )
    found = completion(
        [choice],
        read_usage(body.get("usage")),
        response_id=word(body.get("id")),
        model=word(body.get("model")),
        created=count(body.get("created_at")) or 0,
    )
    return replace(found, native=body)


def read_usage(usage: object) -> Usage | None:
    """Tokens as billed; None where they are not reported."""
    said = mapping(usage)
    prompt, output = count(said.get("input_tokens")), count(said.get("output_tokens"))
    if prompt is None or output is None:
        return None
    details = mapping(said.get("input_tokens_details"))
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cached_input_tokens=min(tokens(details, "cached_tokens"), prompt),
        cache_write_tokens=min(tokens(details, "cache_write_tokens"), prompt),
        reasoning_tokens=min(tokens(mapping(said.get("output_tokens_details")), "reasoning_tokens"), output),
    )


class ResponsesReader:
    """Reads one stream of events, each of which is one piece, however its bytes are cut."""

    __slots__ = ("_response", "_stream", "_text")

    def __init__(self) -> None:
        self._stream = Piecewise()
        self._response: Json | None = None
        self._text: list[str] = []

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: the response's end, or an error, has been read."""
        return self._response is not None or self._stream.failure is not None

    def feed(self, data: bytes) -> list[Delta]:
        """The pieces that became whole with these bytes; an error that comes behind some is raised by the next call.

        Raises:
            ProviderError: the stream carries an error event, or is not what the protocol says.
        """
        return self._stream.feed(data, self._read_event)

    def close(self) -> Completion:
        """The whole answer.

        Raises:
            CutStreamError: the end has not been read.
            ProviderError: an error was read.
        """
        self._stream.check()
        if self._response is None:
            raise CutStreamError("the stream ended before response.completed")
        return read_response(self._response)

    def partial(self) -> Completion:
        """What has arrived so far; of a last event that is no whole response, its usage and the text before it."""
        text, last = "".join(self._text), mapping(self._response)
        if last.get("output"):
            return _answer(last)
        return completion([Choice(text)], read_usage(last.get("usage")), response_id="", model="", created=0)

    def _read_event(self, event: ServerSentEvent, deltas: list[Delta]) -> None:
        if not event.data.startswith(b"[DONE]"):  # chat completions' mark, with which some servers end here too
            deltas.append(self._read(json_object(event.data, "an event of the stream")))

    def _read(self, body: Json) -> Delta:
        kind, piece = word(body.get("type")), word(body.get("delta"))
        if kind == "error" or kind == "response.failed":
            raise _failed(body)
        if kind == _TEXT:
            self._text.append(piece)
            return Delta({}, text=piece, native=(body,))
        if kind in _REASONING:
            return Delta({}, reasoning=piece, native=(body,))
        if kind == _ARGUMENTS:
            fragment = {"index": count(body.get("output_index")) or 0, "function": {"arguments": piece}}
            return Delta({}, tool_calls=(fragment,), native=(body,))
        if kind in _ENDS:
            self._response = mapping(body.get("response"))
        return Delta({}, native=(body,))


def _failed(body: Json) -> ProviderError:
    said = mapping(body.get("response")) or {"error": body}
    return inner_failure(said) or ServerFailedError("the model failed while it answered")


def _finish_reason(body: Json, *, calls: bool) -> str:
    if body.get("status") == "incomplete":
        return _CUT_SHORT.get(word(mapping(body.get("incomplete_details")).get("reason")), "length")
    return "tool_calls" if calls else "stop"


def _said(items: tuple[Json, ...], kind: str, field: str) -> str:
    return "".join(word(part.get(field)) for part in _parts(items) if part.get("type") == kind)


def _parts(items: tuple[Json, ...]) -> Iterator[Json]:
    for item in items:
        if item.get("type") == "message":
            yield from objects(item.get("content"))


def _summary(item: Json) -> str:
    parts = (*objects(item.get("summary")), *objects(item.get("content")))
    return "".join(word(part.get("text")) for part in parts)


def _call(item: Json) -> Json:
    return tool_call(word(item.get("call_id")), word(item.get("name")), word(item.get("arguments")))
