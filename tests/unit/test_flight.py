"""What each call of a request holds and costs, whichever way it ends."""

from __future__ import annotations

import pytest

from banditroute.delivery.dispatch import Answered, Call
from banditroute.errors import (
    BrokenReplyError,
    BudgetExceededError,
    ConnectionFailedError,
    CutStreamError,
    ProviderError,
    RateLimitedError,
    ServerFailedError,
    TimedOutError,
)
from banditroute.flight import Asked, RequestFlight, Tower
from banditroute.observe import NullObserver
from banditroute.records import Completion, Context, Demand, Usage
from banditroute.routing.budgets import Cap
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger

NOW = 1_795_600_000.0
HELD_USD = {"a": (1000 * 1.0 + 100 * 2.0) / 1e6, "b": (1000 * 10.0 + 100 * 20.0) / 1e6}
MODELS = Catalog(
    tuple(
        Model(name, "any", name, Price(per_input, 2 * per_input), Capabilities(8000, 1000))
        for name, per_input in (("a", 1.0), ("b", 10.0))
    )
)


class World:
    """A flight and the books it is on."""

    def __init__(self, cap_usd: float = 1.0, *caps: Cap, force: bool = False) -> None:
        self.ledger = Ledger([Cap("day", cap_usd, "day"), *caps])
        self.down: dict[str, str] = {}
        decider = Decider(MODELS, ("qa",))
        tower = Tower(
            decider, self.ledger, lambda now: self.down, lambda: NOW, lambda: 0.5, lambda now: "id", NullObserver()
        )
        asked = Asked(Context("qa", input_tokens=1000), Demand(1000, max_output_tokens=100))
        decision = decider.decide(asked.context, asked.demand, decision_id="d", now=NOW, u=0.0)
        assert decision.chosen == "a"
        self.flight = RequestFlight(tower, asked, decision, 10.0, NOW + 60, force=force)
        self.expected_usd = {name: forecast.cost_usd for name, forecast in decision.forecasts.items()}

    @property
    def held_usd(self) -> float:
        return self.ledger.accounts(NOW)[0].reserved_usd

    @property
    def spent_usd(self) -> float:
        return self.ledger.accounts(NOW)[0].spent_usd


def answered(model: str) -> Answered[None]:
    return Answered(model, None, 1.5)


def test_the_first_call_holds_its_dollars_from_the_decision_on_and_once() -> None:
    world = World()
    assert world.held_usd == pytest.approx(HELD_USD["a"])
    world.flight.calling("a")
    assert world.held_usd == pytest.approx(HELD_USD["a"])


def test_every_further_call_holds_its_own() -> None:
    world = World()
    world.flight.calling("a")
    world.flight.calling("b")
    assert world.held_usd == pytest.approx(sum(HELD_USD.values()))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailedError("refused"),
        ServerFailedError("down", status=500),
        RateLimitedError("slowly", status=429),
        BrokenReplyError("garbage"),
        TimedOutError("connect", 1.0),
        TimedOutError("queue", 1.0),
    ],
    ids=repr,
)
def test_a_call_that_the_provider_cannot_bill_costs_nothing(error: ProviderError) -> None:
    world = World()
    world.flight.calling("a")
    world.flight.ended(Call("a", 0.5, error))
    outcome = world.flight.outcome(latency_s=0.5)
    assert (world.held_usd, world.spent_usd, outcome.cost_usd) == (0.0, 0.0, 0.0)
    assert not outcome.estimated
    ((failure, duration_s),) = [(each.failure, each.duration_s) for each in outcome.attempts]
    assert failure.split(" ")[0] == type(error).__name__
    assert duration_s == 0.5


@pytest.mark.parametrize(
    "error", [TimedOutError("first_token", 1.0), TimedOutError("total", 1.0), CutStreamError("cut"), None], ids=repr
)
def test_a_call_that_the_provider_may_bill_costs_what_was_expected_of_it(error: ProviderError | None) -> None:
    world = World()
    world.flight.calling("a")
    world.flight.ended(Call("a", 0.5, error))
    outcome = world.flight.outcome(latency_s=0.5)
    assert outcome.cost_usd == pytest.approx(world.expected_usd["a"])
    assert world.spent_usd == pytest.approx(outcome.cost_usd)
    assert outcome.estimated
    assert world.held_usd == 0.0


def test_a_stream_that_broke_off_costs_what_had_arrived() -> None:
    world = World()
    world.flight.calling("a")
    world.flight.lost(Call("a", 0.5, CutStreamError("cut")), Completion({}, "x" * 40, None))
    assert world.spent_usd == pytest.approx((1000 * 1.0 + 10 * 2.0) / 1e6)


def test_the_cost_of_an_answer_is_the_providers_word_before_ours() -> None:
    flight, usage = World().flight, Usage(1000, 50)
    billed_usd = 0.0011
    assert flight.cost_usd("a", Completion({}, "", usage))[0] == pytest.approx(billed_usd)
    assert flight.cost_usd("a", Completion({}, "", usage, cost_usd=0.5)) == (0.5, usage, False)
    assert flight.cost_usd("a", Completion({}, "", usage, from_cache=True)) == (0.0, usage, False)
    assert flight.cost_usd("a", Completion({}, "x" * 200, None)) == (pytest.approx(billed_usd), usage, True)


def test_the_outcome_counts_every_attempt_and_lets_go_of_what_is_held() -> None:
    world = World()
    world.flight.calling("a")
    world.flight.ended(Call("a", 0.5, TimedOutError("first_token", 0.5)))
    world.flight.calling("b")
    world.flight.landed(answered("b"), 0.004, 1.0)
    outcome = world.flight.outcome(latency_s=1.5, served="b", usage=Usage(1000, 50))
    assert (outcome.ok, outcome.served, outcome.estimated) == (True, "b", False)
    assert outcome.cost_usd == pytest.approx(world.expected_usd["a"] + 0.004)
    assert sum(charge.usd for charge in world.flight.charges) == pytest.approx(outcome.cost_usd)
    assert world.held_usd == 0.0


def test_an_outcome_without_a_call_is_none_of_success_and_holds_nothing() -> None:
    world = World()
    outcome = world.flight.outcome(latency_s=0.0)
    assert (outcome.ok, outcome.cost_usd, outcome.attempts, world.held_usd) == (False, 0.0, (), 0.0)


def test_the_fallback_is_none_of_those_that_failed_or_are_down() -> None:
    world = World()
    assert world.flight.fallback({"a": "HTTP 500"}) == "b"
    assert world.flight.fallback({"a": "HTTP 500", "b": "HTTP 500"}) is None
    world.down["b"] = "circuit open"
    assert world.flight.fallback({"a": "HTTP 500"}) is None


def test_the_fallback_fits_what_the_cap_has_left() -> None:
    world = World(cap_usd=HELD_USD["a"] + 0.9 * HELD_USD["b"])
    world.flight.calling("a")
    assert world.flight.fallback({"a": "HTTP 500"}) is None
    world.flight.ended(Call("a", 0.5, ServerFailedError("down", status=500)))
    assert world.flight.fallback({"a": "HTTP 500"}) == "b"


def test_a_call_whose_dollars_are_gone_is_refused_unless_the_cap_may_be_passed() -> None:
    cap_usd = 1.5 * HELD_USD["a"]
    with pytest.raises(BudgetExceededError):
        World(cap_usd).flight.calling("b")
    forced = World(cap_usd, force=True)
    forced.flight.calling("b")
    assert forced.held_usd == pytest.approx(cap_usd)
    forced.flight.landed(answered("b"), HELD_USD["b"], 1.0)
    assert forced.spent_usd == pytest.approx(HELD_USD["b"])
    assert forced.ledger.overrun_usd > 0


def test_one_cap_that_may_be_passed_does_not_open_another_that_may_not() -> None:
    strict = Cap("strict", HELD_USD["a"] + 0.5 * HELD_USD["b"], "day", on_exhausted="reject")
    world = World(0.5 * HELD_USD["a"], strict, force=True)
    world.flight.calling("a")
    assert world.flight.fallback({"a": "HTTP 500"}) is None
    with pytest.raises(BudgetExceededError, match="strict"):
        world.flight.calling("b")
    roomy = World(0.5 * HELD_USD["a"], Cap("strict", 1.0, "day", on_exhausted="reject"), force=True)
    roomy.flight.calling("a")
    assert roomy.flight.fallback({"a": "HTTP 500"}) == "b"


class TestLoad:
    """Calls under way are counted from their beginning to their end, however they end."""

    def test_a_call_says_how_busy_its_model_was_and_is_counted_while_it_lasts(self) -> None:
        world = World()
        load = world.flight._load
        load.began("a")
        world.flight.calling("a")
        assert dict(load.in_flight) == {"a": 2}
        world.flight.landed(answered("a"), 0.0, 1.5, 0.2)
        assert dict(load.in_flight) == {"a": 1}
        (attempt,) = world.flight.outcome(latency_s=1.5, served="a").attempts
        assert (attempt.in_flight, attempt.slowdown, attempt.ttft_s) == (1, 1.0, 0.2)

    def test_a_call_that_fails_and_one_that_nobody_ends_are_no_longer_counted(self) -> None:
        world = World()
        world.flight.calling("a")
        world.flight.ended(Call("a", 1.0, ServerFailedError("down")))
        assert not world.flight._load.in_flight
        world.flight.calling("b")
        world.flight.outcome(latency_s=2.0)
        assert not world.flight._load.in_flight
