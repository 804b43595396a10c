"""Reading JSON that somebody else wrote: values of the shape asked for, or none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from banditroute.errors import BrokenReplyError
from banditroute.records import Json

LONGEST_PROBLEM = 300

_NOTHING: Mapping[str, Any] = {}
_SECRET = re.compile(
    r"""(?ix)
    \b(?: bearer\s+ [\w\-.~+/=*]{8,}                      # a whole Authorization header
      | (?:sk|pk|rk|gsk|csk|xai|hf|tgp|nvapi)[-_] [\w\-.*]{8,}  # keys by their makers' prefixes
      | AIza [\w\-*]{20,} )
    """
)
_ECHOED = re.compile(r"(api[ _-]?key[^:.]{0,20}:\s*)[^\s.]{6,}", re.IGNORECASE)


def json_object(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object in some bytes.

    Args:
        data: the bytes.
        what: what they are, for the message.

    Raises:
        BrokenReplyError: they are not JSON, or not an object.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BrokenReplyError(f"{what} is not JSON") from None
    if not isinstance(value, dict):
        raise BrokenReplyError(f"{what} is not a JSON object")
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, (dict, Mapping)) else _NOTHING  # dict: asking an abstract class takes longer


def listing(value: object) -> Sequence[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


MOST_COUNTED = 10**12
"""Nobody's limit and nobody's bill is larger; a server that says so is confused."""


def objects(value: object) -> tuple[Json, ...]:
    """The objects in the value where it is a list."""
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def word(value: object) -> str:
    """The value where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """The value where it is a whole number that can count tokens or requests, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MOST_COUNTED and value == int(value) else None


def amount(value: object) -> float | None:
    """The value where it is a finite number that is not negative, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value >= 0 and math.isfinite(value) else None


def one_line(message: str) -> str:
    """What a provider said, in one line of bearable length, with whatever looks like a key struck out."""
    safe = _SECRET.sub("[key]", _ECHOED.sub(r"\1[key]", message[: 8 * LONGEST_PROBLEM]))
    line = " ".join(safe.split())
    return line if len(line) <= LONGEST_PROBLEM else f"{line[: LONGEST_PROBLEM - 1]}…"
