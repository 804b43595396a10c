"""What users do with an answer, as a quality."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from banditroute.errors import FeedbackError, meant
from banditroute.grading.likeness import likeness


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
_TAKES: Mapping[type[Signal], str] = {
    Thumb: "up, which is true or false",
    Stars: "given, a whole number from 1 to of; and of, how many there are, 5 where left out",
    Edited: "before and after, the text as it was and as it became",
    Abandoned: "after_s, seconds from 0 up",
}


def source_of(signal: Signal) -> str:
    """The source under which it is recorded: user:thumb and so on."""
    return f"user:{_kind_of(signal)}"


def quality_of(signal: Signal) -> float:
    """The quality in [0, 1] that a user's deed stands for; rules of thumb, to be weighed by `[trust] sources`.

    Raises:
        FeedbackError: its values are out of range, or of other types.
    """
    match signal:
        case Thumb(bool() as up):
            return float(up)
        case Stars(int() as given, int() as of) if 1 <= given <= of and of > 1 and given is not True:
            return (given - 1) / (of - 1)
        case Regenerated():
            return 0.2
        case Corrected():
            return 0.1
        case Copied():
            return 1.0
        case Edited(str() as before, str() as after):
            return likeness(before, after)
        case Abandoned(int() | float() as after_s) if 0 <= after_s < math.inf and not isinstance(after_s, bool):
            return 0.3 if after_s < _READ_S else 0.5
        case _:
            problem = f"these are no values of {_kind_of(signal)}"
            raise FeedbackError(problem, remedy=_takes(type(signal)), field="signal")


def signal_of(kind: str, **given: object) -> Signal:
    """A signal by its kind's name: `signal_of("thumb", up=True)`.

    Raises:
        FeedbackError: there is no such kind, or it has other fields.
    """
    known = _KINDS.get(kind)
    if known is None:
        remedy = f"{meant(kind, tuple(_KINDS))}choose from: {', '.join(_KINDS)}"
        raise FeedbackError(f"no signal is called {kind!r}", remedy=remedy, field="signal.kind")
    names = {each.name: each.default is MISSING for each in fields(known)}
    for name in given:
        if name not in names:
            raise FeedbackError(f"{kind} has no such field", remedy=_takes(known), field=f"signal.{name}")
    for name, needed in names.items():
        if needed and name not in given:
            raise FeedbackError(f"{kind} needs it", remedy=_takes(known), field=f"signal.{name}")
    return known(**given)  # type: ignore[arg-type]


def _takes(kind: type[Signal]) -> str:
    return f"it takes {_TAKES.get(kind, 'nothing else')}"


def _kind_of(signal: Signal) -> str:
    return type(signal).__name__.lower()
