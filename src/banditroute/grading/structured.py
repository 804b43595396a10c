"""Whether an answer is JSON, and of the shape that was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from banditroute.errors import ConfigError, UngradableError
from banditroute.grading.fences import blocks
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable
from banditroute.grading.schemas import Checker, checker, schema_library

_LABELS = frozenset({"json", ""})
_TOO_DEEP = re.compile("(?i)depth limit|recursion limit")  # orjson's words for more than 1,024 levels


@dataclass(frozen=True, slots=True)
class JsonValid:
    """1 where the answer is JSON, alone or in a fenced block, otherwise 0.

    Attributes:
        name: the source of its grades.
        fenced: whether a fenced block with prose around it counts.
    """

    name: str = "json"
    fenced: bool = True

    def grade(self, item: Item) -> float | None:
        """1 or 0.

        Raises:
            UngradableError: the answer is too long to be read, or nested too deep.
        """
        try:
            parsed(item.completion.text, fenced=self.fenced)
        except ValueError:
            return 0.0
        return 1.0


@dataclass(frozen=True, slots=True)
class SchemaValid:
    """1 where the answer is JSON that a schema allows, otherwise 0.

    Without a schema of its own it takes the one that the request's `response_format` names, and has nothing to say of
    a request that names none.

    Attributes:
        name: the source of its grades.
        json_schema: a JSON Schema; draft 2020-12 where it names none.
        fenced: whether a fenced block with prose around it counts.

    Raises:
        ConfigError: it is no JSON Schema.
        MissingExtraError: jsonschema is not installed.
    """

    name: str = "json_schema"
    json_schema: dict[str, Any] | None = None
    fenced: bool = True
    _checker: Checker | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.json_schema is None:
            schema_library()
            return
        try:
            object.__setattr__(self, "_checker", checker(self.json_schema))
        except UngradableError as error:
            raise ConfigError(str(error), remedy="mend the schema", field="json_schema") from None

    def __reduce__(self) -> tuple[type[SchemaValid], tuple[str, dict[str, Any] | None, bool]]:
        return type(self), (self.name, self.json_schema, self.fenced)  # what is compiled does not go elsewhere

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where there is no schema.

        Raises:
            UngradableError: the request's schema is none, cannot be applied, or takes too long; or the answer is too
                long or too deep.
        """
        check = self._checker
        if check is None:
            schema = requested_schema(item)
            if schema is None:
                return None
            check = checker(schema)
        try:
            value = parsed(item.completion.text, fenced=self.fenced)
        except ValueError:
            return 0.0
        return float(check.allows(value))


def parsed(text: str, *, fenced: bool = True) -> object:
    """The JSON that an answer is, or that stands in its last fenced block which is JSON's or names no language.

    Raises:
        UngradableError: the answer is too long to be read, or nested too deep.
        ValueError: there is none.
    """
    text = readable(text).strip()
    try:
        return _loaded(text)
    except ValueError:
        found = [block.text for block in blocks(text) if block.language in _LABELS] if fenced else []
        if not found:
            raise
        return _loaded(found[-1])


def requested_schema(item: Item) -> Mapping[str, Any] | None:
    """The schema that a request's `response_format` names, if any."""
    wanted: object = item.request.params.get("response_format")
    for key in ("json_schema", "schema"):
        if not isinstance(wanted, Mapping):
            return None
        wanted = cast("Mapping[str, object]", wanted).get(key)
    return cast("Mapping[str, Any]", wanted) if isinstance(wanted, Mapping) else None


def _loaded(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if _TOO_DEEP.search(str(error)):
            raise UngradableError("the JSON is nested too deep to be read") from None
        raise
