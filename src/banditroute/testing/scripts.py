"""What scripted models say: texts, failures or functions of what they are asked, for each model and task."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from banditroute.errors import ProviderError
from banditroute.records import ChatRequest, EmbeddingRequest, Json, Usage


class ScriptEndedError(AssertionError):
    """A model was asked once more than the script has replies for.

    It is no BanditrouteError, so that neither the router nor the code under test takes it for a provider's failure.
    """


@dataclass(frozen=True, slots=True)
class Asked:
    """What one model was asked.

    Attributes:
        model: its name in the catalog.
        request: the request.
        task: its task class, as the router sees it.
        stream: whether the answer is to come in pieces.
        decision_id: the decision on whose behalf.
    """

    model: str
    request: ChatRequest | EmbeddingRequest
    task: str = ""
    stream: bool = False
    decision_id: str = ""

    @property
    def prompt(self) -> str:
        """What the last message says; of an embedding its inputs."""
        return prompt_of(self.request)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answers.

    Attributes:
        text: what it writes; a stream brings it word by word.
        latency_s: seconds that the answer is taken to have needed. Nobody waits: the router's clock moves on.
        ttft_s: of a stream, seconds to its first content; None = as latency_s.
        usage: tokens as billed; None = counted, about four signs to one.
        cost_usd: dollars as the provider states them; None = by the catalog's prices.
        finish_reason: why it ended.
        tool_calls: in OpenAI's shape, arguments whole.
        breaks: raised by a stream after its text, in place of its end.
    """

    text: str = ""
    latency_s: float = 0.0
    ttft_s: float | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    finish_reason: str = "stop"
    tool_calls: tuple[Json, ...] = ()
    breaks: ProviderError | None = None


Line = str | Reply | Exception | Callable[[Asked], "str | Reply | Exception"]
"""One reply: a text, more than that, a failure to raise, or a function that makes one of them."""


class Script:
    """Who says what; the replies for a model in a task come before those for the task, the model, and everybody.

    A single reply is given whenever it is asked for; of a list each is given once, in order.

    Args:
        replies: what everybody says of whom nothing else is said.

    Attributes:
        asked: what models were asked, in order, failures included.
        vectors: of a text, its embedding.
    """

    def __init__(self, replies: Line | Sequence[Line] = "ok") -> None:
        self.asked: list[Asked] = []
        self.vectors: Callable[[str], Sequence[float]] = _vector
        self._lines: dict[tuple[str, str], Line | deque[Line]] = {}
        self.say(replies)

    def say(self, replies: Line | Sequence[Line], *, model: str = "", task: str = "") -> None:
        """Has this be said from now on, in place of what was to be.

        Args:
            replies: a reply for every request, or a list of them, one each.
            model: who says it; empty = everybody.
            task: in which task class; empty = in all.
        """
        single = isinstance(replies, str) or not isinstance(replies, Sequence)
        self._lines[model, task] = cast("Line", replies) if single else deque(cast("Sequence[Line]", replies))

    def reply(self, asked: Asked) -> Reply:
        """What the model answers; raises what it is to fail with.

        Raises:
            ScriptEndedError: its replies are used up.
        """
        self.asked.append(asked)
        line = self._line(asked)
        said = line if isinstance(line, str | Reply | Exception) else line(asked)
        if isinstance(said, Exception):
            raise said
        return Reply(said) if isinstance(said, str) else said

    def embedded(self, asked: Asked) -> tuple[Sequence[float], ...]:
        """The embeddings of what the model was asked; raises what it is to fail with, and gives no other reply."""
        self.asked.append(asked)
        inputs = cast("EmbeddingRequest", asked.request).inputs
        line = self._lines.get((asked.model, asked.task)) or self._lines.get((asked.model, ""))
        if isinstance(line, Exception):
            raise line
        texts: Sequence[Any] = [inputs] if isinstance(inputs, str) else inputs
        return tuple(self.vectors(str(text)) for text in texts)

    def _line(self, asked: Asked) -> Line:
        for place in ((asked.model, asked.task), ("", asked.task), (asked.model, ""), ("", "")):
            lines = self._lines.get(place)
            if isinstance(lines, deque):
                if not lines:
                    raise ScriptEndedError(_ended(asked, *place))
                return lines.popleft()
            if lines is not None:
                return lines
        raise AssertionError("everybody has something to say")


def prompt_of(request: ChatRequest | EmbeddingRequest) -> str:
    """What the last message says, the texts of its parts joined; of an embedding its inputs."""
    if isinstance(request, EmbeddingRequest):
        inputs = request.inputs
        return inputs if isinstance(inputs, str) else "\n".join(map(str, inputs))
    content = request.messages[-1].get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _ended(asked: Asked, model: str, task: str) -> str:
    who = " ".join(part for part in (f"model {model!r}" if model else "", f"task {task!r}" if task else "") if part)
    return (
        f"the script has no reply left for {who or 'anybody'}: model {asked.model!r} is asked {asked.prompt[:80]!r}; "
        "give script.say(...) one more, or a single reply that always holds"
    )


def _vector(text: str) -> Sequence[float]:
    """A vector of length one that is the same for the same text, and as good as never for another."""
    signs = hashlib.sha256(text.encode()).digest()[:8]
    numbers = [sign / 127.5 - 1.0 for sign in signs]
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]
