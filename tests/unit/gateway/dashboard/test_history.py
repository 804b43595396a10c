"""What the dashboard remembers of events: sums, newest decisions, notices; bounded whatever comes."""

import pytest

from banditroute.changes import Changes
from banditroute.gateway.dashboard.history import History
from banditroute.gateway.dashboard.ring import Mark
from banditroute.gateway.dashboard.span import span_view
from banditroute.observe import (
    Attempted,
    BestDoubted,
    BestFound,
    BreakerChanged,
    BudgetExhausted,
    Decided,
    Drifted,
    Judged,
    KeyChanged,
    NotGraded,
    Reloaded,
    ReloadFailed,
    RolloutChanged,
    Settled,
    ShadowFailed,
    StoreFailed,
    SwitchPassedOver,
)
from banditroute.records import Alarm, Attempt, Context, Decision, Feedback, Outcome

NOW = 1_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def history(clock):
    return History(clock)


def decided(name, at=NOW, task="qa", chosen="small"):
    return Decision(name, at, Context(task), chosen, 0.5, {"small": 0.5, "large": 0.5}, {}, {})


def settled(name, at=NOW, task="qa", served="small", cost_usd=0.01, ok=True, attempts=()):
    decision = decided(name, at, task)
    outcome = Outcome(name, served if ok else "", at + 1.0, None, cost_usd, 2.0, ok=ok, attempts=attempts)
    return Settled(outcome, decision)


def judged(event, quality, *, first=True):
    return Judged(Feedback(event.decision.decision_id, quality), event.decision, event.outcome, first)


def view(history, now=NOW, span="15 minutes"):
    names = [ring.name for ring in history.rings]
    ring = history.ring(span)
    return span_view(ring, ring.span(now), names, ["small", "large"], ["pace"], now)


def test_sums_are_those_of_what_was_settled(history):
    failed = Attempt("large", 1.0, failure="TimedOutError")
    events = [
        settled("1"),
        settled("2", served="large", cost_usd=0.03),
        settled("3", attempts=(failed, Attempt("small", 1.0))),
        settled("4", ok=False, cost_usd=0.0, attempts=(failed,)),
    ]
    for event in events:
        history.notify(event)
    history.notify(judged(events[0], 1.0))
    history.notify(judged(events[0], 0.0, first=False))
    history.notify(judged(events[2], 0.5))
    for span in ("15 minutes", "24 hours", "30 days"):
        seen = view(history, span=span)
        assert (seen.requests, seen.failed, seen.judged, seen.quality) == (4, 1, 2, 0.75)
        assert seen.spent_usd == pytest.approx(0.05)
        small, large = seen.models
        assert (small.answers, small.share, small.judged, small.quality) == (2, 2 / 3, 2, 0.75)
        assert (large.answers, large.failed, large.quality, large.usd_per_answer) == (1, 2, None, 0.03)
        assert 0.0 < small.low < 0.75 < small.high < 1.0
        assert seen.edges == [("qa", "small", 2), ("qa", "large", 1)]


def test_a_judges_call_is_no_request_but_costs(history):
    history.notify(settled("1", task="judge:house", cost_usd=0.5))
    seen = view(history)
    assert (seen.requests, seen.spent_usd, seen.judging_usd) == (0, 0.0, 0.5)
    assert list(history.decisions) == []


def test_a_model_that_is_gone_comes_last(history):
    history.notify(settled("1", served="gone"))
    assert [each.model for each in view(history).models] == ["small", "large", "gone"]


def test_the_newest_decisions_are_kept_with_their_first_judgement(history):
    events = [settled(str(n), NOW + n) for n in range(100)]
    for event in events:
        history.notify(event)
    history.notify(judged(events[99], 0.25))
    history.notify(judged(events[0], 0.25))  # long gone from the list
    assert list(history.decisions) == [str(n) for n in range(60, 100)]
    assert history.decisions["99"].quality == 0.25


def test_budgets_are_looked_at_once_in_each_stretch_and_never_for_the_past(history, clock):
    asked = []

    def marks_of(at):
        asked.append(at)
        return {"pace": Mark(at, 0.9, 0.01)}

    history.watch(marks_of)
    history.notify(settled("old", NOW - 500.0))
    assert asked == []
    for n in range(50):
        history.notify(settled(str(n), NOW + n))
    assert len(asked) == 5
    assert view(history, NOW + 50.0).paces["pace"] == [(at, 0.9, 0.01) for at in asked]


@pytest.mark.parametrize(
    "event",
    [
        Decided(decided("1")),
        Attempted("1", Attempt("small", 1.0)),
        NotGraded("1", "g", "p"),
        BreakerChanged("small", "half_open", ""),
    ],
)
def test_everyday_events_are_no_notices(history, event):
    history.notify(event)
    assert list(history.notices) == []


@pytest.mark.parametrize(
    ("event", "kind", "weight", "part"),
    [
        (BreakerChanged("small", "open", "5 failures"), "circuit", "warning", "small: open, 5 failures"),
        (BreakerChanged("small", "closed", ""), "circuit", "good", "small: closed"),
        (KeyChanged("lab", "LAB_KEY", "quota spent"), "provider key", "warning", "LAB_KEY: out of use"),
        (KeyChanged("lab", "LAB_KEY", ""), "provider key", "good", "in use again"),
        (BudgetExhausted("day", "1", rejected=True), "budget", "warning", "turned down"),
        (BudgetExhausted("day", "1", rejected=False), "budget", "warning", "cheapest"),
        (StoreFailed("settle", "disk full"), "store", "warning", "could not settle: disk full"),
        (ShadowFailed("next", "learn", "why"), "shadow", "warning", "next could not learn: why"),
        (Reloaded(Changes(added=("large",))), "configuration", "note", "large"),
        (ReloadFailed("bad file"), "configuration", "warning", "bad file"),
        (SwitchPassedOver("small", NOW), "kill switch", "warning", "small cannot serve"),
        (BestFound("qa", "small", 0.99), "best model", "good", "qa: small is the best, 99% sure"),
        (BestDoubted("qa", "small", "drift"), "best model", "note", "may not be the best"),
        (RolloutChanged("large", "canary 5%", "new"), "newcomer", "note", "large: canary 5%, new"),
        (
            Drifted(Alarm(NOW, "small", "quality", "qa", 0.9, 0.5, 40, 0.999)),
            "model changed",
            "warning",
            ".900 to .500",
        ),
    ],
)
def test_what_is_out_of_the_ordinary_is_a_notice(history, event, kind, weight, part):
    history.notify(event)
    (notice,) = history.notices
    assert (notice.kind, notice.weight, notice.at) == (kind, weight, NOW)
    assert part in notice.text


def test_what_happens_again_and_again_is_one_notice_and_there_are_only_so_many(history, clock):
    for _ in range(500):
        clock.now += 1.0
        history.notify(BudgetExhausted("day", "1", rejected=True))
    (notice,) = history.notices
    assert (notice.times, notice.at) == (500, NOW + 500.0)
    for n in range(500):
        history.notify(BreakerChanged(f"m{n}", "open", ""))
    assert len(list(history.notices)) == 60
    assert next(iter(history.notices)).text == "m499: open"


def test_bins_say_when_and_how_well_and_a_bin_without_judgements_has_no_quality(history):
    first, second = settled("1", NOW), settled("2", NOW + 20.0, served="large")
    history.notify(first)
    history.notify(second)
    history.notify(judged(second, 0.5))
    bins = view(history, NOW + 20.0).bins
    assert bins.at == [NOW, NOW + 20.0]
    assert bins.answers == [[1, 0], [0, 1]]
    assert (bins.quality, bins.low[0]) == ([None, 0.5], None)
