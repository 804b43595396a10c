"""What the page of an evaluation says: verdicts first, both intervals, and what was set aside."""

import csv
from dataclasses import replace

from banditroute.evaluation.results import (
    Estimate,
    Evaluation,
    Interval,
    Logged,
    Overlap,
    SetAside,
    Target,
    Value,
)
from banditroute.reports.charts.canvas import drawing
from banditroute.reports.evaluation import evaluation_report, save_evaluation_figures, write_evaluation_report

MODELS = ("claude-haiku-4.5", "gemini-2.5-pro", "llama-3.1-8b-instruct")
LOGGED = (0.8841, 0.00124, 1.84)


def value(mean: float, logged: float, half: float, *, anytime: bool = True, rows: int = 2000) -> Value:
    """An estimate whose interval is so wide to either side, and twice so for every look."""
    wide = Interval(mean - 2 * half, mean + 2 * half) if anytime else None
    gain = mean - logged
    return Value(
        mean,
        Interval(mean - half, mean + half),
        wide,
        gain,
        Interval(gain - half, gain + half),
        Interval(gain - 2 * half, gain + 2 * half) if anytime else None,
        rows,
    )


def estimate(policy: str, estimator: str, quality: float, cost: float, latency: float, *, spread=1.0, judged=True):
    anytime = estimator in {"ips", "dr"}
    return Estimate(
        policy,
        estimator,
        value(quality, LOGGED[0], 0.011 * spread, anytime=anytime, rows=1411) if judged else None,
        value(cost, LOGGED[1], 0.00008 * spread, anytime=anytime),
        value(latency, LOGGED[2], 0.12 * spread, anytime=anytime),
    )


def target(policy: str, ess: float, verdict: str, unseen: float = 0.0) -> Target:
    overlap = tuple(
        Overlap(model, logged, share, int(2000 * logged), ess * share, 1 / (logged + 0.01), unseen * (n == 2))
        for n, (model, logged, share) in enumerate(zip(MODELS, (0.31, 0.62, 0.07), (0.55, 0.40, 0.05), strict=True))
    )
    return Target(policy, ess, 0.7 * ess, 14.2, 0.993, unseen, overlap, ess >= 100, verdict)


def an_evaluation(*, policies: int = 2, judged: bool = True, set_aside: bool = True) -> Evaluation:
    """An evaluation of a router.toml, and of one model that the log hardly ever drew."""
    targets = (
        target(
            "cheaper.toml",
            812.4,
            "Turning cheaper.toml on would save 31% of dollars (95% interval 26% to 36%) at a quality that differs by "
            "+.004 (−.007 to +.015): no loss is shown.",
        ),
        target(
            "fixed:llama-3.1-8b-instruct",
            41.7,
            "The log carries no verdict: about 2,840 more decisions are needed.",
            0.03,
        ),
    )[:policies]
    estimates = [
        *(estimate("cheaper.toml", name, 0.888 + d, 0.00086, 1.61, judged=judged)
          for name, d in (("ips", 0.006), ("snips", 0.002), ("dm", -0.004), ("dr", 0.0), ("switch-dr", 0.001))),
        *(estimate("fixed:llama-3.1-8b-instruct", name, 0.76 + d, 0.00002, 0.71, spread=4, judged=judged)
          for name, d in (("ips", 0.03), ("snips", -0.02), ("dm", 0.01), ("dr", 0.0), ("switch-dr", 0.0))),
    ]  # fmt: skip
    quality = (LOGGED[0], Interval(0.875, 0.893)) if judged else None
    seconds = (LOGGED[2], Interval(1.78, 1.90))
    logged = Logged("thompson-7", 2040, 2000, quality, (LOGGED[1], Interval(0.00118, 0.0013)), seconds, 1411 * judged)
    aside = (
        SetAside("no propensity: the model was pinned or decided without chance", 40, 12),
        SetAside("propensity above 1", 3, 977),
        SetAside("chosen model not among the eligible ones", 1, None),
    )
    return Evaluation(
        log="decisions-november",
        models=MODELS,
        rows=2044 if set_aside else 2000,
        used=2000,
        logged=(logged,),
        targets=targets,
        estimates=tuple(each for each in estimates if any(each.policy == one.policy for one in targets)),
        set_aside=aside if set_aside else (),
        notes=("589 decisions have no judgement; quality is estimated from the others.",),
    )


NOTHING = Evaluation("empty", MODELS, 0, 0, (), (), (), (), ())


def test_one_policy_speaks_by_its_verdict(lawful) -> None:
    result = an_evaluation(policies=1)
    report = evaluation_report(result)
    assert report.summary == result.targets[0].verdict
    assert result.targets[0].verdict in lawful(report)


def test_cards_quote_the_estimate_that_the_verdict_rests_on() -> None:
    found = an_evaluation(policies=1)
    without = replace(found, estimates=tuple(e for e in reversed(found.estimates) if e.estimator in {"dm", "ips"}))
    section = evaluation_report(without).sections[0]
    assert "as the estimator ips has it" in section.intro


def test_of_several_policies_the_carried_one_speaks_and_all_verdicts_are_there(lawful) -> None:
    result = an_evaluation()
    report = evaluation_report(result)
    assert report.summary.startswith("The log carries a verdict on 1 of 2 policies. Turning cheaper.toml on")
    html = lawful(report)
    assert all(target.verdict in html for target in result.targets)
    assert [section.title for section in report.sections][:2] == ["Verdict", "Estimates beside the log"]


def test_numbers_that_carry_no_verdict_are_not_given_without_saying_so(lawful) -> None:
    result = an_evaluation()
    uncarried = lawful(evaluation_report(replace(result, targets=result.targets[1:])))
    assert "no verdict on fixed:llama-3.1-8b-instruct: do not act on these numbers" in uncarried
    assert "do not act" not in lawful(evaluation_report(an_evaluation(policies=1)))


def test_estimates_are_exported_with_both_intervals_in_full(tmp_path) -> None:
    result = an_evaluation(policies=1)
    save_evaluation_figures(result, tmp_path)
    with (tmp_path / "estimates-chart.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["policy"], row["estimator"], row["measure"]): row for row in csv.DictReader(file)}
    found, wanted = rows["cheaper.toml", "dr", "quality"], result.of("cheaper.toml", "dr").quality
    assert wanted is not None
    assert wanted.anytime95 is not None
    assert [float(found[key]) for key in ("mean", "low", "high", "anytime_low", "anytime_high")] == [
        wanted.mean,
        *wanted.ci95,
        *wanted.anytime95,
    ]
    assert rows["cheaper.toml", "dm", "quality"]["anytime_low"] == ""
    assert float(rows["logged: thompson-7", "measured", "cost_usd"]["mean"]) == LOGGED[1]
    assert len(rows) == 3 + 5 * 3
    assert (tmp_path / "estimates-chart.png").read_bytes().startswith(b"\x89PNG")


def test_the_logged_policy_stands_beside_the_targets_in_each_panel(chart) -> None:
    draw = chart(evaluation_report(an_evaluation()), "estimates-chart").draw
    assert draw.rows == ("logged: thompson-7", "cheaper.toml", "fixed:llama-3.1-8b-instruct")
    assert [measure.reference for measure in draw.measures] == list(LOGGED)
    with drawing():
        figure = draw(900)
    assert len(figure.axes) == 3


def test_without_judgements_quality_is_left_out_rather_than_guessed(lawful, chart, column) -> None:
    report = evaluation_report(an_evaluation(judged=False))
    lawful(report)
    assert [measure.title for measure in chart(report, "estimates-chart").draw.measures] == [
        "Dollars per request",
        "Seconds per request",
    ]
    assert [cell.value for cell in column(report, "logged-policies", "quality")] == [None]


def test_rows_set_aside_are_counted_with_their_reasons(column, lawful) -> None:
    report = evaluation_report(an_evaluation())
    assert [cell.value for cell in column(report, "set-aside-table", "rows")] == [40, 3, 1]
    assert [cell.text for cell in column(report, "set-aside-table", "first_line")] == ["12", "977", "–"]
    assert "Every row of the log takes part." in lawful(evaluation_report(an_evaluation(set_aside=False)))


def test_weights_and_overlap_are_there_for_each_policy(column) -> None:
    report = evaluation_report(an_evaluation())
    assert [cell.text for cell in column(report, "weights", "carries")] == ["yes", "no"]
    assert [cell.value for cell in column(report, "weights", "ess")] == [812.4, 41.7]
    assert [cell.value for cell in column(report, "overlap-1", "unseen_share")] == [0, 0, 0.03]


def test_only_estimators_that_were_asked_for_are_explained(lawful) -> None:
    result = an_evaluation(policies=1)
    html = lawful(evaluation_report(replace(result, estimates=result.estimates[:1])))
    assert "Horvitz" in html
    assert "Dud" not in html


def test_nothing_evaluated_is_a_page_too(tmp_path, lawful) -> None:
    lawful(evaluation_report(NOTHING))
    write_evaluation_report(NOTHING, tmp_path / "r.html")
    assert "No policy was evaluated." in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_hostile_names_stay_text(lawful) -> None:
    result = an_evaluation()
    evil = "</style><script>alert(1)</script>"
    targets = tuple(replace(target, policy=evil) for target in result.targets[:1])
    estimates = tuple(replace(each, policy=evil) for each in result.estimates[:5])
    assert "&lt;script&gt;" in lawful(
        evaluation_report(replace(result, log=evil, targets=targets, estimates=estimates))
    )
