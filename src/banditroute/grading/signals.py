"""What users do with an answer, as a quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from banditroute.errors import FeedbackError

_MOST_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Thumb:
    """A thumb, up or down."""

    up: bool


@dataclass(frozen=True, slots=True)
class Stars:
    """Stars, from 1 to `of`."""

    given: int
    of: int = 5


@dataclass(frozen=True, slots=True)
class Regenerated:
    """The user asked for another answer to the same request."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The user copied the answer, or took it over as it was."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The user took the answer over and changed it: what it was, and what became of it."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The user left within so many seconds of the answer, without another word."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """The user's next message says that the answer was wrong."""


Signal = Thumb | Stars | Regenerated | Copied | Edited | Abandoned | Corrected

_READ_S = 10.0  # who leaves sooner has hardly read it
_KINDS: Mapping[str, type[Signal]] = {
    "thumb": Thumb,
    "stars": Stars,
    "regenerated": Regenerated,
    "copied": Copied,
    "edited": Edited,
    "abandoned": Abandoned,
    "corrected": Corrected,
}


def source_of(signal: Signal) -> str:
    """The source under which it is recorded: user:thumb and so on."""
    return f"user:{type(signal).__name__.lower()}"


def quality_of(signal: Signal) -> float:
    """The quality in [0, 1] that a user's deed stands for; rules of thumb, to be weighed by `[trust] sources`.

    Raises:
        FeedbackError: its numbers are out of range.
    """
    match signal:
        case Thumb(up):
            return float(up)
        case Stars(given, of):
            if not 1 <= given <= of or of < 2:
                raise FeedbackError(f"{given} of {of} stars are not a number of stars", field="stars")
            return (given - 1) / (of - 1)
        case Regenerated():
            return 0.2
        case Corrected():
            return 0.1
        case Copied():
            return 1.0
        case Edited(before, after):
            return likeness(before, after)
        case Abandoned(after_s):
            if not after_s >= 0:
                raise FeedbackError(f"{after_s} is not a time in seconds", field="after_s")
            return 0.3 if after_s < _READ_S else 0.5


def signal_of(kind: str, **fields: object) -> Signal:
    """A signal by its kind's name: `signal_of("thumb", up=True)`.

    Raises:
        FeedbackError: there is no such kind, or it has other fields.
    """
    if kind not in _KINDS:
        raise FeedbackError(f"no signal is called {kind!r}", remedy=f"choose from: {', '.join(_KINDS)}", field="signal")
    try:
        return _KINDS[kind](**fields)  # type: ignore[arg-type]
    except TypeError as error:
        raise FeedbackError(f"{kind}: {error}", remedy="give the signal's own fields", field="signal") from None


def likeness(before: str, after: str) -> float:
    """How much of a text is left after it was edited, word by word, from 0 to 1; of long texts, the beginning."""
    kept, made = before.split()[:_MOST_WORDS], after.split()[:_MOST_WORDS]
    if not kept and not made:
        return 1.0
    return SequenceMatcher(None, kept, made, autojunk=False).ratio()
