"""What a month saved against baselines: numbers where the log carries them, and else the reason."""

import random

import pytest

from banditroute.errors import InputError
from banditroute.records import Context, Decision, Feedback, Outcome, Usage
from banditroute.reports.month.baselines import parsed
from banditroute.reports.month.comparing import compared
from banditroute.reports.month.sample import Sample
from banditroute.storage.protocol import Dispatch, Trail

NOVEMBER = 1_793_491_200.0
USD = {"small": 0.001, "large": 0.010}
QUALITY = {"small": 0.6, "large": 0.9}
MIX = {"qa": {"small": 1, "large": 3}}


def a_sample(rows: int = 2_000, *, large: float = 0.4, judged: float = 0.5, most: int = 10_000) -> Sample:
    """Decisions between two models, drawn with these chances, whose dollars and quality are known."""
    chance, sample = random.Random(3), Sample(most)
    for number in range(rows):
        p = {"small": 1.0 - large, "large": large}
        model = chance.choices(list(p), list(p.values()))[0]
        name = f"d{number}"
        decision = Decision(name, NOVEMBER + number, Context("qa", (), 100), model, p[model], p, {}, {})
        outcome = Outcome(name, model, NOVEMBER + number + 1.0, Usage(100, 50), USD[model], 1.0)
        says = chance.random() < judged
        quality = float(chance.random() < QUALITY[model])
        sample.offer(Trail(Dispatch(decision), outcome, (), (Feedback(name, quality),) if says else ()))
    return sample


def by_name(names, sample, mix=MIX):
    found = compared(parsed(names), sample, mix)
    assert found is not None
    return found, {each.name: each for each in found.rows}


def test_what_fixed_models_and_the_mix_would_have_spent_and_got():
    found, rows = by_name((), a_sample())
    assert list(rows) == ["best", "cheapest", "last-month"]
    assert "always large" in rows["best"].meaning
    assert "always small" in rows["cheapest"].meaning
    assert [rows[name].label for name in rows] == ["best: large", "cheapest: small", "last-month"]
    for name, usd, quality in (("best", 20.0, 0.9), ("cheapest", 2.0, 0.6), ("last-month", 15.5, 0.825)):
        each = rows[name]
        assert each.baseline_usd.mean == pytest.approx(usd, rel=0.02)
        low, high = each.quality.ci95
        assert low < quality < high
        # Saved and spent are one sum: nothing is rounded or estimated twice.
        assert each.saved_usd.mean + found.spent_usd == pytest.approx(each.baseline_usd.mean, abs=1e-9)
        assert each.gained.mean + each.quality.mean == pytest.approx(found.quality, abs=1e-9)
        assert each.saved_usd.ci95.low <= each.saved_usd.mean <= each.saved_usd.ci95.high
        assert each.verdict == ""
    assert rows["best"].saved_usd.ci95.low > 0.0 > rows["best"].gained.ci95.high
    assert rows["cheapest"].saved_usd.ci95.high < 0.0 < rows["cheapest"].gained.ci95.low


def test_a_part_of_the_month_is_carried_over_to_all_of_it():
    found, rows = by_name(("always:large",), a_sample(6_000, most=1_500))
    assert (found.decisions, found.looked_at) == (6_000, 1_500)
    low, high = rows["always:large"].baseline_usd.ci95
    assert low < 60.0 < high
    assert "1,500 of the 6,000 decisions" in found.notes[0]


def test_too_few_decisions_get_a_sentence_and_no_number():
    _, rows = by_name((), a_sample(90))
    assert all(each.saved_usd is None and each.quality is None for each in rows.values())
    assert all(each.verdict.startswith("No verdict") for each in rows.values())


def test_dollars_are_told_where_only_quality_is_unknown():
    _, rows = by_name(("best", "always:large"), a_sample(judged=0.0))
    assert rows["best"].verdict == "No verdict: nobody judged an answer, so no model is known to be best."
    large = rows["always:large"]
    assert large.saved_usd is not None
    assert large.quality is None
    assert large.verdict == "Nobody judged an answer: nothing is known of quality."
    _, rows = by_name(("always:large",), a_sample(judged=0.02))
    assert rows["always:large"].saved_usd is not None
    assert rows["always:large"].quality is None
    assert rows["always:large"].verdict.startswith("Of quality: no verdict yet")


def test_a_baseline_that_costs_nothing_is_never_below_nothing():
    USD["small"] = 0.0
    try:
        found, rows = by_name(("always:small",), a_sample())
    finally:
        USD["small"] = 0.001
    assert rows["always:small"].baseline_usd.ci95.low >= 0.0
    assert rows["always:small"].saved_usd.ci95.low >= -found.spent_usd


def test_models_and_months_of_which_nothing_is_on_record():
    _, rows = by_name(("always:huge", "last-month"), a_sample(), mix={})
    assert rows["always:huge"].verdict == "No verdict: no decision of the month could have been huge's."
    assert rows["last-month"].verdict == "No verdict: no decision of the month before is on record."


def test_models_that_are_gone_leave_their_share_to_the_others():
    found, rows = by_name(("last-month",), a_sample(), mix={"qa": {"small": 1, "gone": 3}})
    assert rows["last-month"].baseline_usd.mean == pytest.approx(2.0, rel=0.02)
    assert any("75% of the month before's choices were models" in note for note in found.notes)


def test_without_chance_there_is_nothing_to_compare():
    assert compared(parsed(()), Sample(10), {}) is None


@pytest.mark.parametrize("name", ["always:", "bset", "fixed:large", ""])
def test_a_name_of_no_baseline_is_refused(name):
    with pytest.raises(InputError, match="no baseline is called"):
        parsed((name,))


def test_the_best_model_is_named_and_priced_though_its_quality_is_not_sure():
    _, rows = by_name(("best",), a_sample(large=0.1, judged=0.3))
    best = rows["best"]
    assert best.meaning.startswith("always large, the fixed model of highest estimated quality; not surely so")
    assert best.label == "best, perhaps large"
    assert best.saved_usd is not None
    assert best.quality is None
    assert best.verdict.startswith("Of quality: no verdict yet")
