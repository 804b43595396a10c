"""What pydantic says is wrong with a router.toml, in the words of the file's writer: place, expected, got, remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from banditroute.config.file import TABLES
from banditroute.config.places import Place
from banditroute.config.secrets import looks_like_a_key
from banditroute.errors import InputError

_LONGEST_SHOWN = 60
_SECRET_KEYS = frozenset({"api_key_env", "key_env", "headers", "base_url", "proxy_url"})


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        place: where.
        problem: what is wrong.
        remedy: what to do; may be empty.
    """

    place: Place
    problem: str
    remedy: str = ""


def problem_of(error: ErrorDetails) -> Problem:
    """The problem that one of pydantic's errors stands for."""
    place: Place = tuple(error["loc"])
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        inner = tuple(cause.field.split(".")) if cause.field else ()
        return Problem((*place, *inner), cause.problem, cause.remedy)
    say = _SAYINGS.get(error["type"], _otherwise)
    return say(place, error)


def _unknown(place: Place, _: ErrorDetails) -> Problem:
    key, table = str(place[-1]), _table(place)
    near = get_close_matches(key, TABLES[table].spelt(), n=1)
    if near:
        return Problem(place, "unknown key", f"did you mean {near[0]!r}?")
    homes = [name for name, other in TABLES.items() if key in other.spelt() and name != table]
    if homes:
        home = f"[{homes[0]}]" if homes[0] else "the top of the file, above the first table"
        return Problem(place, "unknown key here", f"it belongs in {home}")
    return Problem(place, "unknown key", f"take it out; there are: {', '.join(TABLES[table].spelt())}")


def _missing(place: Place, _: ErrorDetails) -> Problem:
    key = str(place[-1])
    if key.endswith("_usd_per_mtok"):
        return Problem(place, "price unknown", "state it, 0 declares the model free")
    if len(place) == 1 and key in TABLES:
        return Problem(place, "missing", f"declare at least one [[{key}]]")
    field = TABLES[_table(place)].spelt()[key]
    return Problem(place, "missing", f"give {field.description}")


def _out_of_range(place: Place, error: ErrorDetails) -> Problem:
    (sign, bound) = next((_BOUNDS[key], value) for key, value in error.get("ctx", {}).items() if key in _BOUNDS)
    return Problem(place, f"expected {sign} {bound:g}, got {_shown(place, error['input'])}")


def _too_short(place: Place, error: ErrorDetails) -> Problem:
    if isinstance(error["input"], str):
        return Problem(place, "empty", "write something")
    return Problem(place, "empty", f"declare at least one [[{place[-1]}]]")


def _choice(place: Place, error: ErrorDetails) -> Problem:
    expected = str(error.get("ctx", {}).get("expected", "another value"))
    return Problem(place, f"expected {expected}, got {_shown(place, error['input'])}")


def _of_type(expected: str) -> Callable[[Place, ErrorDetails], Problem]:
    def say(place: Place, error: ErrorDetails) -> Problem:
        return Problem(place, f"expected {expected}, got {_shown(place, error['input'])}")

    return say


def _otherwise(place: Place, error: ErrorDetails) -> Problem:
    return Problem(place, error["msg"][:1].lower() + error["msg"][1:])


def _table(place: Place) -> str:
    return next((part for part in reversed(place[:-1]) if isinstance(part, str)), "")


def _shown(place: Place, value: Any) -> str:
    """The value for a message; nothing that may be a secret, and nothing long."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if not _SECRET_KEYS.isdisjoint(place) or (isinstance(value, str) and looks_like_a_key(value)):
        return "a value that is not shown"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}...")


_BOUNDS = MappingProxyType({"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"})
_SAYINGS: Mapping[str, Callable[[Place, ErrorDetails], Problem]] = MappingProxyType(
    {
        "extra_forbidden": _unknown,
        "missing": _missing,
        "greater_than": _out_of_range,
        "greater_than_equal": _out_of_range,
        "less_than": _out_of_range,
        "less_than_equal": _out_of_range,
        "too_short": _too_short,
        "string_too_short": _too_short,
        "literal_error": _choice,
        "float_type": _of_type("a number"),
        "finite_number": _of_type("a finite number"),
        "int_type": _of_type("a whole number"),
        "int_from_float": _of_type("a whole number"),
        "bool_type": _of_type("true or false"),
        "string_type": _of_type("a text in quotes"),
        "list_type": _of_type("a list"),
        "dict_type": _of_type("a table"),
        "model_type": _of_type("a table"),
        "model_attributes_type": _of_type("a table"),
    }
)
