"""What tables of a router.toml say of each other: names that are taken twice, providers that are not there.

It looks at the file as it was parsed, so that these are found beside everything else that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from banditroute.config.budget_tables import GLOBAL
from banditroute.config.places import Place
from banditroute.config.problems import Problem
from banditroute.errors import meant
from banditroute.routing.budgets import default_name
from banditroute.routing.tasks import JUDGE_TASK

Row = Mapping[str, Any]


def broken_references(data: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems, in the order of the file's sections."""
    yield from _repeated("providers", _rows(data, "providers"), _own_name)
    yield from _repeated("models", _rows(data, "models"), _own_name)
    yield from _unknown_providers(data)
    yield from _former_names(data)
    yield from _unlike(data)
    yield from _unknown_guards(data)
    yield from _repeated("budgets", _rows(data, "budgets"), budget_name)
    yield from _repeated("promises", _rows(data, "promises"), _own_name)
    yield from _repeated("tasks", _rows(data, "tasks"), _own_name)
    yield from _repeated("graders", _rows(data, "graders"), _own_name)
    yield from _repeated("judges", _rows(data, "judges"), _own_name)
    yield from _shared_sources(data)
    yield from _judges_budgets(data)
    yield from _judges_tasks(data)
    yield from _unknown_judges(data)
    yield from _unknown_parts(data)
    gateway = data.get("gateway")
    if isinstance(gateway, Mapping):
        yield from _repeated("gateway.keys", _rows(cast("Row", gateway), "keys"), _own_name)
        yield from _unknown_to_keys(data, cast("Row", gateway))


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
    known = _names(data, "providers")
    for number, row in _rows(data, "models"):
        provider = row.get("provider")
        if isinstance(provider, str) and provider not in known and known:
            problem = f"no provider is named {provider!r}"
            yield Problem(("models", number, "provider"), problem, _guess(provider, known))


def _former_names(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Former names that are, or were, another model's: what is known under one can be known of one model only."""
    rows = _rows(data, "models")
    owners = {name: number for number, row in rows if isinstance(name := _own_name(row), str)}
    for number, row in rows:
        given: object = row.get("formerly")
        for former in cast("Sequence[object]", given) if isinstance(given, list) else [given]:
            own = former == row.get("name")
            if isinstance(former, str) and (own or owners.setdefault(former, number) != number):
                problem = f"{former!r} is its name today" if own else f"another model is or was named {former!r}"
                yield Problem(("models", number, "formerly"), problem, "take it out")


def _unlike(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Models that are to start from the evidence of one that there is not."""
    known = _names(data, "models")
    for number, row in _rows(data, "models"):
        like, others = row.get("like"), [name for name in known if name != row.get("name")]
        if isinstance(like, str) and like not in others:
            yield Problem(("models", number, "like"), f"no other model is named {like!r}", _guess(like, others))


def _unknown_guards(data: Row) -> Iterator[Problem]:
    """Guards by models that there are not, or that no request is routed to."""
    guard: object = data.get("guard")
    known = _names(data, "models")
    routed = [_own_name(row) for _, row in _rows(data, "models") if row.get("routed") is not False]
    for key in ("only", "baseline"):
        model = cast("Row", guard).get(key) if isinstance(guard, Mapping) else None
        if isinstance(model, str) and known and model not in routed:
            unrouted = model in known
            problem = f"{model!r} is not routed" if unrouted else f"no model is named {model!r}"
            yield Problem(("guard", key), problem, "name one that is" if unrouted else _guess(model, known))


def _shared_sources(data: Row) -> Iterator[Problem]:
    """Judges named as graders are: of one source only the first judgement of an answer counts."""
    graders = [_own_name(row) for _, row in _rows(data, "graders")]
    for number, row in _rows(data, "judges"):
        if (name := row.get("name")) in graders:
            yield Problem(("judges", number, "name"), f"a grader is named {name!r} too", "rename one")


def _judges_budgets(data: Row) -> Iterator[Problem]:
    """Judges' caps that are called as another budget is."""
    taken = [budget_name(row) for _, row in _rows(data, "budgets")]
    for number, row in _rows(data, "judges"):
        for per in ("day", "month"):
            key, name = f"usd_per_{per}", default_name(f"task:{JUDGE_TASK}{row.get('name')}", per)
            if key in row and name in taken:
                yield Problem(("judges", number, key), f"a budget is called {name!r} too", "take one of them out")


def _judges_tasks(data: Row) -> Iterator[Problem]:
    """Classes named as judges' calls are: nothing would be learned of them, and nobody grade them."""
    rows = [("tasks", number, "name", row.get("name")) for number, row in _rows(data, "tasks")]
    rows += [("rules", number, "task", row.get("task")) for number, row in _rows(data, "rules")]
    for section, number, key, name in rows:
        if isinstance(name, str) and name.startswith(JUDGE_TASK):
            problem = f"classes that begin with {JUDGE_TASK!r} are kept for judges"
            yield Problem((section, number, key), problem, "name it otherwise")


def _unknown_judges(data: Mapping[str, Any]) -> Iterator[Problem]:
    known = _names(data, "models")
    for number, row in _rows(data, "judges"):
        for key in ("model", "baseline_model"):
            model = row.get(key)
            if isinstance(model, str) and model not in known and known:
                yield Problem(("judges", number, key), f"no model is named {model!r}", _guess(model, known))


def _unknown_parts(data: Mapping[str, Any]) -> Iterator[Problem]:
    judges = _names(data, "judges")
    plain = [
        name
        for _, row in _rows(data, "graders")
        if isinstance(name := _own_name(row), str) and row.get("kind") != "blend"
    ]
    for number, row in _rows(data, "graders"):
        parts: object = row.get("parts")
        for part in cast("Row", parts) if isinstance(parts, Mapping) else ():
            if part not in plain:
                yield Problem(
                    ("graders", number, "parts"), f"no grader to blend is named {part!r}", _guess(part, plain)
                )
        judge = row.get("calibrate_to")
        if isinstance(judge, str) and judge not in judges:
            yield Problem(("graders", number, "calibrate_to"), f"no judge is named {judge!r}", _guess(judge, judges))


def _unknown_to_keys(data: Row, gateway: Row) -> Iterator[Problem]:
    """Models that a gateway's key may ask for, and that there are not."""
    known = _names(data, "models")
    for number, row in _rows(gateway, "keys"):
        models: object = row.get("models")
        for model in cast("list[object]", models) if isinstance(models, list) else ():
            if isinstance(model, str) and known and model not in known:
                place: Place = ("gateway", "keys", number, "models")
                yield Problem(place, f"no model is named {model!r}", _guess(model, known))


def _guess(name: str, known: Sequence[str]) -> str:
    return meant(name, known).strip() or f"choose from: {', '.join(map(repr, known)) or 'none'}"


def _names(data: Row, section: str) -> list[str]:
    return [name for _, row in _rows(data, section) if isinstance(name := _own_name(row), str)]


def _own_name(row: Row) -> object:
    return row.get("name")


def budget_name(row: Row) -> object:
    """What a budget's table calls it, or what it is called where that says nothing."""
    return row.get("name", default_name(str(row.get("scope", GLOBAL)), cast("str | None", row.get("per"))))
