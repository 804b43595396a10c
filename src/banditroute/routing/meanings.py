"""What names a task class, as a fingerprint: where it has changed since evidence was learned, so may the class have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

_LENGTH = 16
_NAME = "meaning:"


@dataclass(frozen=True, slots=True)
class Meanings:
    """How classes are named.

    Attributes:
        by_class: a fingerprint of what names each; classes that only callers name have none.
        refuse: whether a router refuses to start where one has changed.
    """

    by_class: Mapping[str, str] = field(default_factory=dict[str, str])
    refuse: bool = False

    def changed(self, known: Mapping[str, str], learned: Collection[str]) -> tuple[str, ...]:
        """The classes that something was learned of while they were named otherwise, sorted.

        Args:
            known: the fingerprints that were kept; none at all = of before any were.
            learned: the classes that something is known of.
        """
        if not known:
            return ()
        return tuple(sorted(task for task, now in self.by_class.items() if task in learned and known.get(task) != now))


def fingerprint(*parts: object) -> str:
    """A short text that is another one where any part is."""
    return sha256(repr(parts).encode(errors="surrogatepass")).hexdigest()[:_LENGTH]


def kept_name(task: str) -> str:
    """What a class's fingerprint is kept under, among the switches: like theirs, its last word counts."""
    return f"{_NAME}{task}"


def kept_meanings(kept: Mapping[str, str]) -> dict[str, str]:
    """The fingerprints by class, of all that is kept by name."""
    return {name.removeprefix(_NAME): value for name, value in kept.items() if name.startswith(_NAME)}


def told(tasks: Collection[str]) -> str:
    """What to say of classes whose names have another meaning."""
    several = len(tasks) > 1
    return (
        f"{', '.join(tasks)}: what names {'these task classes' if several else 'this task class'} has changed since "
        f"{'they were' if several else 'it was'} learned of, so {'they' if several else 'it'} may mean something else"
    )


REMEDY = "what was learned counts on and is outvoted by what comes; give a class another name to begin it anew"
