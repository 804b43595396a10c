"""What holds of every provider's stream reader: however the bytes are cut, it reads the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from banditroute.errors import ProviderError
from banditroute.providers.protocol import Provider
from banditroute.records import Completion, Delta


class Heard(NamedTuple):
    """All that a reader tells of a stream.

    Attributes:
        deltas: the pieces; finished: whether the protocol's end was read.
        partial: what had arrived at the end.
        end: the whole answer, or the kind and the words of the error in its place.
    """

    deltas: list[Delta]
    finished: bool
    partial: Completion
    end: Completion | tuple[type[ProviderError], str]


def hear(provider: Provider, reads: Iterable[bytes]) -> Heard:
    """What a fresh reader tells of a stream that comes in these reads."""
    reader = provider.reader()
    deltas: list[Delta] = []
    try:
        for data in reads:
            deltas += reader.feed(data)
        end: Completion | tuple[type[ProviderError], str] = reader.close()
    except ProviderError as failure:
        end = (type(failure), str(failure))
    return Heard(deltas, reader.finished, reader.partial(), end)


def cut(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    """A stream in pieces, cut at these places, in any order; those beyond its end cut nothing off."""
    at = [0, *sorted(min(place, len(stream)) for place in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(at)]


def check_every_cut(provider: Provider, stream: bytes) -> Heard:
    """What the whole stream tells, once each cut in two, and byte by byte, has told the same.

    Raises:
        AssertionError: a cut changes what is read.
    """
    whole = hear(provider, [stream])
    for place in range(1, len(stream)):
        assert hear(provider, cut(stream, [place])) == whole, f"cut at byte {place}"
    assert hear(provider, (stream[at : at + 1] for at in range(len(stream)))) == whole, "byte by byte"
    return whole
