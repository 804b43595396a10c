"""What kind of character each code point is, for whole texts at once."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

Codes = NDArray[np.uint32]
Kinds = NDArray[np.intp]
"""As indices, for they are looked up by."""

_BMP = 0x10000
_SPACE_LIKE = (0x200B, 0x200C, 0x200D, 0xFEFF)  # no width, and no meaning here


class Kind(IntEnum):
    """Kinds of characters; scripts apart from each other, as far as counting them tells languages apart."""

    other = 0
    space = 1
    newline = 2
    digit = 3
    latin = 4
    cyrillic = 5
    arabic = 6
    devanagari = 7
    kana = 8
    hangul = 9
    han = 10
    letter = 11
    bracket = 12
    question = 13
    stop = 14
    operator = 15
    quote = 16
    symbol = 17


WORD_KINDS = (
    Kind.digit,
    Kind.latin,
    Kind.cyrillic,
    Kind.arabic,
    Kind.devanagari,
    Kind.hangul,
    Kind.letter,
)
"""Kinds whose runs are words; a character of `han` or `kana` is a word by itself."""

_RANGES = (
    (Kind.cyrillic, 0x0400, 0x052F),
    (Kind.arabic, 0x0600, 0x06FF),
    (Kind.arabic, 0x0750, 0x077F),
    (Kind.devanagari, 0x0900, 0x097F),
    (Kind.kana, 0x3040, 0x30FF),
    (Kind.hangul, 0x1100, 0x11FF),
    (Kind.hangul, 0xAC00, 0xD7A3),
    (Kind.han, 0x3400, 0x4DBF),
    (Kind.han, 0x4E00, 0x9FFF),
    (Kind.han, 0xF900, 0xFAFF),
    (Kind.latin, 0x00C0, 0x024F),
    (Kind.latin, 0x1E00, 0x1EFF),
)
_NAMED = (
    (Kind.newline, "\n\r\u2028\u2029"),
    (Kind.bracket, "()[]{}<>"),
    (Kind.question, "?\uff1f\u061f\u00bf"),
    (Kind.stop, ".!,;:\u3002\uff01\uff0c\uff1b\uff1a\u3001\u060c\u061b\u0964"),
    (Kind.operator, "+-*/=^%|&~\\_$#@`\u00d7\u00f7\u221a\u2264\u2265\u2260\u222b\u2211"),
    (Kind.quote, "\"'\u00ab\u00bb\u201c\u201d\u2018\u2019\u201e\u300c\u300d\u300e\u300f"),
)


def codes_of(text: str) -> Codes:
    """The code points of a text, lone surrogates included, (n,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


class Characters(NamedTuple):
    """What is known of each character of a text, (n,).

    Attributes:
        kinds: the Kind of each.
        plain: the code points with all digits alike and all white space alike.
    """

    kinds: Kinds
    plain: Codes


def characters_of(codes: Codes) -> Characters:
    """What is known of these code points."""
    kinds, plain = _tables()
    places = codes.astype(np.intp)
    if not codes.size or codes.max() < _BMP:
        return Characters(kinds.take(places), plain.take(places))
    beyond = codes >= _BMP
    np.minimum(places, _BMP - 1, out=places)
    return Characters(np.where(beyond, _beyond(codes), kinds.take(places)), np.where(beyond, codes, plain.take(places)))


def _beyond(codes: Codes) -> Kinds:
    """Kinds beyond the basic plane: rare ideographs, and otherwise signs and pictures."""
    ideograph = (codes >= 0x20000) & (codes < 0x40000)
    return np.where(ideograph, np.intp(Kind.han), np.intp(Kind.symbol))


@cache
def _tables() -> Characters:
    """What is known of each code point of the basic plane, (65536,)."""
    kinds = np.fromiter(_kinds(), dtype=np.intp, count=_BMP)
    for kind, first, last in _RANGES:
        kinds[first : last + 1] = np.where(kinds[first : last + 1] == Kind.letter, kind, kinds[first : last + 1])
    for kind, characters in _NAMED:
        kinds[[ord(character) for character in characters]] = kind
    plain = np.arange(_BMP, dtype=np.uint32)
    plain[kinds == Kind.digit] = ord("0")
    plain[(kinds == Kind.space) | (kinds == Kind.newline)] = ord(" ")
    return Characters(kinds, plain)


def _kinds() -> Iterator[int]:
    for code in range(_BMP):
        character = chr(code)
        if code < 0x80 and character.isalpha():
            yield Kind.latin
        elif category(character)[0] in "LM":  # marks belong to their letter
            yield Kind.letter
        elif character.isdigit():
            yield Kind.digit
        elif character.isspace() or code in _SPACE_LIKE:
            yield Kind.space
        else:
            yield Kind.symbol if code >= 0x2190 else Kind.other
