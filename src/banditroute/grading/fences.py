"""The fenced code blocks of a Markdown text (CommonMark 0.31, section 4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"[ \t]{0,12}(`{3,}|~{3,})([^`\n]*)$")  # deeper than CommonMark has it, for blocks in lists


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        language: the first word after the fence, in small letters; empty where there is none.
        text: what stands in it.
    """

    language: str
    text: str


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a text in order; one that is never closed ends with the text."""
    fence, language, lines = "", "", list[str]()
    for line in text.split("\n"):
        match = _FENCE.match(line.rstrip())
        if not fence:
            if match:
                fence, language, lines = match[1], _language(match[2]), []
        elif match and match[1].startswith(fence) and not match[2].strip():
            yield Block(language, "\n".join(lines))
            fence = ""
        else:
            lines.append(line)
    if fence:
        yield Block(language, "\n".join(lines))


def _language(info: str) -> str:
    words = info.split(maxsplit=1)
    return words[0].lower().strip("{}.") if words else ""
