"""How much of an answer graders read, and how they read it: bounds that hold whatever a model wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from banditroute.errors import UngradableError

MOST_CHARACTERS = 1 << 20
"""Graders that take an answer apart read no more than this."""

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # kana and Han
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_PIECE = 256  # normalising is quadratic in a run of combining marks, so that runs are cut
_MEANINGFUL = frozenset("-#%&@/\\")  # punctuation to Unicode, but -5 is not 5, and C# is not C


def readable(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text.

    Raises:
        UngradableError: it has more than `most` characters.
    """
    if len(text) > most:
        raise UngradableError(f"the answer has {len(text):,} characters, more than the {most:,} that are read")
    return text


def folded(text: str, *, case: bool = True, space: bool = True, punctuation: bool = True) -> str:
    """The text in Unicode's compatibility form (NFKC), without what is not to matter.

    Args:
        text: any text.
        case: capitals do not matter.
        space: it does not matter how much white space stands between words.
        punctuation: quotes, brackets, full stops and the like around words do not matter; inside words, as in 3.14,
            they do.
    """
    text = "".join(_normal(text))
    if case:
        text = text.casefold()
    words = text.split() if space else text.split(" ")
    if punctuation:
        marks = "".join(mark for mark in set(text) if _is_mark(mark))
        leading = marks.replace(".", "")  # .5 is not 5
        words = [word.lstrip(leading).rstrip(marks) for word in words]
    return " ".join(filter(None, words) if space else words)


def words_of(text: str) -> list[str]:
    """The words of a text as white space parts them; of Chinese and Japanese, which have none, the characters."""
    return text.split() if text.isascii() else _WORD.findall(text)


def _normal(text: str) -> Iterator[str]:
    if text.isascii():
        yield text
        return
    for start in range(0, len(text), _PIECE):
        yield unicodedata.normalize("NFKC", text[start : start + _PIECE])


def _is_mark(character: str) -> bool:
    if character in _MEANINGFUL:
        return False
    return character == "`" or unicodedata.category(character).startswith("P")
