"""What a grader says of an answer, held to be a quality: the edge to code that may be anybody's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import SupportsFloat

from banditroute.errors import UngradableError

from .protocol import Item


def quality_of(grade: Callable[[Item], object], item: Item) -> float | None:
    """What a grader's `grade` says of the answer.

    Whatever it raises is no quality, and nothing more: an answer that is paid for is not lost to a grader's defect.

    Raises:
        UngradableError: it cannot tell, fails, or says what is no quality.
    """
    try:
        return checked(grade(item))
    except UngradableError:
        raise
    except Exception as error:  # anybody's code may raise anything; its words stay out, for they may quote the prompt
        raise UngradableError(f"the grader failed: {type(error).__name__}") from error


def checked(said: object) -> float | None:
    """What a grader said, if it is a quality or None.

    Raises:
        UngradableError: it is not a number from 0 to 1.
    """
    if said is None:
        return None
    quality = float(said) if isinstance(said, SupportsFloat) else math.nan
    if 0.0 <= quality <= 1.0:
        return quality
    shown = repr(quality) if isinstance(said, SupportsFloat) else f"a {type(said).__name__}"
    raise UngradableError(f"the grader says {shown}, which is not a quality from 0 to 1")
