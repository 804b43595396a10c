"""A cheap grader's grades come to mean what the judge's do."""

import pytest

from banditroute.grading.scale import Scale


def test_grades_come_to_mean_what_the_judge_means() -> None:
    scale = Scale()
    assert scale.grade("first", 0.9) == 0.9
    for number in range(500):
        scale.grade(str(number), 0.9)
        scale.compare(str(number), 0.5)
    assert scale.grade("last", 0.9) == pytest.approx(0.5, abs=0.02)


def test_only_answers_that_both_graded_count() -> None:
    scale = Scale()
    scale.compare("unknown", 0.0)
    scale.grade("a", 0.5)
    scale.compare("a", 0.7)
    scale.compare("a", 0.1)
    assert scale.calibration.shared == 1


def test_it_waits_for_a_bounded_number_of_verdicts() -> None:
    scale = Scale()
    for number in range(2_000):
        scale.grade(str(number), 0.5)
    for number in range(2_000):
        scale.compare(str(number), 0.5)
    assert scale.calibration.shared == 1_000
