"""Values as TOML spells them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast


def toml_value(value: Any) -> str:
    """A text, number, truth, list or (inline) table on one line.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace(
            "\x7f", "\\u007f"
        )  # JSON's escapes are TOML's, but for DEL
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = [f"{key} = {toml_value(each)}" for key, each in cast("Mapping[str, Any]", value).items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(toml_value, cast('Sequence[Any]', value)))}]"
    raise TypeError(f"TOML has no {type(value).__name__}")
