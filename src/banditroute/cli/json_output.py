"""One JSON document on standard output."""

import sys

import orjson


def write_json(document: object) -> None:
    """Writes it indented, with a line end behind it."""
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
