"""A shadow changes nothing but the record, draws by chance of its own, and fails alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from banditroute.learning.policy import GREEDY, PolicySettings
from banditroute.observe import Event, ShadowFailed
from banditroute.records import Context, Decision, Demand, Outcome, Usage
from banditroute.routing.budgets import PacedBudget
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import Lesson
from banditroute.routing.paced import PaceRecord
from banditroute.routing.rules import Rule
from banditroute.routing.sessions import Sessions
from banditroute.routing.shadow import SHADOWS, Moment, Shadow

CATALOG = Catalog((Model("small", "p", "small", Price(0.1, 0.4)), Model("large", "p", "large", Price(10.0, 40.0))))
CONTEXT = Context("qa", input_tokens=100)
DEMAND = Demand(100)


class Events:
    def __init__(self) -> None:
        self.all: list[Event] = []

    def notify(self, event: Event) -> None:
        self.all.append(event)


@pytest.fixture
def events() -> Events:
    return Events()


def chance(seed: int = 0) -> Callable[[], float]:
    return random.Random(seed).random


def production(context: Context = CONTEXT, *, pinned: str = "") -> tuple[Decision, Demand]:
    demand = replace(DEMAND, allowed=frozenset((pinned,))) if pinned else DEMAND
    decision = Decider(CATALOG).decide(context, demand, decision_id="d", now=1.0, u=0.5)
    return replace(decision, pinned=bool(pinned)), demand


def shadow(events: Events, *, share: float = 1.0, catalog: Catalog = CATALOG, **options: Any) -> Shadow:
    decider = Decider(catalog, settings=PolicySettings(exploration=GREEDY), budgets=[PacedBudget("pace", 1e-3)])
    return Shadow("rival", decider, share, options.pop("uniform", chance()), events, **options)


def test_nothing_of_the_decision_changes_but_the_record(events: Events) -> None:
    decision, demand = production()
    beside = shadow(events).beside(decision, Moment(demand))
    assert beside.shadow is not None
    assert replace(beside, shadow=None) == decision
    assert beside.shadow.propensities[beside.shadow.chosen] == 1.0  # greedy
    assert beside.shadow.policy_version == "greedy-1"


def test_a_pinned_model_does_not_bind_it_but_what_the_caller_denies_does(events: Events) -> None:
    decision, demand = production(pinned="large")
    beside = shadow(events).beside(decision, Moment(demand)).shadow
    assert beside is not None
    assert set(beside.propensities) == {"small", "large"}
    denied = replace(demand, denied=frozenset(("small",)))
    beside = shadow(events).beside(decision, Moment(denied)).shadow
    assert beside is not None
    assert set(beside.propensities) == {"large"}
    beside = shadow(events).beside(decision, Moment(demand, {"large": "cooling down"})).shadow
    assert beside is not None
    assert set(beside.propensities) == {"small"}


def test_what_an_unpinned_caller_allows_binds_it(events: Events) -> None:
    decision, demand = production()
    beside = shadow(events).beside(decision, Moment(replace(demand, allowed=frozenset(("large",))))).shadow
    assert beside is not None
    assert set(beside.propensities) == {"large"}


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.25, 200, 300), (1.0, 1000, 1000)])
def test_the_share_is_drawn_by_chance_alone(events: Events, share: float, least: int, most: int) -> None:
    """At 1/4 of 1,000 the number is 250 +- 14; the seed is fixed."""
    rival = shadow(events, share=share)
    assert least <= sum(rival.picks("qa") for _ in range(1000)) <= most


@pytest.mark.parametrize("task", ["judge:strict", "embeddings"])
def test_what_is_no_traffic_is_left_alone(events: Events, task: str) -> None:
    assert not shadow(events).picks(task)


def test_its_pace_pays_the_forecast_of_its_own_choice(events: Events) -> None:
    decision, demand = production(pinned="large")
    rival = shadow(events)
    for _ in range(50):
        rival.beside(decision, Moment(demand))
    (pace,) = rival.paces
    assert (pace.budget, pace.requests) == (f"{SHADOWS}rival/pace", 50)
    again = shadow(events)
    again.restore({}, [PaceRecord("pace", 9.0, 9.0, 9.0, 9.0, 9), pace])
    assert again.paces == (pace,)


def test_what_goes_wrong_is_an_event_and_no_more(events: Events) -> None:
    decision, demand = production()
    none_left = replace(demand, denied=frozenset(("small", "large")))
    assert shadow(events).beside(decision, Moment(none_left)) is decision
    odd = replace(decision, context=replace(CONTEXT, features=(1.0, 2.0)))
    assert shadow(events).beside(odd, Moment(demand)) is odd
    assert [(each.shadow, each.doing) for each in events.all if isinstance(each, ShadowFailed)] == [
        ("rival", "decide"),
        ("rival", "decide"),
    ]


def test_a_failure_to_learn_is_an_event_too(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    rival = shadow(events)

    def overflow(lesson: Lesson) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(rival.decider, "take", overflow)
    rival.take([Lesson("qa", "small", "none", (1.0, 0.0), (0.5, None, None, None))])
    assert events.all == [ShadowFailed("rival", "learn", "too large")]


def test_a_defect_is_not_hidden(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    rival = shadow(events)
    decision, demand = production()
    monkeypatch.setattr(rival.decider, "decide", lambda *_, **__: 1 + "1")  # type: ignore[operator]
    with pytest.raises(TypeError):
        rival.beside(decision, Moment(demand))


def test_its_conversations_stay_with_the_model_that_it_chose(events: Events) -> None:
    """All else alike, what stays is what it drew before, whatever the router's caller pinned."""
    even = Catalog(tuple(Model(name, "p", name, Price(1.0, 1.0)) for name in ("small", "large")))
    decision, demand = production(pinned="large")
    rival = Shadow("rival", Decider(even), 1.0, chance(3), events, sessions=Sessions(stay_quality=1.0))
    first = rival.beside(decision, Moment(demand, session_id="s")).shadow
    assert first is not None
    for _ in range(20):
        later = rival.beside(decision, Moment(demand, session_id="s")).shadow
        assert later is not None
        assert max(later.propensities, key=later.propensities.__getitem__) == first.chosen


def test_it_reckons_with_what_models_are_billed_and_raises_no_alarm_of_its_own(events: Events) -> None:
    rival, usage = shadow(events), Usage(100, 50)
    before = rival.decider.forecasts("qa", 100)["large"].cost_usd
    bill = Outcome("d", "large", 1.0, usage, 0.06, 1.0, billed_usd=20 * CATALOG["large"].price.cost_usd(usage))
    for _ in range(2):
        rival.settled(bill)
    assert rival.decider.forecasts("qa", 100)["large"].cost_usd == pytest.approx(20 * before)
    again = shadow(events)
    again.restore({}, rival.paces)
    assert again.decider.forecasts("qa", 100)["large"].cost_usd == pytest.approx(20 * before)
    assert rival.decider.beliefs.alarmed
    rival.refresh()
    assert not rival.decider.beliefs.alarmed
    assert events.all == []


def test_it_forgets_with_time_as_its_own_settings_say(events: Events) -> None:
    decider = Decider(CATALOG, settings=PolicySettings(half_life_s=60.0))
    rival = Shadow("rival", decider, 1.0, chance(), events)
    rival.take([Lesson("qa", "small", "none", (1.0, 0.0), (0.5, None, None, None))] * 8)
    rival.forget(120.0)
    (sums,) = decider.beliefs.learned.values()
    assert float(sums.n) == pytest.approx(2.0)


class TestSharedBeliefs:
    """A shadow that would learn the same decides by what the router believes."""

    def pair(self, events: Events) -> tuple[Decider, Shadow]:
        router = Decider(CATALOG)
        decider = Decider(CATALOG, budgets=[PacedBudget("pace", 1e-3)], beliefs=router.beliefs)
        return router, Shadow("rival", decider, 1.0, chance(), events)

    def test_nothing_is_learned_faded_or_billed_twice(self, events: Events) -> None:
        router, rival = self.pair(events)
        lessons = [Lesson("qa", "small", "none", (1.0, 0.0), (0.5, None, None, None))] * 8
        usage = Usage(100, 50)
        bill = Outcome("d", "large", 1.0, usage, 0.06, 1.0, billed_usd=20 * CATALOG["large"].price.cost_usd(usage))
        decision, _ = production()
        for _ in range(2):
            router.settled(decision, bill)
            rival.settled(bill)
        for lesson in lessons:
            router.take(lesson)
        rival.take(lessons)
        rival.forget(1e9)
        rival.refresh()
        (sums,) = router.beliefs.learned.values()
        assert float(sums.n) == 8.0
        assert rival.decider.forecasts("qa", 100) == router.forecasts("qa", 100)
        (alarm,) = router.beliefs.take_alarms(1.0)
        assert (alarm.signal, alarm.after) == ("price", pytest.approx(20.0))

    def test_its_budgets_are_its_own_and_go_on_where_they_stood(self, events: Events) -> None:
        router, rival = self.pair(events)
        decision, demand = production()
        for _ in range(50):
            rival.beside(decision, Moment(demand))
        assert router.paces == ()
        (pace,) = rival.paces
        router.take(Lesson("qa", "small", "none", (1.0, 0.0), (0.5, None, None, None)))
        later, again = self.pair(events)
        later.inherit(router)
        again.inherit(rival, {})
        again.restore(router.beliefs.learned, ())
        assert again.paces == (pace,)
        assert [float(sums.n) for sums in later.beliefs.learned.values()] == [1.0], "told once"

    def test_what_goes_wrong_in_its_rules_keeps_the_router_from_nothing(self, events: Events) -> None:
        class Overflowing(Rule):
            def learned(self, lesson: Lesson) -> None:
                raise OverflowError("too large")

            def refreshed(self) -> None:
                raise OverflowError("too large")

        router, rival = self.pair(events)
        rival.decider.steering.add(Overflowing())
        router.take(Lesson("qa", "small", "none", (1.0, 0.0), (0.5, None, None, None)))
        router.refresh()
        assert router.signals.evidence[0].n.sum() == 1.0
        assert events.all == [
            ShadowFailed("rival", "learn", "too large"),
            ShadowFailed("rival", "refresh", "too large"),
        ]
