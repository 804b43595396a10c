"""An answer of Gemini's generateContent, read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from banditroute.errors import BrokenReplyError
from banditroute.providers.canonical_reply import Choice, completion, tokens, tool_call
from banditroute.providers.reading import mapping
from banditroute.records import Completion, Json, Usage

_FINISH_REASONS: Mapping[str, str] = {"STOP": "stop", "MAX_TOKENS": "length"}
_REFUSALS = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
    | {"IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)
_BROKEN = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"}
    | {"MISSING_THOUGHT_SIGNATURE"}
)


class Answer:
    """One candidate as its parts come in."""

    __slots__ = ("_reasoning", "_text", "calls", "finish_reason", "native")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self.calls: list[Json] = []
        self.finish_reason: str | None = None
        self.native: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing of an answer has come."""
        return not (self._text or self.calls)

    def add(self, part: Json, response_id: str) -> tuple[str, Any] | None:
        """Takes one part; the field of OpenAI's delta that it adds to and what it adds, where it adds anything."""
        call = part.get("functionCall")
        if isinstance(call, Mapping):
            made = _call(call, part, response_id, len(self.calls))
            self.calls.append(made)
            return "tool_calls", [{"index": len(self.calls) - 1, **made}]
        text = part.get("text")
        if not isinstance(text, str) or not text:
            return None
        if part.get("thought"):
            self._reasoning.append(text)
            return "reasoning_content", text
        self._text.append(text)
        return "text", text

    def finish(self, native: str) -> None:
        """Takes the reason why it ended.

        Raises:
            BrokenReplyError: it is not an answer.
        """
        if native in _BROKEN or (self.empty and native not in _REFUSALS and native != "MAX_TOKENS"):
            raise BrokenReplyError(f"the model gave no usable answer ({native})", code=native)
        self.native = native
        self.finish_reason = _finish_reason(native, calls=bool(self.calls))

    def choice(self) -> Choice:
        """What has come."""
        return Choice(
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            tool_calls=tuple(self.calls),
            finish_reason=self.finish_reason,
            native_finish_reason=self.native,
            refused=self.finish_reason == "content_filter",
        )


def read_response(body: Json, *, created: int) -> Completion:
    """The answer that a response holds; a prompt that was blocked is an answer all the same.

    Raises:
        BrokenReplyError: it is not a response, or holds no answer.
    """
    blocked = block_reason(body)
    candidates = body.get("candidates")
    if blocked is not None:
        choices = [refusal(blocked)]
    elif isinstance(candidates, list) and candidates:
        choices = [_read(mapping(candidate), body) for candidate in candidates]
    else:
        raise BrokenReplyError("the reply has no candidates")
    return completion(
        choices,
        read_usage(body),
        response_id=response_id(body),
        model=str(body.get("modelVersion", "")),
        created=created,
    )


def block_reason(body: Json) -> str | None:
    """Why the prompt was blocked, if it was."""
    reason = mapping(body.get("promptFeedback")).get("blockReason")
    return str(reason) if reason else None


def refusal(reason: str) -> Choice:
    """The answer to a prompt that was blocked."""
    said = (("refusal", f"The prompt was blocked: {reason}"),)
    return Choice("", finish_reason="content_filter", native_finish_reason=reason, extras=said, refused=True)


def response_id(body: Json) -> str:
    """The reply's id."""
    return str(body.get("responseId") or "")


def parts(candidate: Json) -> list[Json]:
    """The parts of a candidate; one that only ends has none."""
    found = mapping(candidate.get("content")).get("parts")
    return [mapping(part) for part in found] if isinstance(found, list) else []


def read_usage(body: Json) -> Usage | None:
    """Tokens as billed; None where they are not reported.

    Gemini counts cached tokens within the prompt, what tools added to it apart, and thoughts apart from the answer.
    """
    usage = body.get("usageMetadata")
    if not isinstance(usage, Mapping):
        return None
    prompt = tokens(usage, "promptTokenCount") + tokens(usage, "toolUsePromptTokenCount")
    thoughts = tokens(usage, "thoughtsTokenCount")
    return Usage(
        input_tokens=prompt,
        output_tokens=tokens(usage, "candidatesTokenCount") + thoughts,
        cached_input_tokens=min(tokens(usage, "cachedContentTokenCount"), prompt),
        reasoning_tokens=thoughts,
    )


def _read(candidate: Json, body: Json) -> Choice:
    answer = Answer()
    for part in parts(candidate):
        answer.add(part, response_id(body))
    answer.finish(str(candidate.get("finishReason") or "STOP"))
    return answer.choice()


def _finish_reason(native: str, *, calls: bool) -> str:
    if native in _REFUSALS:
        return "content_filter"
    reason = _FINISH_REASONS.get(native, "stop")
    return "tool_calls" if calls and reason == "stop" else reason


def _call(call: Json, part: Json, reply_id: str, index: int) -> Json:
    name = str(call.get("name") or "")
    text = orjson.dumps(call.get("args") or {}).decode()
    made = tool_call(call.get("id") or _call_id(reply_id, index, name, text), name, text)
    signature = part.get("thoughtSignature")
    if signature:  # the model wants it back with the call; Google's own OpenAI endpoint puts it here
        made["extra_content"] = {"google": {"thought_signature": signature}}
    return made


def _call_id(*parts_of_it: Any) -> str:
    """An id for a call that came without: the same for the same call, another for any other."""
    return "call_" + hashlib.blake2s("\0".join(map(str, parts_of_it)).encode(), digest_size=12).hexdigest()
