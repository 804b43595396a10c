"""Marks of a text that no single n-gram shows: how long it is, what it is made of, how it begins and ends."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .characters import Kind

Floats = NDArray[np.float32]

MARKS = (
    "length",
    "lines",
    "line_length",
    *(f"share_{kind.name}" for kind in Kind if kind is not Kind.space),
    "share_capital",
    "one_line",
    "question_last",
    "question_first_line",
    "colon_last",
    "stop_last",
    "code_fence",
    "indented",
    "statement_ends",
    "option_lines",
    "bullet_lines",
    "blank_lines",
    "quoted",
    "capital_first",
)
"""The marks, in order."""

_TAIL = 12
_MOST = 4
_NO_LINES = (0.0,) * 5
_COUNTED = np.array([kind for kind in Kind if kind is not Kind.space])


def marks_of(text: str, kinds: NDArray[np.uint8], capitals: int) -> Floats:
    """The marks (len(MARKS),) of a text, each of about unit size; kinds are its characters', (n,)."""
    n = max(kinds.size, 1)
    shares = np.sqrt(np.bincount(kinds, minlength=len(Kind))[_COUNTED] / n)
    lines = text.count("\n") + 1
    tail = text[-_TAIL:].rstrip()[-2:]
    return np.array(
        (
            math.log(n) / 4 - 1,
            math.log(lines) / 2,
            math.log(n / lines) / 4 - 1,
            *shares,
            math.sqrt(capitals / n),
            lines == 1,
            _has(tail, "?\uff1f\u061f"),
            _has(text.partition("\n")[0], "?\uff1f\u061f"),
            _has(tail, ":\uff1a"),
            _has(tail, ".!\u3002\uff01"),
            "```" in text,
            *(_NO_LINES if lines == 1 else _line_marks(text)),
            _has(text, "\u201c\u201e\u00ab\u300c") or text.count('"') >= 2,
            text[:1].isupper(),
        ),
        dtype=np.float32,
    )


def _line_marks(text: str) -> tuple[float, ...]:
    """Marks that a text of one line has not."""
    ends = text.count(";\n") + text.count("{\n") + text.count("):\n") + text.count(");")
    options = sum(text.count(f"\n{letter}{sign}") for letter in "ABCD" for sign in ").:")
    bullets = text.count("\n- ") + text.count("\n* ") + text.count("\n1.") + text.count("\n2.")
    indented = float("\n    " in text or "\n\t" in text)
    return (indented, *(min(count, _MOST) / _MOST for count in (ends, options, bullets, text.count("\n\n"))))


def _has(text: str, signs: str) -> bool:
    return any(sign in text for sign in signs)
