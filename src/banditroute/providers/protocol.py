"""The seam between a provider's protocol and the network: what to send, and what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from banditroute.errors import ProviderError
from banditroute.providers.ratelimits import RateLimits
from banditroute.records import ChatRequest, Completion, Delta, EmbeddingRequest, Embeddings


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A POST that is ready to go.

    Attributes:
        path: what follows the provider's base URL, with its leading slash.
        headers: every header that the protocol needs, the key's included.
        body: JSON bytes.
        reader: reads the stream that answers it; None = what reads the provider's other streams.
        completion: reads the whole reply that answers it; None = what reads the provider's other replies.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    reader: Callable[[], StreamReader] | None = None
    completion: Callable[[WireReply, float], Completion] | None = None


@dataclass(frozen=True, slots=True)
class WireReply:
    """A reply that is whole.

    Attributes:
        status: HTTP status.
        headers: looked up without regard to case (or all in lower case).
        body: the bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class StreamReader(Protocol):
    """Reads one stream, however its bytes are cut.

    Pieces that came before an error, though in the same bytes, are handed over first: the error is then raised by the
    next call, be it `feed` or `close`, and `finished` stays true.
    """

    def feed(self, data: bytes) -> list[Delta]:
        """The pieces that became whole with these bytes; may be none.

        Raises:
            ProviderError: the stream carries an error event, or is not what the protocol says.
        """
        ...

    @property
    def finished(self) -> bool:
        """Whether nothing more will come: the protocol's end, or an error, has been read."""
        ...

    def close(self) -> Completion:
        """The whole answer, pieced together.

        Raises:
            CutStreamError: the protocol's end has not been read.
            ProviderError: the stream carried an error, or no answer.
        """
        ...

    def partial(self) -> Completion:
        """What has arrived so far, whether or not the end has; usage only where the provider already reported it."""
        ...


class Provider(Protocol):
    """One provider's protocol."""

    def chat(self, request: ChatRequest, *, model: str, key: str | None, stream: bool) -> WireRequest:
        """The call that asks an upstream model.

        Raises:
            UnfitError: the protocol has no way to ask this.
        """
        ...

    def completion(self, reply: WireReply, now: float) -> Completion:
        """The answer in a reply that is not a stream.

        Raises:
            ProviderError: the reply is a failure (whatever its status) or not what the protocol says.
        """
        ...

    def reader(self) -> StreamReader:
        """A reader for one stream."""
        ...

    def failure(self, reply: WireReply, now: float) -> ProviderError:
        """The error that a reply with a status of 400 or more stands for; now is seconds since the epoch."""
        ...

    def embed(self, request: EmbeddingRequest, *, model: str, key: str | None) -> WireRequest:
        """The call that asks an upstream model for embeddings.

        Raises:
            UnfitError: the protocol has no embeddings.
        """
        ...

    def embeddings(self, reply: WireReply, now: float) -> Embeddings:
        """The embeddings in a reply.

        Raises:
            ProviderError: the reply is a failure or not what the protocol says.
        """
        ...

    def rate_limits(self, headers: Mapping[str, str], now: float) -> RateLimits | None:
        """What a reply's headers say of the key's rate limits; None where they say nothing."""
        ...
