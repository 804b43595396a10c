"""Arithmetic of two kinds of number: replications side by side are arrays, what is live is a few plain numbers.

One formula serves both. On a single number numpy's functions cost ten times what Python's own do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Kind(NamedTuple):
    """The operations of one kind of number that formulas are written with."""

    least: Callable[..., Any]
    most: Callable[..., Any]
    exp: Callable[..., Any]
    where: Callable[..., Any]


def _either(condition: bool, this: float, that: float) -> float:
    return this if condition else that


ARRAYS = Kind(np.minimum, np.maximum, np.exp, np.where)
NUMBERS = Kind(min, max, math.exp, _either)
