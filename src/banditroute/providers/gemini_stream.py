"""A stream of Gemini's streamGenerateContent, read event by event."""

from __future__ import annotations

from banditroute.errors import BrokenReplyError, CutStreamError, ProviderError
from banditroute.providers.canonical_reply import Chunks, completion
from banditroute.providers.gemini_failures import error_object
from banditroute.providers.gemini_reply import Answer, block_reason, parts, read_usage, refusal, response_id
from banditroute.providers.piecewise import Piecewise
from banditroute.providers.reading import count, json_object, listing, mapping
from banditroute.providers.sse import ServerSentEvent
from banditroute.records import Completion, Delta, Json, Usage


class GeminiReader:
    """Reads one stream; having no end of its own, it is whole once every candidate has said why it ended."""

    __slots__ = ("_answers", "_blocked", "_chunks", "_reported", "_stream", "_usage")

    def __init__(self) -> None:
        self._stream = Piecewise()
        self._chunks = Chunks("", "")
        self._answers: dict[int, Answer] = {}
        self._blocked: str | None = None
        self._usage: Usage | None = None
        self._reported = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: an error has been read, or the answer's end and its usage."""
        return self._reported or self._stream.failure is not None

    def feed(self, data: bytes) -> list[Delta]:
        """The pieces that became whole with these bytes; an error that comes behind some is raised by the next call.

        Raises:
            ProviderError: the stream carries an error, or is not what the protocol says.
        """
        return self._stream.feed(data, self._read)

    def close(self) -> Completion:
        """The whole answer.

        Raises:
            CutStreamError: the end has not been read.
            ProviderError: an error was read.
        """
        self._stream.check()
        if not self._ended():
            raise self._why_cut()
        return self.partial()

    def partial(self) -> Completion:
        """What has arrived; the usage is what had been counted when it was last reported."""
        answers = [answer.choice() for _, answer in sorted(self._answers.items())] or [Answer().choice()]
        choices = answers if self._blocked is None else [refusal(self._blocked)]
        chunks = self._chunks
        return completion(choices, self._usage, response_id=chunks.response_id, model=chunks.model, created=0)

    def _read(self, event: ServerSentEvent, deltas: list[Delta]) -> None:
        body = json_object(event.data, "an event of the stream")
        failure = error_object(body)
        if failure is not None:
            raise failure
        if not self._chunks.response_id:
            self._chunks = Chunks(response_id(body), str(body.get("modelVersion") or ""))
        self._block(block_reason(body), deltas)
        for candidate in listing(body.get("candidates")):
            self._grow(mapping(candidate), deltas)
        usage = read_usage(body)
        self._usage = usage or self._usage
        if usage is not None and self._ended():
            self._reported = True
            deltas.append(self._chunks.usage(usage))

    def _block(self, reason: str | None, deltas: list[Delta]) -> None:
        if reason is None or self._blocked is not None:
            return
        self._blocked = reason
        said = dict(refusal(reason).extras)
        deltas += [self._chunks.role(), self._chunks.delta(**said), self._chunks.finish("content_filter", reason)]

    def _grow(self, candidate: Json, deltas: list[Delta]) -> None:
        index = count(candidate.get("index")) or 0
        answer = self._answers.get(index)
        if answer is None:
            answer = self._answers[index] = Answer()
            deltas.append(self._chunks.role(index))
        for part in parts(candidate):
            added = answer.add(part, self._chunks.response_id)
            if added is not None:
                field, value = added
                deltas.append(self._chunks.delta(index=index, **{field: value}))
        native = candidate.get("finishReason")
        if native and answer.native is None:
            answer.finish(str(native))
            deltas.append(self._chunks.finish(answer.finish_reason or "stop", answer.native, index))

    def _ended(self) -> bool:
        if self._blocked is not None:
            return True
        return bool(self._answers) and all(answer.native for answer in self._answers.values())

    def _why_cut(self) -> ProviderError:
        # An error that came as plain JSON instead of as an event is left over in the parser.
        cut = CutStreamError("the stream ended without a finishReason")
        try:
            return error_object(json_object(self._stream.rest(), "the rest")) or cut
        except BrokenReplyError:
            return cut
