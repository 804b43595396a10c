"""What tables of a router.toml say of each other: names that are taken twice, providers that are not there.

It looks at the file as it was parsed, so that these are found beside everything else that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from banditroute.config.budget_tables import GLOBAL, default_name
from banditroute.config.places import Place
from banditroute.config.problems import Problem

Row = Mapping[str, Any]


def broken_references(data: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems, in the order of the file's sections."""
    yield from _repeated("providers", _rows(data, "providers"), _own_name)
    yield from _repeated("models", _rows(data, "models"), _own_name)
    yield from _unknown_providers(data)
    yield from _repeated("budgets", _rows(data, "budgets"), _budget_name)
    yield from _repeated("tasks", _rows(data, "tasks"), _own_name)
    gateway = data.get("gateway")
    if isinstance(gateway, Mapping):
        yield from _repeated("gateway.keys", _rows(cast("Row", gateway), "keys"), _own_name)


def _rows(data: Mapping[str, Any], section: str) -> list[tuple[int, Row]]:
    rows: object = data.get(section)
    if not isinstance(rows, list):
        return []
    numbered = enumerate(cast("Sequence[object]", rows))
    return [(number, cast("Row", row)) for number, row in numbered if isinstance(row, Mapping)]


def _repeated(section: str, rows: list[tuple[int, Row]], name_of: Callable[[Row], object]) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, row in rows:
        name = name_of(row)
        if not isinstance(name, str):
            continue
        if name in seen:
            written = "name" in row
            problem = f"another one is {'named' if written else 'called'} {name!r} too"
            place: Place = (*section.split("."), number, "name")
            yield Problem(place, problem, "rename one" if written else "give each a name")
        seen.add(name)


def _unknown_providers(data: Mapping[str, Any]) -> Iterator[Problem]:
    known = [name for _, row in _rows(data, "providers") if isinstance(name := _own_name(row), str)]
    for number, row in _rows(data, "models"):
        provider = row.get("provider")
        if isinstance(provider, str) and provider not in known and known:
            near = get_close_matches(provider, known, n=1)
            guess = f"did you mean {near[0]!r}?" if near else f"choose from: {', '.join(map(repr, known))}"
            yield Problem(("models", number, "provider"), f"no provider is named {provider!r}", guess)


def _own_name(row: Row) -> object:
    return row.get("name")


def _budget_name(row: Row) -> object:
    return row.get("name", default_name(str(row.get("scope", GLOBAL)), cast("str | None", row.get("per"))))
