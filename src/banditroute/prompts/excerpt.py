"""What of a request tells its task: the last user turn, and the frame that the system prompt sets; bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from banditroute.records import ChatRequest, Json

HEAD, TAIL = 1_600, 800
"""Characters of a long turn that are read: so many from its beginning, so many from its end."""

FRAME = 320
"""Characters of the system prompt that are read."""

_PARTS = 16
_FRAMING = ("system", "developer")


def excerpt_of(request: ChatRequest) -> str:
    """The text by which a request is classified; at most FRAME + HEAD + TAIL characters and two breaks."""
    turn = cut(_turn(request.messages))
    frame = _frame(request.messages)
    return f"{frame}\n\n{turn}" if frame and turn else frame or turn


def cut(text: str) -> str:
    """The text, or where it is long, its beginning and its end."""
    if len(text) <= HEAD + TAIL:
        return text
    return f"{text[:HEAD]}\n{text[-TAIL:]}"


def _turn(messages: Sequence[Json]) -> str:
    """What the user wrote last; what was written last, where nobody is the user."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return _text(message)
    return _text(messages[-1]) if messages[-1].get("role") not in _FRAMING else ""


def _frame(messages: Sequence[Json]) -> str:
    for message in messages:
        if message.get("role") in _FRAMING:
            return _text(message)[:FRAME]
    return ""


def _text(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(_parts(content)) if content else ""


def _parts(content: object) -> Iterator[str]:
    """The texts among the last parts of a message, each cut: there may be many, and long ones."""
    for part in cast("Sequence[Json]", content)[-_PARTS:]:
        text = part.get("text")
        if isinstance(text, str):
            yield cut(text)
