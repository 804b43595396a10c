"""Values of a router.toml that the environment gives in the place of the file's, one variable a key.

They are put into the parsed file before it is checked, so that every check of the file is one of them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from banditroute.config.environment_names import PREFIX, key_named
from banditroute.config.environment_values import said
from banditroute.config.places import Place, named
from banditroute.config.values import FromEnvironment
from banditroute.errors import ConfigError


class Overridden(NamedTuple):
    """What the environment gave.

    Attributes:
        by: for each key that it gave, the variable.
        problems: variables that name no key.
    """

    by: Mapping[Place, str]
    problems: tuple[ConfigError, ...]

    def variable_of(self, place: Place) -> str | None:
        """The variable that gave what stands at a place, or in which it stands; None = it is the file's own."""
        return next((self.by[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.by), None)

    def variables_in(self, place: Place) -> list[str]:
        """The variables that gave keys of a table."""
        return [variable for each, variable in self.by.items() if each[: len(place)] == place]

    def variables_beside(self, place: Place, data: Mapping[str, Any]) -> list[str]:
        """The variables that gave other keys of a table, where the one at a place is not there: they may need it."""
        table: Any = data
        for part in place[:-1]:
            table = table[part] if _has(table, part) else {}
        return [] if _has(table, place[-1]) else self.variables_in(place[:-1])

    def told(self, data: Mapping[str, Any]) -> tuple[FromEnvironment, ...]:
        """The variables, each with the key that it gave as people name it."""
        return tuple(FromEnvironment(variable, named(place, data)) for place, variable in self.by.items())


def override(data: dict[str, Any], environ: Mapping[str, str]) -> Overridden:
    """Puts what the environment says into a parsed router.toml, which it changes; says what came from where."""
    by: dict[Place, str] = {}
    problems: list[ConfigError] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        try:
            place, shape = key_named(variable, data)
            if place in by:
                raise ConfigError(f"names the same key as {by[place]}", remedy="unset one of them", path=variable)
        except ConfigError as error:
            problems.append(error)
        else:
            by[place] = variable
            _put(data, place, said(environ[variable], shape))
    return Overridden(by, tuple(problems))


def _has(table: object, part: str | int) -> bool:
    if isinstance(table, Mapping):
        return part in table
    return isinstance(table, list) and isinstance(part, int) and part < len(cast("list[object]", table))


def _put(data: dict[str, Any], place: Place, value: object) -> None:
    """Puts a value at a place, making the tables on the way to it; where the file has something else, that stays."""
    at: Any = data
    for part in place[:-1]:
        following: Any = at.setdefault(part, {}) if isinstance(part, str) else at[part]
        if not isinstance(following, dict | list):
            return  # the file is wrong here, and will be told so
        at = cast("Any", following)
    at[place[-1]] = value
