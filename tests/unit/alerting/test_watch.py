"""Every cause is told once, and an ordinary hour not at all; the clock is an argument, nobody waits."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute import observe
from banditroute.alerting.settings import AlertSettings
from banditroute.alerting.view import View
from banditroute.alerting.watch import Watch
from banditroute.changes import Changes
from banditroute.learning.policy import PolicySettings
from banditroute.records import Alarm, Alert, Context, Decision, Feedback, Outcome
from banditroute.routing.budgets import Cap
from banditroute.routing.ledger import Ledger
from banditroute.routing.paced_caps import PacedCap

SETTINGS = AlertSettings(silent_least_s=60.0)
NINE = 1_764_147_600.0  # of a morning
PROVIDERS = {"small": "one", "large": "one", "other": "two"}
TASKS = ("qa", "code", "math")


def a_decision(task: str = "qa", number: int = 0) -> Decision:
    return Decision(f"d{number}", NINE, Context(task), "small", 1.0, {"small": 1.0}, {}, {})


def an_outcome(*, ok: bool = True, cost_usd: float = 0.01) -> Outcome:
    return Outcome("d", "small" if ok else "", NINE, None, cost_usd, 1.0, ok=ok)


def settled(task: str = "qa", *, recorded: bool = True) -> observe.Settled:
    return observe.Settled(an_outcome(), a_decision(task), recorded)


def judged(task: str = "qa", source: str = "user") -> observe.Judged:
    return observe.Judged(Feedback("d", 0.9, source), a_decision(task), an_outcome())


def an_alarm(after: float, task: str = "qa") -> observe.Drifted:
    return observe.Drifted(Alarm(NINE, "small", "quality", task, 0.9, after, 30, 0.999))


class Day:
    """A paced cap of a day, its traffic and what is watched of it."""

    def __init__(self, usd: float) -> None:
        cap = Cap("day", usd, "day")
        self.ledger, self.paced = Ledger([cap]), PacedCap(cap, PolicySettings())
        self.watch = Watch(SETTINGS)
        self.alerts: list[Alert] = []
        self.number = 0

    def serve(self, now: float, cost_usd: float, task: str) -> None:
        if self.paced.count(now):
            self.paced.look(self.ledger, now)
        self.number += 1
        self.ledger.reserve(f"{self.number}", cost_usd, "", task, now, now + 60.0, force=True)
        self.ledger.settle(f"{self.number}", cost_usd)
        self.alerts += self.watch.hear(settled(task), now)

    def look(self, now: float, down=()) -> None:
        outlooks = (self.paced.outlook(self.ledger, now),)
        down = dict.fromkeys(down, "its circuit is open")
        self.alerts += self.watch.look(View(self.ledger.accounts(now), outlooks, PROVIDERS, down), now)


def test_an_ordinary_hour_has_no_alert() -> None:
    """A request a second, a tenth judged later, dear and cheap ones, a circuit that opens for ten seconds now and then.

    The day before was like this one; a third of its hours is over, and a third of its dollars spent.
    """
    day, rng, late = Day(usd=1_000.0), random.Random(1), []
    began = NINE - 9 * 3_600.0
    now = began - 86_400.0
    while now < NINE + 3_600.0:
        now += 30.0 if now < NINE - 3_600.0 else rng.expovariate(1.0)
        dollars = 0.3 if now < NINE - 3_600.0 else 0.01
        day.serve(now, dollars * rng.lognormvariate(-0.5, 1.0), rng.choice(TASKS))
        if rng.random() < 0.1:
            late.append((now + rng.expovariate(1 / 120.0), rng.choice(TASKS)))
        for at, task in sorted(each for each in late if each[0] <= now):
            late.remove((at, task))
            day.alerts += day.watch.hear(judged(task), at)
        if now >= NINE and day.number % 5 == 0:
            day.look(now, ["other"] if now % 600.0 < 10.0 else [])
    assert day.number > 6_000
    assert day.alerts == []


def test_a_cap_that_runs_out_is_told_mark_by_mark_and_forecast_before() -> None:
    day, now = Day(usd=50.0), NINE
    while not (spent := day.ledger.account("day", now).spent_usd) or spent < 50.0:
        now += 1.0
        day.serve(now, 0.01, "qa")
        if day.number % 10 == 0:
            day.look(now)
    day.look(now + 1.0)
    assert [(each.kind, each.state) for each in day.alerts] == [
        ("forecast", "began"),
        ("budget", "began"),
        ("budget", "began"),
        ("budget", "began"),
    ]
    assert [each.text.split()[2] for each in day.alerts[1:]] == ["50%", "80%", "100%"]
    day.look(now + 86_400.0)
    assert sorted((each.kind, each.state) for each in day.alerts[4:]) == [("budget", "over"), ("forecast", "over")]


def told(watch: Watch, *events: observe.Event, at: float = NINE) -> list[tuple[str, str, str]]:
    alerts = [alert for n, event in enumerate(events) for alert in watch.hear(event, at + n)]
    return [(alert.kind, alert.about, alert.state) for alert in alerts]


def test_a_drift_is_told_once_however_many_classes_it_shows_in() -> None:
    watch = Watch(SETTINGS)
    assert told(watch, an_alarm(0.5), an_alarm(0.4, "code"), an_alarm(0.5, "")) == [
        ("drift", "small quality fell", "happened")
    ]
    assert told(watch, an_alarm(0.95), an_alarm(0.5)) == [("drift", "small quality rose", "happened")]


def test_newcomers_are_told_of_when_they_are_in_or_out() -> None:
    stages = ("trial", "canary 5%", "open", "rolled back", "rolled back")
    events = [observe.RolloutChanged("fresh", stage, "so it is") for stage in stages]
    assert told(Watch(SETTINGS), *events) == [("newcomer", "fresh", "happened")] * 2


def test_a_store_that_fails_is_told_once_and_works_again_once_it_has_written() -> None:
    watch, fails = Watch(SETTINGS), observe.StoreFailed("settle a decision", "disk full")
    assert told(watch, fails, fails, settled(recorded=False), fails) == [("store", "", "began")]
    assert watch.look(View(), NINE + 300.0) == [], "nothing was written since"
    assert told(watch, settled(), at=NINE + 301.0) == []
    assert [(each.kind, each.state) for each in watch.look(View(), NINE + 302.0)] == [("store", "over")]


def test_a_reload_that_fails_is_over_with_one_that_does_not() -> None:
    failed, fine = observe.ReloadFailed("no such file"), observe.Reloaded(Changes())
    assert told(Watch(SETTINGS), failed, failed, fine, fine, failed) == [
        ("reload", "", "began"),
        ("reload", "", "over"),
        ("reload", "", "began"),
    ]


EVENTS = (
    observe.StoreFailed("settle a decision", "disk full"),
    observe.ReloadFailed("no such file"),
    observe.Reloaded(Changes()),
    observe.BudgetExhausted("day", "d", rejected=True),
    observe.RolloutChanged("fresh", "open", "good"),
    an_alarm(0.5),
    settled(),
    settled(recorded=False),
    judged(),
    judged("code", "judge"),
)
STEPS = st.one_of(
    st.tuples(st.just("hear"), st.sampled_from(EVENTS)),
    st.tuples(st.just("look"), st.sets(st.sampled_from(sorted(PROVIDERS)))),
    st.tuples(st.just("burst"), st.integers(1, 400)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 120.0), STEPS), max_size=60))
def test_in_any_order_nothing_begins_twice_without_an_end(steps) -> None:
    watch, now = Watch(AlertSettings(repeat_s=0.0, silent_least_s=5.0)), NINE
    going: Counter[str] = Counter()
    began: set[str] = set()
    ended: set[str] = set()
    ledger = Ledger([Cap("day", 50.0, "day")])
    for wait_s, (what, how) in steps:
        now += wait_s
        alerts = []
        if what == "hear":
            alerts += watch.hear(how, now)
        elif what == "burst":
            for n in range(how):
                alerts += watch.hear(judged() if n % 3 == 0 and how % 2 else settled(), now + n / 10)
        else:
            alerts += watch.look(View(ledger.accounts(now), (), PROVIDERS, dict.fromkeys(how, "open")), now)
        for alert in alerts:
            if alert.state == "began":
                assert alert.alert_id not in began
                began.add(alert.alert_id)
                going[f"{alert.kind} {alert.about}"] += 1
            elif alert.state == "over":
                assert alert.alert_id in began - ended
                ended.add(alert.alert_id)
                going[f"{alert.kind} {alert.about}"] -= 1
        assert all(count in (0, 1) for count in going.values()), going
