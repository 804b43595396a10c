"""Where in a router.toml something stands: as people name it, and on which line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

Place = tuple[str | int, ...]
"""Keys and positions from the top of the file: ("models", 2, "name")."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?")


def named(place: Place, data: Mapping[str, Any]) -> str:
    """The place as people name it: `[[models]] "small".tools`, or models[2].tools where no name is known."""
    if len(place) > 1 and isinstance(place[1], int):
        name = _name(data, place)
        if name is not None:
            return f'[[{place[0]}]] "{name}"{_dotted(place[2:])}'
    return _dotted(place).lstrip(".")


def line_of(place: Place, text: str) -> int | None:
    """The line of a key, else that of its table's heading; None where it cannot be told."""
    lines = text.splitlines()
    sections = _sections(lines)
    depth = next((length for length in range(len(place), 0, -1) if place[:length] in sections), 0)
    heading = sections.get(place[:depth], 0)
    keys = [part for part in place[depth:] if isinstance(part, str)]
    return (_key_line(keys[0], lines, heading) if keys else None) or heading or None


def _name(data: Mapping[str, Any], place: Place) -> str | None:
    rows = data.get(str(place[0]))
    if not isinstance(rows, Sequence):
        return None
    row = cast("Sequence[object]", rows)[cast("int", place[1])]
    name = cast("Mapping[str, object]", row).get("name") if isinstance(row, Mapping) else None
    return name if isinstance(name, str) and name.isprintable() and name else None


def _dotted(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{_spelt(part)}" for part in place)


def _spelt(key: str) -> str:
    """The key on one line, whatever is in it."""
    return key if _BARE.fullmatch(key) else json.dumps(key)


def _sections(lines: Sequence[str]) -> dict[Place, int]:
    """Where each table begins, counted from 1; rows of [[tables]] with their positions."""
    sections: dict[Place, int] = {}
    rows: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        match = _HEADER.fullmatch(line)
        if match is None:
            continue
        keys = [part.strip().strip("\"'") for part in match[2].split(".")]
        if match[1] == "[[":
            path = ".".join(keys)
            rows[path] = rows.get(path, -1) + 1
            rows.update({other: -1 for other in rows if other.startswith(f"{path}.")})
        sections[_placed(keys, rows)] = number
    return sections


def _placed(keys: Sequence[str], rows: Mapping[str, int]) -> Place:
    place: list[str | int] = []
    for depth, key in enumerate(keys, start=1):
        place.append(key)
        row = rows.get(".".join(keys[:depth]))
        if row is not None:
            place.append(row)
    return tuple(place)


def _key_line(key: str, lines: Sequence[str], heading: int) -> int | None:
    """The line of a key of the table whose heading is on a line (0: of the file's top)."""
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
    for number, line in enumerate(lines[heading:], start=heading + 1):
        if _HEADER.fullmatch(line):
            return None
        if pattern.match(line):
            return number
    return None
