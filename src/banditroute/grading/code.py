"""Whether the code in an answer can be read at all."""

from __future__ import annotations

import ast
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import orjson

from banditroute.errors import UngradableError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable

_BLOCK = re.compile(r"```[ ]*([\w+#.-]*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_MOST_CHARACTERS = 100_000
_NAMES = {"py": "python", "python3": "python", "": ""}


@dataclass(frozen=True, slots=True)
class CodeCompiles:
    """The share of an answer's code blocks that parse: Python, JSON and TOML; None where it has none of these.

    Nothing is run. A block that names no language is taken for `language`.

    Attributes:
        name: the source of its grades.
        language: what code without a name is; where the answer has no block at all, the whole of it. Empty = nothing.
    """

    name: str = "code"
    language: str = ""

    def grade(self, item: Item) -> float | None:
        """From 0 to 1; None where there is no code that could be read.

        Raises:
            UngradableError: a block is too long or too deep.
        """
        text = readable(item.completion.text)
        blocks = _BLOCK.findall(text) or ([(self.language, text)] if self.language else [])
        named = [(_NAMES.get(name.lower(), name.lower()) or self.language, code) for name, code in blocks]
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
        return ast.parse(code)


_READERS: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {"python": _python, "json": orjson.loads, "toml": tomllib.loads}
)
