"""How environment variables name the keys of a router.toml.

BANDITROUTE__STORE__KIND is [store] kind, BANDITROUTE__ROUTING__EXPLORE__DOLLARS is [routing.explore] dollars, and
BANDITROUTE__MODELS__GPT_4O__INPUT_USD_PER_MTOK is that key of the [[models]] named "gpt-4o".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from banditroute.config.file import RouterFile
from banditroute.config.places import Place
from banditroute.config.references import budget_name
from banditroute.config.shapes import Shape, shape_of
from banditroute.config.table import Table
from banditroute.errors import ConfigError, meant

PREFIX = "BANDITROUTE__"

_JOINT = "__"
_OTHER = re.compile(r"[^A-Z0-9]+")


def spelt(key: str) -> str:
    """A key or a name as a variable spells it: capitals, digits, and one `_` for whatever else there is."""
    return _OTHER.sub("_", key.upper()).strip("_")


def key_named(variable: str, data: Mapping[str, Any]) -> tuple[Place, Shape]:
    """The key that a variable names, and what it takes.

    Raises:
        ConfigError: it names none; says which it may have meant.
    """
    walk = _Walk(variable, variable.removeprefix(PREFIX).split(_JOINT), data)
    table, place = RouterFile, Place()
    while True:
        key, shape = walk.key_of(table)
        place = (*place, key)
        if shape.table is None:
            walk.check_over()
            return place, shape
        if shape.listed:
            place = (*place, walk.row_of(place))
        table = shape.table


class _Walk:
    """Follows the parts of one variable's name from the top of the file down."""

    def __init__(self, variable: str, parts: Sequence[str], data: Mapping[str, Any]) -> None:
        self.variable = variable
        self._parts = parts
        self._data: object = data
        self._at = 0

    def key_of(self, table: type[Table]) -> tuple[str, Shape]:
        """The key of a table that the next part names, and what it takes."""
        keys = {spelt(key): (key, shape_of(field)) for key, field in table.spelt().items()}
        key, shape = keys[self._next(list(keys), "key")]
        self._data = cast("Mapping[str, object]", self._data).get(key) if isinstance(self._data, Mapping) else None
        return key, shape

    def row_of(self, place: Place) -> int:
        """The row of a list of tables that the next part names."""
        numbers: dict[str, int] = {}
        for number, name in enumerate(_names(self._data, place)):
            if numbers.setdefault(spelt(name), number) != number:
                numbers[spelt(name)] = -1
        part = self._next(list(numbers), f"name among [[{'.'.join(map(str, place))}]]")
        if numbers[part] < 0:
            raise ConfigError(
                f"{part} may be several of [[{place[-1]}]]", remedy="write it in the file", path=self.variable
            )
        self._data = cast("Sequence[object]", self._data)[numbers[part]]
        return numbers[part]

    def check_over(self) -> None:
        """Returns if no part is left.

        Raises:
            ConfigError: one is.
        """
        if self._at < len(self._parts):
            whole = PREFIX + _JOINT.join(self._parts[: self._at])
            raise ConfigError("unknown variable", remedy=f"did you mean {whole!r}?", path=self.variable)

    def _next(self, known: Sequence[str], what: str) -> str:
        before = PREFIX + "".join(f"{part}{_JOINT}" for part in self._parts[: self._at])
        part = spelt(self._parts[self._at]) if self._at < len(self._parts) else ""
        if part in known:
            self._at += 1
            return part
        if not part:
            problem = f"names a table, not a key of it; go on with __ and a {what}"
            raise ConfigError(problem, remedy=_there_are(known), path=self.variable)
        guess = meant(part, known)
        rest = "".join(f"{_JOINT}{other}" for other in self._parts[self._at + 1 :])
        near = guess.removeprefix("did you mean '").removesuffix("'? ")
        remedy = f"did you mean {f'{before}{near}{rest}'!r}?" if guess else _there_are(known)
        raise ConfigError(f"unknown variable: {part} is no {what}", remedy=remedy, path=self.variable)


def _names(rows: object, place: Place) -> Iterator[str]:
    """The names of a list's tables, in order; a table without one has none that a variable could spell."""
    if not isinstance(rows, list):
        return
    for row in cast("Sequence[object]", rows):
        name: object = ""
        if isinstance(row, Mapping):
            table = cast("Mapping[str, Any]", row)
            name = budget_name(table) if place == ("budgets",) else table.get("name")
        yield name if isinstance(name, str) else ""


def _there_are(known: Sequence[str]) -> str:
    names = [name for name in known if name]
    return f"there are: {', '.join(names)}" if names else "there is none in the file"
