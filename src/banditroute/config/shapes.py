"""What a key of router.toml takes: a text, another value, a table, or a list of tables."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from banditroute.config.table import Table


class Shape(NamedTuple):
    """What a key takes.

    Attributes:
        text: whether it takes a text.
        listed: whether it takes a list.
        table: the table that it holds, or that its list holds; None = neither.
    """

    text: bool
    listed: bool
    table: type[Table] | None


def shape_of(field: FieldInfo) -> Shape:
    """What a table's key takes."""
    kinds = list(_kinds(field.annotation))
    lists = [kind for kind in kinds if get_origin(kind) is list]
    within = [inner for kind in lists for inner in _kinds(get_args(kind)[0])]
    tables = [kind for kind in (*kinds, *within) if isinstance(kind, type) and issubclass(kind, Table)]
    return Shape(any(map(_is_text, kinds)), bool(lists), tables[0] if tables else None)


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that an annotation allows, one by one."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _kinds(each)
    else:
        yield annotation


def _is_text(kind: Any) -> bool:
    return kind is str or (get_origin(kind) is Literal and isinstance(get_args(kind)[0], str))
