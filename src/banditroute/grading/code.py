"""Whether the code in an answer can be read at all."""

from __future__ import annotations

import ast
import textwrap
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import orjson

from banditroute.errors import UngradableError
from banditroute.grading.fences import Block, blocks
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable

_MOST_CHARACTERS = 100_000
_MOST_DOTS = 200  # in a line of TOML: tomllib is quadratic in the parts of a dotted key
_NAMES = {"py": "python", "python3": "python"}


@dataclass(frozen=True, slots=True)
class CodeCompiles:
    """The share of an answer's code blocks that parse: Python, JSON and TOML; None where it has none of these.

    Nothing is run. A block that names no language is taken for `language`.

    Attributes:
        name: the source of its grades.
        language: what code without a name is; where the answer has no block at all, the whole of it. Empty = nothing.
    """

    name: str = "code"
    language: Literal["", "python", "json", "toml"] = ""

    def grade(self, item: Item) -> float | None:
        """From 0 to 1; None where there is no code that could be read.

        Raises:
            UngradableError: a block is too long or too deep.
        """
        text = readable(item.completion.text)
        found = list(blocks(text)) or [Block(self.language, text)]
        named = [(_NAMES.get(block.language, block.language) or self.language, block.text) for block in found]
        known = [(reads, code) for name, code in named if (reads := _READERS.get(name))]
        if not known:
            return None
        return sum(_reads(reads, code) for reads, code in known) / len(known)


def _reads(reads: Callable[[str], object], code: str) -> bool:
    if len(code) > _MOST_CHARACTERS:
        raise UngradableError(f"a block of {len(code):,} characters is too long to be read")
    try:
        reads(code)
    except (RecursionError, MemoryError):
        raise UngradableError("a block is too deep to be read") from None
    except (SyntaxError, ValueError):
        return False
    return True


def _python(code: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        return ast.parse(textwrap.dedent(code))  # a block in a list is indented


def _toml(code: str) -> object:
    if any(line.count(".") > _MOST_DOTS for line in code.splitlines()):
        raise UngradableError("a line of TOML has too many dots to be read")
    return tomllib.loads(code)


_READERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {"python": _python, "json": orjson.loads, "toml": _toml}
)
