"""JSON Schemas from anybody, applied in bounded time: patterns by an automaton, work counted, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, cast

import orjson

from banditroute.errors import ConfigError, MissingExtraError, UngradableError
from banditroute.patterns import Search, searcher

_MOST_BYTES = 100_000  # of a schema
_MOST_STEPS = 250_000  # of work for one value: about a second
_UNBOUNDED = (b'"patternProperties"', b'"unevaluatedProperties"', b'"unevaluatedItems"')
_REPEATING = 25  # what a character costs where a pattern has counted repetitions, against one step

Keyword = Callable[[Any, Any, Any, Any], Iterator[Exception] | None]
"""How jsonschema calls a keyword: validator, the keyword's value, the instance, the schema around it."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Tells whether a value is as a schema says."""

    _validator: Any

    def allows(self, value: object) -> bool:
        """Whether the schema allows a value.

        Raises:
            UngradableError: it refers to what is not there, has a pattern that RE2 does not know, or takes too long.
        """
        from referencing.exceptions import Unresolvable

        token = _work.set(_Work())
        try:
            return bool(self._validator.is_valid(value))
        except (Unresolvable, RecursionError, ConfigError) as error:
            raise UngradableError(f"the schema cannot be applied: {type(error).__name__}") from None
        finally:
            _work.reset(token)


def checker(schema: Mapping[str, Any]) -> Checker:
    """What tells whether a value is as a schema says; made once for equal schemas.

    Raises:
        UngradableError: it is no JSON Schema, too large, or has keywords that are not checked here: patternProperties,
            unevaluatedProperties, unevaluatedItems.
        MissingExtraError: jsonschema is not installed.
    """
    try:
        written = orjson.dumps(schema, default=dict)
    except TypeError as error:
        raise UngradableError(f"the schema is no JSON: {error}") from None
    if len(written) > _MOST_BYTES:
        raise UngradableError(f"the schema has {len(written):,} bytes, more than the {_MOST_BYTES:,} that are read")
    if found := next((keyword for keyword in _UNBOUNDED if keyword in written), None):
        raise UngradableError(f"the schema has {found.decode()[1:-1]}, which is not checked here")
    return _made(written)


def schema_library() -> Any:
    """The jsonschema package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import jsonschema
    except ImportError:
        raise MissingExtraError("checking JSON against a schema", "grading") from None
    return jsonschema


@lru_cache(maxsize=256)
def _made(written: bytes) -> Checker:
    library = schema_library()
    from referencing import Registry  # comes with jsonschema; an empty one fetches nothing

    schema = orjson.loads(written)
    draft = library.validators.validator_for(schema, default=library.Draft202012Validator)
    try:
        draft.check_schema(schema, format_checker=None)
    except (library.SchemaError, RecursionError) as error:
        raise UngradableError(f"the schema is no JSON Schema: {str(error).splitlines()[0]}") from None
    return Checker(_bounded(draft)(schema, registry=Registry()))


@cache
def _bounded(draft: Any) -> Any:
    """A draft of JSON Schema, every keyword of which counts its work."""
    own = {"pattern": _pattern, "uniqueItems": _unique_items, "const": _const, "enum": _enum}
    keywords = {name: _counted(check) for name, check in (draft.VALIDATORS | own).items()}
    return schema_library().validators.extend(draft, keywords)


class _Work:
    """The steps that are left for one value."""

    def __init__(self) -> None:
        self._left = _MOST_STEPS

    def do(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise UngradableError("the schema takes too long to be applied")


_work: ContextVar[_Work] = ContextVar("work")


def _counted(check: Keyword) -> Keyword:
    def counted(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Exception] | None:
        _work.get().do(1 + _size(wanted) + _size(instance))
        return check(validator, wanted, instance, schema)

    return counted


def _size(value: object) -> int:
    return len(cast("list[object]", value)) if isinstance(value, (list, dict)) else 0


def _pattern(_: Any, pattern: str, instance: object, __: Any) -> Iterator[Exception]:
    if not isinstance(instance, str):
        return
    _work.get().do(len(instance) * (_REPEATING if "{" in pattern else 1))
    if not _searcher(pattern)(instance):
        yield _violation("pattern")


@lru_cache(maxsize=256)
def _searcher(pattern: str) -> Search:
    return searcher(pattern)


def _unique_items(_: Any, wanted: object, instance: object, __: Any) -> Iterator[Exception]:
    if wanted and isinstance(instance, list):
        items = cast("list[object]", instance)
        if len({_key(item) for item in items}) < len(items):
            yield _violation("uniqueItems")


def _const(_: Any, wanted: object, instance: object, __: Any) -> Iterator[Exception]:
    if _key(instance) != _key(wanted):
        yield _violation("const")


def _enum(_: Any, wanted: list[object], instance: object, __: Any) -> Iterator[Exception]:
    if _key(instance) not in {_key(each) for each in wanted}:
        yield _violation("enum")


def _key(value: object) -> object:
    """What is equal for values that JSON Schema takes for equal: 1 and 1.0, but not 1 and true."""
    _work.get().do(1)
    if isinstance(value, list):
        return (list, *(_key(item) for item in cast("list[object]", value)))
    if isinstance(value, dict):
        return frozenset((name, _key(item)) for name, item in cast("dict[str, object]", value).items())
    return (bool, value) if isinstance(value, bool) else value


def _violation(keyword: str) -> Exception:
    error: Exception = schema_library().ValidationError(f"not as {keyword} wants it")
    return error
