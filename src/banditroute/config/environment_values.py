"""What an environment variable's text says, for a key of router.toml."""

from __future__ import annotations

import tomllib

from banditroute.config.shapes import Shape


def said(text: str, shape: Shape) -> object:
    """The value that a text stands for: itself where the key takes a text, else as TOML would read it.

    Numbers, true and false, and lists are written as in the file. What cannot be read so stays a text, so that the
    key's own check says what it expected.
    """
    begun = text.lstrip()
    if shape.text and not (shape.listed and begun.startswith("[")):
        return text
    try:
        read = tomllib.loads(f"value = {text.strip()}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text  # a line end may smuggle in further keys
