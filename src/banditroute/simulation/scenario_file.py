"""Reading a scenario from a TOML file: events, feedback, and one clear line on what it cannot hold."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from banditroute.errors import ConfigError, meant
from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Event,
    Feedback,
    LatencyEvent,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
    Scenario,
)
from banditroute.simulation.scenario_slo import Slo
from banditroute.simulation.scenario_traffic import Budget, Traffic
from banditroute.simulation.values import problem_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The whole file."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    feedback: Feedback = field(default_factory=Feedback)
    event: list[Annotated[Event, Field(discriminator="kind")]] = field(default_factory=list[Event])
    traffic: Traffic | None = None
    slo: Slo | None = None
    budgets: list[Budget] = field(default_factory=list[Budget])


_FILE = TypeAdapter(_File)
_KINDS: Mapping[str, type[Event]] = {
    "price": PriceEvent,
    "quality": QualityEvent,
    "latency": LatencyEvent,
    "outage": OutageEvent,
    "add": AddEvent,
    "remove": RemoveEvent,
    "budget": BudgetEvent,
}
_TABLES: Mapping[str, type[Any]] = {"feedback": Feedback, "traffic": Traffic, "slo": Slo, "budgets": Budget}
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*event[ \t]*\]\]", re.MULTILINE)
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


def load_scenario(path: str | os.PathLike[str]) -> Scenario:
    """The scenario in a TOML file; it bears the name of the file. Whether it fits a table is seen when it is played.

    Raises:
        ConfigError: the file cannot be read, something in it is wrong, or it asks for what is not played yet.
    """
    where = os.fspath(path)
    text = _text(where)
    data = _parsed(text, where)
    lines = tuple(text.count("\n", 0, match.start()) + 1 for match in _HEADER.finditer(text))
    try:
        file = _FILE.validate_python(data)
    except ValidationError as error:
        raise _explained(error.errors(include_url=False)[0], where, lines) from None
    if file.traffic is not None:
        file.traffic.check(where)
    elif file.budgets or file.slo is not None:
        problem, remedy = "need time to pass", "say in [traffic] when requests arrive"
        raise ConfigError(problem, remedy=remedy, path=where, field="budgets" if file.budgets else "slo")
    budgets = tuple(budget.value(number, where) for number, budget in enumerate(file.budgets))
    known = lines if len(lines) == len(file.event) else ()
    return Scenario(
        events=tuple(file.event),
        feedback=file.feedback,
        name=Path(where).stem,
        path=where,
        lines=known,
        traffic=file.traffic,
        slo=file.slo,
        budgets=budgets,
    )


def _text(where: str) -> str:
    try:
        return Path(where).read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"cannot be read: {reason}", remedy="name a scenario file", path=where) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8", remedy="save it as UTF-8", path=where) from None


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        problem = _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)")
        line = int(found[1]) if found else None
        problem = f"is not TOML: {problem[:1].lower()}{problem[1:]}"
        raise ConfigError(problem, remedy="mend the line", path=where, line=line) from None
    except RecursionError:
        raise ConfigError("is nested too deeply", remedy="name a scenario file", path=where) from None


def _explained(details: ErrorDetails, where: str, lines: Sequence[int]) -> ConfigError:
    """The first thing that pydantic found wrong, in the file's own terms."""
    steps = tuple(step for step in details["loc"] if step != "[key]")
    line = None
    if steps[:1] == ("event",) and len(steps) > 1:
        number = steps[1]
        line = lines[number] if isinstance(number, int) and number < len(lines) else None
        # The third step is the kind that the event was read as: no key of the file.
        steps = (f"event[{number}]", *steps[3:])
    elif steps[:1] == ("budgets",) and len(steps) > 1:
        steps = (f"budgets[{steps[1]}]", *steps[2:])
    problem, remedy = _problem(details)
    return ConfigError(problem, remedy=remedy, path=where, line=line, field=".".join(map(str, steps)) or None)


def _problem(details: ErrorDetails) -> tuple[str, str]:
    """What is wrong and what to do."""
    match details["type"]:
        case "union_tag_not_found":
            return "names no kind", f"give one of: {', '.join(_KINDS)}"
        case "union_tag_invalid":
            return f"there is no kind {details.get('ctx', {}).get('tag')!r}", f"give one of: {', '.join(_KINDS)}"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "is not a key here", _near(str(details["loc"][-1]), _keys_beside(details["loc"]))
        case "literal_error":
            problem = f"is {details['input']!r}, not {details.get('ctx', {}).get('expected')}"
        case "missing":
            return "is missing", _remedy(details["loc"])
        case "model_attributes_type":
            problem = f"is {details['input']!r}, not a table"
        case "int_type" | "int_from_float":
            problem = f"is {details['input']!r}, not a whole number"
        case "bool_type":
            problem = f"is {details['input']!r}, not true or false"
        case "greater_than" | "less_than":
            bounds = details.get("ctx", {})
            beyond = f"above {bounds['gt']:g}" if "gt" in bounds else f"below {bounds.get('lt', 1):g}"
            problem = f"is {details['input']!r}, not {beyond}"
        case _:
            problem = problem_of(details)
    return problem, _remedy(details["loc"])


def _remedy(steps: tuple[int | str, ...]) -> str:
    """What to do about the innermost key that there is advice on."""
    known = (_REMEDIES[key] for step in reversed(steps) if (key := str(step)) in _REMEDIES)
    return next(known, "see the scenario page of the documentation")


_REMEDIES = {
    "at": "give the index of a request in the table, counted from 0",
    "until": "give the index of the first request that the model serves again",
    "model": "name the model",
    "like": "name the table's model whose outcomes it copies",
    "factor": "give a number above 0; 1 is as in the table",
    "cost_factor": "give a number above 0; 1 is as its original",
    "announced": "write true or false",
    "shift": "give quality points to add, such as -0.1",
    "set": "give the mean that quality moves to, from 0 to 1",
    "quality": "give the mean that the copy's quality moves to, from 0 to 1",
    "usd_per_request": "give dollars per request above 0, such as 0.0005",
    "delay_requests": "give a whole number of requests",
    "missing": "give the share that is never judged, from 0 to 1",
    "missing_by_model": 'write {"MODEL" = share, ...}',
    "arrivals": 'give requests a second, or the name of a trace: arrivals = "trace.jsonl.gz"',
    "stretch": "give a number above 0",
    "tenants": "write tenants = {NAME = share, ...}",
    "traffic": "write [traffic] and arrivals = 0.5 under it",
    "slo": "write [slo] and latency_s = 8.0 under it",
    "latency_s": "give seconds above 0, such as 8.0",
    "epsilon": "give the share of answers that may be late, such as 0.05",
    "budgets": "write [[budgets]] tables as in router.toml",
    "feedback": "write feedback = {delay_requests = 0, missing = 0.0}",
    "event": "write [[event]] tables",
}


def _keys_beside(steps: tuple[int | str, ...]) -> Sequence[str]:
    table = _KINDS[str(steps[2])] if steps[0] == "event" else _TABLES[str(steps[0])] if len(steps) > 1 else _File
    return [each.name for each in fields(table)]


def _near(given: str, keys: Sequence[str]) -> str:
    return f"{meant(given, keys)}there are: {', '.join(keys)}"
