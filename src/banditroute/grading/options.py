"""A grader's options as a configuration gives them, checked against the fields of the grader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic import Field as Option
from pydantic_core import ErrorDetails

from banditroute.errors import ConfigError

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)
_LONGEST_SHOWN = 60
_EXPECTED: Mapping[str, str] = {
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "tuple_type": "a list",
    "dict_type": "a table",
    "mapping_type": "a table",
}


def checked(grader: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, as the arguments of a grader's class; its name is none of them.

    Raises:
        ConfigError: the first that is unknown, missing or of another type; `field` names it.
    """
    try:
        read = _model(grader).model_validate(dict(options))
    except ValidationError as error:
        raise _problem(error.errors(include_url=False)[0], _names(grader)) from None
    return {name: getattr(read, name) for name in read.model_fields_set}


@cache
def _model(grader: type[Any]) -> type[BaseModel]:
    hints = get_type_hints(grader)
    described: dict[str, Any] = {field.name: (hints[field.name], _option(field, hints)) for field in _options(grader)}
    return create_model(f"{grader.__name__}Options", __config__=_STRICT, **described)


def _option(field: Field[Any], hints: Mapping[str, Any]) -> Any:
    default = ... if field.default is MISSING else field.default
    if get_origin(hints[field.name]) is tuple:
        return Option(default, strict=False)  # a file has lists, no tuples; what is in them stays strict
    return Option(default)


def _options(grader: type[Any]) -> list[Field[Any]]:
    return [field for field in fields(grader) if field.init and field.name != "name"]


def _names(grader: type[Any]) -> list[str]:
    return [field.name for field in _options(grader)]


def _problem(error: ErrorDetails, known: Sequence[str]) -> ConfigError:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = get_close_matches(place, known, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
        return ConfigError("unknown option", remedy=remedy, field=place)
    if error["type"] == "missing":
        return ConfigError("missing", remedy="give it a value", field=place)
    expected = _EXPECTED.get(error["type"]) or error.get("ctx", {}).get("expected")
    if expected is None:
        return ConfigError(error["msg"][:1].lower() + error["msg"][1:], field=place)
    return ConfigError(f"expected {expected}, got {_shown(error['input'])}", field=place)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]!r}..."
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"
