"""A router.toml with every key, made from the tables themselves: configs/router.full.toml is what this writes.

To write it anew: python -m banditroute.config.full > configs/router.full.toml
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from textwrap import wrap

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from banditroute.config.file import TABLES, RouterFile
from banditroute.config.table import Table
from banditroute.config.writing import toml_value

_COMMENTS_AT = 41
_WIDTH = 120
_HEADING = """\
# Every key of router.toml, with its default and what it means. Most files need a few of them: see router.toml.
# A line like #key = value is a key without a default: what is shown is an example, and left out is what it says.
# Names end in their unit: _s seconds, _usd dollars, _usd_per_mtok dollars per million tokens, _tokens tokens.
"""
_PACE = ("name", "scope", "usd_per_request")
_CAP = ("name", "scope", "usd", "per", "on_exhausted", "paced", "carry")
_LATENCY = ("name", "task", "latency_s", "epsilon")
_TTFT = ("name", "task", "ttft_s", "epsilon")


def full_toml() -> str:
    """The file's text."""
    sections = [
        _section("[[providers]]", "providers"),
        _section("[[models]]", "models"),
        _section("[[budgets]]", "budgets", only=_PACE, live=("usd_per_request",), example="pace"),
        _section("[[budgets]]", "budgets", only=_CAP, live=("usd", "per"), example="cap"),
        _section("[[promises]]", "promises", only=_LATENCY, live=("latency_s",), example="fast"),
        _section("[[promises]]", "promises", only=_TTFT, live=("ttft_s",), example="prompt"),
        _section("[store]", "store"),
        _section("[routing]", "routing"),
        _section("[routing.explore]", "explore"),
        _section("[routing.drift]", "drift"),
        _section("[routing.rollout]", "rollout"),
        _section("[[tasks]]", "tasks"),
        _section("[[rules]]", "rules"),
        _section("[trust]", "trust"),
        _section("[[graders]]", "graders"),
        _section("[[judges]]", "judges"),
        *(_section(f"[{name}]", name) for name in ("timeouts", "transport", "retry", "breaker", "hedge")),
        _section("[shadow]", "shadow"),
        _section("[guard]", "guard"),
        _section("[alerts]", "alerts"),
        _section("[alerts.webhook]", "webhook"),
        _section("[gateway]", "gateway"),
        _section("[[gateway.keys]]", "keys"),
    ]
    return "\n".join([_HEADING, *sections])


def _section(
    heading: str, name: str, *, only: Iterable[str] = (), live: Iterable[str] = (), example: str | None = None
) -> str:
    """The lines of one table; `example` is one for its name."""
    table = TABLES[name]
    lines = [*_commented(heading, _meaning(name, table))]
    for key, field in table.spelt().items():
        if (key in only or not only) and not _has_own_section(key, name):
            shown = example if key == "name" else None
            lines += _commented(_assignment(key, field, shown, live=key in live), field.description or "")
    return "".join(f"{line}\n" for line in lines)


def _meaning(name: str, table: type[Table]) -> str:
    field = RouterFile.model_fields.get(name)
    return (field.description or "") if field else (table.__doc__ or "").strip().rstrip(".").lower()


def _has_own_section(key: str, table: str) -> bool:
    return (table, key) in {
        ("routing", "explore"),
        ("routing", "drift"),
        ("routing", "rollout"),
        ("gateway", "keys"),
        ("alerts", "webhook"),
    }


def _assignment(key: str, field: FieldInfo, example: str | None, *, live: bool) -> str:
    """The key with its default; with an example where it has none, as a comment unless it has to be there."""
    if field.default is not PydanticUndefined and field.default is not None:
        return f"{key} = {toml_value(field.default)}"
    shown = toml_value(example or (field.examples or [None])[0])
    return f"{key} = {shown}" if live or field.is_required() else f"#{key} = {shown}"


def _commented(text: str, comment: str) -> Iterator[str]:
    """The text with its comment beside it, going on below where it is long; a long list has a line for each text."""
    at = max(_COMMENTS_AT, len(text) + 1)
    if at > _WIDTH:
        text, *rest = text.replace('["', '[\n    "').replace('", "', '",\n    "').replace('"]', '",\n]').splitlines()
        yield from _commented(text, comment)
        yield from rest
        return
    first, *others = wrap(comment, _WIDTH - at - 2)
    yield f"{text:<{at}}# {first}"
    for other in others:
        yield f"{'':<{at}}# {other}"


if __name__ == "__main__":
    sys.stdout.write(full_toml())
