r"""What a mathematical answer puts into \boxed{}."""

from __future__ import annotations

_BOX = "\\boxed{"
_MOST = 1_000  # characters of a result


def last_boxed(text: str) -> str | None:
    r"""What stands in the last \boxed{...}, its own braces included; None where there is none that ends."""
    start = text.rfind(_BOX)
    if start < 0:
        return None
    start += len(_BOX)
    depth = 1
    for position, character in enumerate(text[start : start + _MOST], start):
        depth += (character == "{") - (character == "}")
        if not depth:
            return text[start:position]
    return None
