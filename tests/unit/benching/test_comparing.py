import numpy as np
import pytest

from banditroute.benching.comparing import Pair, differences, holm, sign_flip_p_values
from banditroute.benching.results import Measure

RNG = np.random.default_rng(5)


def pair(gaps: list[float] | np.ndarray, measure: Measure = "quality", task: str = "") -> Pair:
    return Pair(measure, "a", "b", task, np.asarray(gaps, dtype=float))


def test_few_prompts_are_tested_by_every_combination_of_signs() -> None:
    gaps = np.array([[1.0, 1.0], [2.0, -1.0], [3.0, np.nan]])
    # a: 2 of 8 sums are as large as 6; b: two known gaps that cancel, so that every sum is as large
    assert sign_flip_p_values(gaps, RNG).tolist() == [0.25, 1.0]


def test_many_prompts_agree_with_the_binomial() -> None:
    gaps = np.repeat([1.0, -1.0], [30, 10])[:, None]
    assert sign_flip_p_values(gaps, np.random.default_rng(1))[0] == pytest.approx(0.0022, abs=0.001)


@pytest.mark.statistical
def test_equal_models_are_told_apart_no_more_often_than_promised() -> None:
    """400 benchmarks of three equal models: at 5% of families, false alarm of this test below 1e-4 (33 of 400)."""
    rng, alarms = np.random.default_rng(11), 0
    for _ in range(400):
        scores = (rng.random((14, 3)) < 0.7).astype(float)
        pairs = [pair(scores[:, i] - scores[:, j]) for i, j in ((0, 1), (0, 2), (1, 2))]
        alarms += any(each.shown for each in differences(pairs, rng))
    assert alarms <= 33


def test_holm_steps_down() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_the_model_with_more_stands_first_and_the_sentence_says_so() -> None:
    found = differences([pair(np.full(30, -0.5))], RNG)[0]
    assert (found.first, found.second, found.mean.value) == ("b", "a", 0.5)
    assert found.shown
    assert found.p_value < 0.001
    assert found.verdict.startswith("b is better than a: by 0.500 (0.")
    assert found.verdict.endswith(", 30 prompts)")


def test_what_is_not_shown_is_said_to_be_not_shown() -> None:
    found = differences([pair([0.1, -0.1, 0.0, 0.05], "latency_s", "qa")], RNG)[0]
    assert not found.shown
    assert found.verdict.startswith("no difference shown in latency between a and b on qa: 0.0125 s (-0.")


def test_dollars_are_written_without_exponents() -> None:
    found = differences([pair([0.0000986, 0.0000988] * 20, "cost_usd")], RNG)[0]
    assert found.verdict.startswith("a costs more than b: by $0.0000987 (")


def test_models_that_share_no_prompt_are_not_compared() -> None:
    found = differences([pair([np.nan, np.nan])], RNG)[0]
    assert (found.prompts, found.p_value, found.shown) == (0, 1.0, False)
    assert found.verdict == "a and b cannot be compared in quality: no prompt has both"


def test_more_comparisons_ask_for_more_evidence() -> None:
    clear, nothing = pair([1.0] * 6), [pair([0.5, -0.5] * 3) for _ in range(9)]
    alone, among = differences([clear], RNG)[0], differences([clear, *nothing], RNG)[0]
    assert alone.p_value == pytest.approx(2 / 64)
    assert alone.shown
    assert not among.shown
