"""Several graders as one, and a cheap one on an expensive one's scale."""

from dataclasses import dataclass

import numpy as np
import pytest

from banditroute.errors import UngradableError
from banditroute.grading.blend import Blend
from banditroute.grading.calibration import Calibration
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion

ITEM = Item("d", "qa", ChatRequest(()), Completion({}, "", None))


@dataclass(frozen=True)
class Says:
    quality: float | None
    name: str = "says"

    def grade(self, item: Item) -> float | None:
        return self.quality


class Fails:
    name = "fails"

    def grade(self, item: Item) -> float | None:
        raise UngradableError("cannot tell")


def test_weights_stand_for_those_that_speak() -> None:
    assert Blend("b", ((Says(1.0), 3.0), (Says(0.0), 1.0))).grade(ITEM) == 0.75
    assert Blend("b", ((Says(1.0), 3.0), (Says(None), 9.0), (Fails(), 9.0), (Says(0.0), 1.0))).grade(ITEM) == 0.75
    assert Blend("b", ((Says(0.0), 1.0), (Says(None), 1.0))).grade(ITEM) == 0.0


def test_nobody_spoke() -> None:
    assert Blend("b", ((Says(None), 1.0),)).grade(ITEM) is None
    with pytest.raises(UngradableError, match="cannot tell"):
        Blend("b", ((Says(None), 1.0), (Fails(), 1.0))).grade(ITEM)


def test_few_shared_grades_change_nothing() -> None:
    calibration = Calibration()
    for _ in range(4):
        calibration.add(0.9, 0.1)
    assert calibration.apply(0.9) == 0.9


def test_a_harsh_grader_is_brought_onto_the_scale() -> None:
    """Grades that are the square of the judge's, with noise: far off before, close after, and in order."""
    rng = np.random.default_rng(3)
    calibration = Calibration()
    for judged in rng.uniform(0, 1, 400):
        calibration.add(float(np.clip(judged**2 + rng.normal(0, 0.02), 0, 1)), float(judged))
    before, after = calibration.error()
    assert after < 0.4 * before
    applied = [calibration.apply(grade) for grade in np.linspace(0, 1, 41)]
    assert applied == sorted(applied)
    assert all(0.0 <= grade <= 1.0 for grade in applied)
    assert calibration.apply(0.25) == pytest.approx(0.5, abs=0.05)
