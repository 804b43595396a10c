"""Graders of users' own, found by module:name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import iscoroutinefunction, signature
from typing import Any, cast

from banditroute.errors import ConfigError
from banditroute.plugging import plugged

from .asking import quality_of
from .protocol import Item


@dataclass(frozen=True, slots=True)
class OwnGrader:
    """A grader of a user's own, under the name that the configuration gives it.

    What it is called by tells it from others, in every process alike.

    Attributes:
        name: the source of its grades.
        kind: where it stands, as module:name.
        options: what it is made or called with.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    _asked: Callable[[Item], object] = field(repr=False, compare=False)

    def grade(self, item: Item) -> float | None:
        """What it says.

        Raises:
            UngradableError: it cannot tell, fails, or says what is no quality.
        """
        return quality_of(self._asked, item)


def own_grader(kind: str, name: str, options: Mapping[str, Any]) -> OwnGrader:
    """The grader at module:name.

    What is found there is a class, which is made with the grader's name and the options; or an object with
    `grade(item)`, or a callable of an item, either of which takes the options as keyword arguments.

    Args:
        kind: where it stands, as module:name.
        name: the source of its grades.
        options: what it is made or called with.

    Raises:
        ConfigError: nothing is found, it is no grader, or does not take these options.
    """
    found = plugged(kind, "grader")
    taken = options
    if isinstance(found, type):
        found, taken = _made(found, kind, name, options), {}
    asked = getattr(found, "grade", found)
    if not callable(asked) or iscoroutinefunction(asked):
        raise ConfigError(f"{kind!r} is no grader", remedy="name a function of an item, or a class with grade(item)")
    _check(lambda: signature(asked).bind(None, **taken), kind)
    return OwnGrader(name, kind, options, partial(asked, **taken) if taken else asked)


def _made(found: type[Any], kind: str, name: str, options: Mapping[str, Any]) -> object:
    _check(lambda: signature(found).bind(name=name, **options), kind)
    try:
        return cast("object", found(name=name, **options))
    except ValueError as error:
        problem = f"{kind!r} does not take these options: {' '.join(str(error).split())}"
        raise ConfigError(problem, remedy="mend the options") from error


def _check(bind: Callable[[], object], kind: str) -> None:
    """Makes sure that it can be called so."""
    try:
        bind()
    except (TypeError, ValueError) as error:
        remedy = "a function takes an item and the options, a class its name and the options"
        raise ConfigError(f"{kind!r} cannot be called: {error}", remedy=remedy) from error
