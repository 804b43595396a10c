"""Whether an answer is JSON, and of the shape that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from banditroute.errors import ConfigError, MissingExtraError, UngradableError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable
from banditroute.patterns import searcher

_FENCED = re.compile(r"```(?:json)?[ ]*\n(.*?)```", re.DOTALL)


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
            UngradableError: the answer is too long to be read.
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
        json_schema: a JSON Schema, draft 2020-12.
        fenced: whether a fenced block with prose around it counts.

    Raises:
        ConfigError: it is no JSON Schema.
        MissingExtraError: jsonschema is not installed.
    """

    name: str = "json_schema"
    json_schema: dict[str, Any] | None = None
    fenced: bool = True
    _checker: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.json_schema is None:
            _schema_library()
            return
        try:
            object.__setattr__(self, "_checker", checker(self.json_schema))
        except UngradableError as error:
            raise ConfigError(str(error), remedy="mend the schema", field="json_schema") from None

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where there is no schema.

        Raises:
            UngradableError: the request's schema is none, or the answer is too long or too deep.
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
        return float(allows(check, value))


def parsed(text: str, *, fenced: bool = True) -> object:
    """The JSON that an answer is, or that stands in its last fenced block.

    Raises:
        UngradableError: the answer is too long to be read.
        ValueError: there is none.
    """
    text = readable(text).strip()
    try:
        return orjson.loads(text)
    except ValueError:
        blocks = _FENCED.findall(text) if fenced else []
        if not blocks:
            raise
        return orjson.loads(blocks[-1])


def requested_schema(item: Item) -> dict[str, Any] | None:
    """The schema that a request's `response_format` names, if any."""
    wanted: object = item.request.params.get("response_format")
    for key in ("json_schema", "schema"):
        if not isinstance(wanted, Mapping):
            return None
        wanted = cast("Mapping[str, object]", wanted).get(key)
    return cast("dict[str, Any]", wanted) if isinstance(wanted, dict) else None


def checker(schema: dict[str, Any]) -> Any:
    """What tells whether a value is as a schema says; its patterns are matched in linear time, and it fetches nothing.

    Raises:
        UngradableError: it is no JSON Schema, or has patternProperties.
        MissingExtraError: jsonschema is not installed.
    """
    library = _schema_library()
    if any(key == "patternProperties" for key in _keys(schema, 0)):
        raise UngradableError("the schema has patternProperties, which are not checked here")
    draft = library.validators.extend(library.Draft202012Validator, {"pattern": _pattern})
    try:
        draft.check_schema(schema)
    except (library.SchemaError, RecursionError) as error:
        raise UngradableError(f"the schema is no JSON Schema: {str(error).splitlines()[0]}") from None
    return draft(schema, registry=_registry())


def allows(check: Any, value: object) -> bool:
    """Whether a schema allows a value.

    Raises:
        UngradableError: it refers to what is not there, or the value is too deep.
    """
    library = _schema_library()
    try:
        return bool(check.is_valid(value))
    except (library.exceptions._WrappedReferencingError, RecursionError, ConfigError) as error:
        raise UngradableError(f"the schema cannot be applied: {type(error).__name__}") from None


def _pattern(_: Any, pattern: str, instance: object, __: Any) -> Iterator[Exception]:
    if isinstance(instance, str) and not searcher(pattern)(instance):
        yield _schema_library().ValidationError(f"{instance[:40]!r} does not match {pattern!r}")


def _keys(value: object, depth: int) -> Iterator[str]:
    if depth > 200:
        raise UngradableError("the schema is too deep")
    if isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield key
            yield from _keys(inner, depth + 1)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _keys(inner, depth + 1)


def _schema_library() -> Any:
    try:
        import jsonschema
    except ImportError:
        raise MissingExtraError("checking JSON against a schema", "grading") from None
    return jsonschema


def _registry() -> Any:
    from referencing import Registry  # comes with jsonschema; an empty one fetches nothing

    return Registry()
