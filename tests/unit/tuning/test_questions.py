"""Questions that nobody can answer are refused, each by the option that asked."""

from __future__ import annotations

from typing import Any

import pytest

from banditroute.errors import InputError
from banditroute.tuning.questions import Questions


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ({"target_quality": (0.0,)}, "--target-quality"),
        ({"target_quality": (0.9, 1.01)}, "--target-quality"),
        ({"target_quality": (float("nan"),)}, "--target-quality"),
        ({"budget_usd": (0.0,)}, "--budget-usd"),
        ({"budget_usd": (float("inf"),)}, "--budget-usd"),
        ({"budget_usd": (1e-3, float("nan"))}, "--budget-usd"),
        ({"confidence": 1.0}, "--confidence"),
        ({"confidence": 0.4}, "--confidence"),
        ({"confidence": float("nan")}, "--confidence"),
        ({"requests_per_day": 0.0}, "--requests-per-day"),
        ({"requests_per_day": float("inf")}, "--requests-per-day"),
    ],
)
def test_out_of_range(asked: dict[str, Any], option: str) -> None:
    with pytest.raises(InputError) as caught:
        Questions(**asked)
    assert caught.value.field == option
    assert caught.value.remedy


def test_the_ends_of_the_ranges_are_taken() -> None:
    asked = Questions(target_quality=(1.0, 1e-9), budget_usd=(1e-12, 1e6), confidence=0.5, requests_per_day=0.1)
    assert (asked.target_quality, asked.confidence) == ((1.0, 1e-9), 0.5)
