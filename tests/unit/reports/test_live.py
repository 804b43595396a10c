"""What the page of a live store says: traffic and dollars first, then budgets, models, quality, beliefs."""

import csv
import random
from dataclasses import replace

import pytest

from banditroute.records import Alarm, Feedback
from banditroute.reports.charts.along import Time
from banditroute.reports.charts.canvas import drawing
from banditroute.reports.live import live_report, save_live_figures, write_live_report
from banditroute.reports.sections.live.budgets import price_in_words
from banditroute.reports.store.gathering import Gathering
from banditroute.reports.store.live import LiveStore, PaceView
from banditroute.reports.store.timeline import Moment
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, PacedBudget, Scope, Window
from banditroute.routing.insight import EdgeBelief, Prompt
from banditroute.routing.pacers import PaceRecord
from banditroute.storage.protocol import Trail
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement

DAY_S = 86_400.0
EDGES = tuple(
    EdgeBelief(task, model, quality, quality - 0.1, min(quality + 0.1, 1.0), cost, 1.2, 120.0, judged, 90)
    for task in ("qa", "code")
    for model, quality, cost, judged in (("small", 0.8, 0.0001, 60), ("large", 0.93, 0.004, 0))
)
PACE = PaceView(PacedBudget("paced", 0.001), PaceRecord("paced", -3.0, 0.97, -3.1, 30.0, 400), 0.12, 60.0)
ACCOUNT = Account(Cap("daily", 20.0, "day"), Window("daily", "2026-11-25"), NOON + 2 * 3_600, 5.0, 0.1, 0.0)


def trails(number: int, *, judged: float, days: float = 3.0) -> list[Trail]:
    chance = random.Random(4)
    found = []
    for n in range(number):
        dispatch = a_dispatch(n)
        dispatch = replace(dispatch, decision=replace(dispatch.decision, at=NOON - days * DAY_S * (1 - n / number)))
        settlement = a_settlement(dispatch, ok=n % 25 > 0)
        served = chance.choice(("small", "small", "large")) if settlement.outcome.ok else ""
        outcome = replace(settlement.outcome, served=served, cost_usd=0.004 if served == "large" else 0.0002)
        says = served and chance.random() < judged
        feedback = (Feedback(dispatch.decision.decision_id, chance.random(), "user"),) if says else ()
        found.append(Trail(dispatch, outcome, (), feedback))
    return found


def a_store(number: int = 400, *, judged: float = 0.3, days: float = 3.0, **others) -> LiveStore:
    gathering = Gathering()
    for trail in trails(number, judged=judged, days=days):
        gathering.add(trail)
    store = LiveStore(
        name="banditroute.db",
        at=NOON,
        edges=EDGES,
        prompt=Prompt(480),
        paces=(PACE,),
        accounts=(ACCOUNT,),
        open_decisions=2,
        history=gathering.history(),
    )
    return replace(store, **others)


def bullets(report) -> str:
    return " ".join(report.sections[0].blocks[1].items)


def test_the_finding_says_how_many_for_how_much_how_well(lawful) -> None:
    store = a_store()
    report = live_report(store)
    spent = float(store.history.spent_usd.sum())
    assert report.summary.startswith(f"384 requests answered for ${spent:.2f}, $0.00")
    assert "judged answers; 16 requests got no whole answer." in report.summary
    assert [section.title for section in report.sections] == [
        "At a glance",
        "Budgets",
        "Spending",
        "Who answers",
        "How well",
        "Task classes and models",
        "Who judges",
        "Notes and definitions",
    ]
    lawful(report)


def test_budgets_are_told_in_words() -> None:
    words = bullets(live_report(a_store()))
    assert "paced (global): $0.0010 per request, lately 97% of it is spent; dollars are short" in words
    assert "daily (global): $5.00 of $20.00 spent (25%), $14.90 left for 2 hours." in words
    assert "2 decisions without an outcome" in words


def test_a_shadow_price_of_nothing_means_that_dollars_are_not_short() -> None:
    assert price_in_words(0.0) == "dollars are not short, so the best model is chosen whatever it costs"
    assert ".120 better" in price_in_words(0.12)


def test_a_paced_budget_that_saw_no_request_has_no_numbers(lawful, column) -> None:
    report = live_report(a_store(paces=(replace(PACE, record=None),)))
    assert "paced (global): $0.0010 per request, no request so far." in bullets(report)
    assert [cell.value for cell in column(report, "paces", "running_spend")] == [None]
    lawful(report)


def test_without_judgements_it_warns_and_draws_no_quality(lawful) -> None:
    report = live_report(a_store(judged=0.0))
    assert "none of them judged" in report.summary
    assert "No answer was judged" in bullets(report)
    html = lawful(report)
    assert "quality-over-time" not in html
    assert "Who judges" not in html


def test_remarks_and_notes_are_passed_on(lawful) -> None:
    report = live_report(a_store(remarks=("The shadow would save 10%.",), notes=("3 judgements are left out.",)))
    assert "The shadow would save 10%." in bullets(report)
    assert "3 judgements are left out." in lawful(report)


def test_the_budget_of_all_requests_is_drawn_and_no_other(chart) -> None:
    tenants = replace(PACE, budget=PacedBudget("acme", 0.01, Scope("tenant", "acme")))
    draw = chart(live_report(a_store(paces=(PACE, tenants))), "spend-over-time").draw
    assert [[limit.label for limit in lane.limits] for lane in draw.lanes] == [[], ["paced"], []]


def test_only_judged_edges_are_on_the_map_and_all_in_the_table(chart, column) -> None:
    report = live_report(a_store())
    assert len(chart(report, "edge-map").draw.spots) == 2
    assert len(column(report, "edge-map-data", "quality")) == 4
    shares = [cell.value for model in ("small", "large") for cell in column(report, "edges-table", model)]
    assert sum(shares) == pytest.approx(2.0)  # two classes


def test_bins_are_exported_in_full(tmp_path) -> None:
    store = a_store()
    save_live_figures(store, tmp_path)
    with (tmp_path / "spend-over-time.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["requests"]) for row in rows] == store.history.requests.tolist()
    assert sum(float(row["spent_usd"]) for row in rows) == pytest.approx(float(store.history.spent_usd.sum()))
    for name in ("spend-over-time", "model-share", "quality-over-time", "edge-map"):
        assert {f"{name}.svg", f"{name}.png", f"{name}.csv"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_decisions_are_a_page_too(number, tmp_path, lawful) -> None:
    store = a_store(number, edges=(), paces=(), accounts=(), open_decisions=0)
    html = lawful(live_report(store))
    write_live_report(store, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == html
    assert number or "No request is on record yet." in html


@pytest.mark.parametrize(("days", "ticks"), [(0.02, ":"), (1.0, ":"), (3.0, "Nov"), (40.0, "Nov"), (900.0, " 202")])
def test_time_is_named_by_hours_or_dates(days, ticks) -> None:
    with drawing():
        from matplotlib.figure import Figure

        axes = Figure().add_subplot()
        Time(NOON - days * DAY_S)(axes, days * DAY_S, 8)
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert 2 <= len(names) <= 9
    assert any(ticks in name for name in names)


def test_models_that_changed_have_a_table_and_the_newest_is_in_the_findings(lawful) -> None:
    alarms = (
        Alarm(NOON - DAY_S, "large", "quality", "code", 0.93, 0.71, 22, 0.999_999_9),
        Alarm(NOON - 2 * DAY_S, "small", "price", "", 1.0, 10.0, 2, 0.999),
    )
    report = live_report(a_store(alarms=alarms))
    assert "large changed on 24 Nov 2026" in bullets(report)
    assert "quality in code from .930 to .710; 1 change before it." in bullets(report)
    (section,) = (section for section in report.sections if section.name == "alarms")
    rows = section.blocks[0].rows
    texts = [cell.text for cell in rows[1][1:]]
    assert texts == ["small", "price, to the catalog's", "all", "1x", "10x", "2", "99.900%"]
    assert rows[0][4].value == 0.93
    assert "alarms" not in {section.name for section in live_report(a_store()).sections}


def test_what_happened_has_a_table_newest_first() -> None:
    moments = [Moment(NOON + n, "circuit", "small", f"it opened {n}", "5 failures") for n in range(300)]
    report = live_report(a_store(timeline=tuple(moments)))
    (section,) = (section for section in report.sections if section.name == "timeline")
    texts = [[cell.text for cell in row] for row in section.blocks[0].rows]
    assert len(texts) == 200
    assert [texts[0][2], texts[-1][2]] == ["it opened 299", "it opened 100"]
    assert texts[0][1:] == ["circuit", "it opened 299", "5 failures"]
    assert "timeline" not in {section.name for section in live_report(a_store()).sections}
