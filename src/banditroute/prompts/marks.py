"""Marks of a text that no single n-gram shows: how long it is, what it is made of, how it begins and ends."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from .characters import Kind, Kinds

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
_SHARES = slice(MARKS.index("share_other"), MARKS.index("share_capital"))
_QUESTIONS = "?\uff1f\u061f"
_OPTION = re.compile(r"\n[A-D][).:]")
_BULLET = re.compile(r"\n(?:[-*] |[12]\.)")
_STATEMENT_END = re.compile(r"\n(?:(?<=[;{]\n)|(?<=\):\n))")  # begins with the one sign that is quickly looked for


def marks_of(text: str, kinds: Kinds, capitals: int) -> Floats:
    """The marks (len(MARKS),) of a text, each of about unit size; kinds are its characters', (n,)."""
    n = max(kinds.size, 1)
    lines = text.count("\n") + 1
    tail = text[-_TAIL:].rstrip()[-2:]
    marks = np.empty(len(MARKS), dtype=np.float32)
    marks[: _SHARES.start] = math.log(n) / 4 - 1, math.log(lines) / 2, math.log(n / lines) / 4 - 1
    np.sqrt(np.bincount(kinds, minlength=len(Kind)).take(_COUNTED) / n, out=marks[_SHARES], casting="same_kind")
    marks[_SHARES.stop :] = (
        math.sqrt(capitals / n),
        lines == 1,
        _has(tail, _QUESTIONS),
        _has(text.partition("\n")[0], _QUESTIONS),
        _has(tail, ":\uff1a"),
        _has(tail, ".!\u3002\uff01"),
        "```" in text,
        *(_NO_LINES if lines == 1 else _line_marks(text)),
        _has(text, "\u201c\u201e\u00ab\u300c") or text.count('"') >= 2,
        text[:1].isupper(),
    )
    return marks


def _line_marks(text: str) -> tuple[float, ...]:
    """Marks that a text of one line has not."""
    indented = "\n    " in text or "\n\t" in text
    counts = (
        len(_STATEMENT_END.findall(text)) + text.count(");"),
        len(_OPTION.findall(text)),
        len(_BULLET.findall(text)),
        text.count("\n\n"),
    )
    return (indented, *(min(count, _MOST) / _MOST for count in counts))


def _has(text: str, signs: str) -> bool:
    for sign in signs:  # noqa: SIM110 - several times faster than any(), and asked six times a prompt
        if sign in text:
            return True
    return False
