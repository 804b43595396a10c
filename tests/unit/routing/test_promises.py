"""A promise of latency: who is likely to be late becomes dear, and what is late raises the price."""

from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import ConfigError
from banditroute.records import Attempt, Context, Decision, Demand, Outcome
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import lessons_of
from banditroute.routing.promises import PROMISE, Keeper, Promise
from banditroute.routing.tasks import JUDGE_TASK

CATALOG = Catalog(
    tuple(Model(name, "p", name, Price(1.0, 1.0), Capabilities(max_output_tokens=100)) for name in ("quick", "good"))
)
SECONDS = {"quick": 1.0, "good": 4.0}
QUALITY = {"quick": 0.8, "good": 0.9}
FAST = Promise("fast", 0.05, latency_s=5.0)


def taught(*keepers: Keeper) -> Decider:
    """A decider that knows a quick model and a good one, which takes longer than 5 s in one of five calls."""
    decider, rng = Decider(CATALOG, ("qa", "chat"), rules=keepers), np.random.default_rng(0)
    for i in range(400):
        model, task = CATALOG.names[i % 2], ("qa", "chat")[i % 4 // 2]
        seconds = SECONDS[model] * float(np.exp(rng.normal(0, 0.26)))
        quality = QUALITY[model] + float(rng.normal(0, 0.05))
        decider.learn(Context(task), model, quality=min(quality, 1.0), latency_s=seconds, ttft_s=0.1 * seconds)
    decider.refresh()
    return decider


def decided(
    decider: Decider, task: str = "qa", *, streaming: bool = False, u: float = 0.5, name: str = "d"
) -> Decision:
    return decider.decide(Context(task), Demand(0, streaming=streaming), decision_id=name, now=0.0, u=u)


def outcome(seconds: float, model: str = "good", *, name: str = "d", ok: bool = True) -> Outcome:
    attempt = Attempt(model, seconds, failure="" if ok else "ServerFailedError")
    return Outcome(name, model if ok else "", 0.0, None, 0.0, seconds, ok=ok, attempts=(attempt,))


def lived(decider: Decider, requests: int, good_s: float, seed: int = 0) -> tuple[float, float]:
    """Requests answered one after the other; the share that was late, and the share of the good model."""
    rng, late, good = np.random.default_rng(seed), 0, 0
    for i in range(requests):
        decision = decided(decider, u=float(rng.random()), name=str(i))
        decider.expect(decision)
        usual = good_s if decision.chosen == "good" else SECONDS["quick"]
        seconds = usual * float(np.exp(rng.normal(0, 0.26)))
        decider.settled(decision, outcome(seconds, decision.chosen, name=str(i)))
        late, good = late + (seconds > FAST.limit_s), good + (decision.chosen == "good")
    return late / requests, good / requests


def test_it_holds_where_the_best_model_alone_would_break_it() -> None:
    plain = lived(taught(), 1500, 4.0)
    keeper = Keeper(FAST)
    late, good = lived(taught(keeper), 1500, 4.0)
    assert plain[0] > 0.15
    assert late <= FAST.epsilon + 0.01
    assert good > 0.05, "what may be late is made use of"
    kept = keeper.kept()
    assert (kept.requests, kept.late_rate) == (1500, pytest.approx(late))
    assert 0.04 < kept.given_up < 0.1, "nearly .1 on every request that the good model does not serve"
    assert kept.per_point == pytest.approx(0.2 * kept.shadow_price)


def test_it_holds_where_forecasts_are_wrong() -> None:
    """The good model is slower than it was: forecasts, which learn nothing here, expect one late answer in five."""
    late, _ = lived(taught(Keeper(FAST)), 2000, 7.0)
    assert late <= FAST.epsilon + 0.015


def test_one_that_is_kept_anyway_costs_next_to_nothing() -> None:
    keeper = Keeper(replace(FAST, latency_s=60.0))
    _, good = lived(taught(keeper), 300, 4.0)
    assert good > 0.97
    assert keeper.kept().given_up < 1e-3


@pytest.mark.parametrize(
    ("promise", "task", "streaming", "bent"),
    [
        (replace(FAST, task="chat"), "chat", False, True),
        (replace(FAST, task="chat"), "qa", False, False),
        (FAST, f"{JUDGE_TASK}critic", False, False),
        (Promise("first", 0.05, ttft_s=0.3), "qa", True, True),
        (Promise("first", 0.05, ttft_s=0.3), "qa", False, False),
    ],
)
def test_it_bends_only_the_requests_that_it_is_given_for(
    promise: Promise, task: str, streaming: bool, bent: bool
) -> None:
    keeper = Keeper(promise)
    decision, plain = (decided(decider, task, streaming=streaming) for decider in (taught(keeper), taught()))
    assert (decision.propensities["good"] < plain.propensities["good"]) == bent
    assert sum(decision.propensities.values()) == pytest.approx(1.0)


def test_a_busy_model_is_likelier_to_be_late() -> None:
    keeper = Keeper(FAST)
    decider = taught(keeper)
    before = decided(decider).propensities["good"]
    for seconds, in_flight in ((4.0, 0), (8.0, 10), (12.0, 20)) * 30:
        decision = decided(decider)
        attempt = Attempt("good", seconds, in_flight=in_flight)
        told = replace(outcome(seconds), attempts=(attempt,))
        decider.take(lessons_of(decision, told)[-1])
    assert decided(decider).propensities["good"] == pytest.approx(before)
    for _ in range(10):
        decider.beliefs.load.began("good")
    assert decided(decider).propensities["good"] < 0.2 * before


@pytest.mark.parametrize(
    ("told", "late"),
    [
        (outcome(6.0), True),
        (outcome(4.0), False),
        (outcome(6.0, ok=False), True),
        (outcome(4.0, ok=False), None),
    ],
)
def test_an_outcome_is_late_whoever_answered_and_one_that_failed_early_says_nothing(
    told: Outcome, late: bool | None
) -> None:
    assert FAST.was_late(told) is late


def test_a_first_token_waits_for_the_calls_that_failed_before() -> None:
    first = Promise("first", 0.05, ttft_s=2.0)
    calls = (Attempt("quick", 3.0, failure="TimedOutError"), Attempt("good", 4.0, ttft_s=0.5))
    told = Outcome("d", "good", 0.0, None, 0.0, 7.0, 0.5, attempts=calls)
    assert first.was_late(told) is True
    assert first.was_late(replace(told, latency_s=4.0, attempts=calls[1:])) is False
    assert first.was_late(replace(told, ttft_s=None)) is None


def test_an_outcome_that_says_nothing_leaves_the_price_where_it_was() -> None:
    keeper = Keeper(FAST)
    decider = taught(keeper)
    before, decision = keeper.shadow_price, decided(decider)
    decider.expect(decision)
    decider.settled(decision, outcome(1.0, ok=False))
    assert keeper.shadow_price == pytest.approx(before, rel=1e-3)
    assert keeper.kept().requests == 0


def test_it_goes_on_after_a_restart_from_where_it_stood() -> None:
    keeper, again, other = Keeper(FAST), Keeper(FAST), Keeper(replace(FAST, name="faster"))
    lived(taught(keeper), 400, 6.0)
    records = list(keeper.records())
    assert all(record.budget.startswith(PROMISE) for record in records)
    for each in (again, other):
        each.restore(records)
    assert again.kept() == keeper.kept()
    assert again.shadow_price == keeper.shadow_price
    assert list(again.records()) == records
    assert other.kept().requests == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0.0},
        {"epsilon": 1.0},
        {"epsilon": 0.05},
        {"epsilon": 0.05, "latency_s": 1.0, "ttft_s": 1.0},
        {"epsilon": 0.05, "latency_s": 0.0},
        {"epsilon": 0.05, "ttft_s": float("inf")},
    ],
)
def test_what_is_no_promise_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Promise("p", **({"latency_s": 1.0} if wrong["epsilon"] in (0.0, 1.0) else {}), **wrong)
