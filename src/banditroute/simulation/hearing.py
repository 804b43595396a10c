"""How judgements reach a policy: at once, late, or never."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.policy import Step

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Judged(NamedTuple):
    """What R replications hear of one step: the arms (R,) that served it and their qualities, nan where not judged."""

    step: Step
    arm: Ints
    quality: Floats


class Ear(Protocol):
    """Passes judgements on as they would arrive."""

    def at_once(self, step: Step, arm: Ints, quality: Floats) -> Floats:
        """The qualities (R,) that are known as soon as the step is served, nan where they are not."""
        ...

    def late(self) -> Iterable[Judged]:
        """The judgements of earlier steps that arrive before the next one."""
        ...


class Prompt:
    """Every judgement comes at once."""

    def at_once(self, step: Step, arm: Ints, quality: Floats) -> Floats:  # noqa: ARG002
        """All of them."""
        return quality

    def late(self) -> Iterable[Judged]:
        """None."""
        return ()


class Patchy:
    """Some judgements never come, the others after so many requests.

    Args:
        delay_requests: a judgement comes after so many further requests were decided.
        missing: (K,) share of each arm's answers that are never judged.
        uniform: (n, R) uniforms in [0, 1), one for each answer.
    """

    def __init__(self, delay_requests: int, missing: Floats, uniform: Floats) -> None:
        self._delay = delay_requests
        self._missing = missing
        self._uniform = iter(uniform)
        self._waiting: deque[Judged] = deque()

    def at_once(self, step: Step, arm: Ints, quality: Floats) -> Floats:
        """Those that come without delay."""
        heard = np.where(next(self._uniform) < self._missing[arm], np.nan, quality)
        if self._delay == 0:
            return heard
        self._waiting.append(Judged(step, arm, heard))
        return np.full_like(heard, np.nan)

    def late(self) -> Iterator[Judged]:
        """Those whose delay is over."""
        while len(self._waiting) > self._delay:
            yield self._waiting.popleft()
