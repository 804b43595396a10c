from __future__ import annotations

import math

import pytest

from banditroute.delivery.availability import Availability
from banditroute.delivery.settings import Breaking
from banditroute.errors import (
    ConnectionFailedError,
    KeyRefusedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
)
from banditroute.observe import BreakerChanged, Event
from banditroute.storage.sharing import OpenCircuit

MODELS = {"small": "openai", "large": "openai", "other": "anthropic"}
DOWN = ConnectionFailedError("refused")


class Events:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def notify(self, event: Event) -> None:
        assert isinstance(event, BreakerChanged)
        self.seen.append((event.model, event.state))


class World:
    """An availability, the instants until which models are without a key, and what was told."""

    def __init__(self) -> None:
        self.until: dict[str, float] = {}
        self.asked = 0
        self.events = Events()
        self.availability = Availability(MODELS, Breaking(consecutive=2, open_s=5.0), self._until, self.events)

    def _until(self, model: str, now: float) -> float:
        self.asked += 1
        until = self.until.get(model, 0.0)
        return until if until > now else 0.0

    def break_model(self, model: str, now: float = 100.0) -> None:
        for _ in range(2):
            self.availability.failed(model, DOWN, now, probe=0)


@pytest.fixture
def world() -> World:
    return World()


def test_without_trouble_nothing_is_asked_and_one_mapping_serves_all(world: World) -> None:
    availability = world.availability
    assert availability.unavailable(0.0) == {}
    assert availability.unavailable(0.0) is availability.unavailable(1.0)
    assert availability.begin("small", 0.0) == 0
    availability.succeeded("small", probe=0)
    assert availability.retry_after_s(MODELS, 0.0) == 0.0
    assert world.asked == 0
    assert world.events.seen == []


def test_a_model_that_fails_is_left_alone_probed_and_taken_back(world: World) -> None:
    availability = world.availability
    world.break_model("small")
    assert availability.unavailable(102.0) == {
        "small": "circuit open for another 3.0 s after 2 failures in a row (ConnectionFailedError)"
    }
    assert availability.unavailable(105.0) == {}
    assert availability.begin("small", 105.0) == 1
    assert availability.begin("small", 105.0) == 0
    assert list(availability.unavailable(105.0)) == ["small"]
    availability.succeeded("small", probe=1)
    assert availability.unavailable(105.0) == {}
    assert world.events.seen == [("small", "open"), ("small", "half_open"), ("small", "closed")]


def test_a_failed_probe_opens_it_again(world: World) -> None:
    world.break_model("small")
    world.availability.begin("small", 105.0)
    world.availability.failed("small", DOWN, 106.0, probe=1)
    assert world.availability.retry_after_s(["small"], 106.0) == 10.0
    assert world.events.seen[-1] == ("small", "open")


@pytest.mark.parametrize("error", [RejectedError("no"), TimedOutError("deadline", 0.1), RateLimitedError("slow down")])
def test_a_probe_that_says_nothing_of_the_model_is_abandoned(world: World, error: ProviderError) -> None:
    world.break_model("small")
    world.availability.begin("small", 105.0)
    world.availability.failed("small", error, 105.1, probe=1)
    assert world.availability.begin("small", 105.2) == 2
    world.availability.abandoned("small", probe=2)
    assert world.availability.begin("small", 105.2) == 3


def test_a_callers_own_limit_never_cools_a_slow_model(world: World) -> None:
    for _ in range(1000):
        world.availability.failed("small", TimedOutError("deadline", 0.2), 0.0, probe=0)
    assert world.availability.unavailable(0.0) == {}


@pytest.mark.parametrize(
    "error", [RateLimitedError("slow down"), KeyRefusedError("who?"), QuotaSpentError("pay")], ids=str
)
def test_where_no_key_is_left_the_models_wait_for_one(world: World, error: ProviderError) -> None:
    world.until = {"small": 112.0, "large": 104.0}
    world.availability.failed("small", error, 100.0, probe=0)
    assert world.availability.unavailable(100.0) == {
        "small": "no key of provider 'openai' may be used for another 12.0 s",
        "large": "no key of provider 'openai' may be used for another 4.0 s",
    }
    assert world.availability.retry_after_s(["small", "large"], 100.0) == 4.0
    assert list(world.availability.unavailable(104.0)) == ["small"]
    assert world.availability.unavailable(112.0) == {}
    asked = world.asked
    world.availability.unavailable(113.0)
    assert world.asked == asked, "a provider that has a key again is no longer asked after"


def test_nobody_knows_when_a_refused_key_is_mended(world: World) -> None:
    world.until = {"other": math.inf}
    world.availability.suspect("anthropic")
    assert world.availability.unavailable(0.0) == {"other": "no key of provider 'anthropic' may be used"}
    assert world.availability.retry_after_s(["other"], 0.0) is None
    assert world.availability.retry_after_s([], 0.0) is None
    world.until = {}
    assert world.availability.unavailable(0.0) == {}


def test_the_soonest_recovery_counts_and_both_reasons_have_to_pass(world: World) -> None:
    world.break_model("small")
    world.break_model("other", 103.0)
    assert world.availability.retry_after_s(["small", "other"], 103.0) == 2.0
    world.until = {"small": 130.0}
    world.availability.suspect("openai")
    assert world.availability.retry_after_s(["small", "other"], 103.0) == 5.0
    assert world.availability.retry_after_s(["small"], 103.0) == 27.0


def test_health_shows_every_model(world: World) -> None:
    world.break_model("small")
    health = {health.model: health for health in world.availability.health(101.0)}
    assert list(health) == list(MODELS)
    assert (health["small"].state, health["large"].state) == ("open", "closed")
    assert health["small"].availability < health["large"].availability == 1.0
    assert "4.0 s" in health["small"].refusal
    assert health["large"].refusal == ""


def test_while_its_provider_does_not_answer_a_model_is_back_after_a_knock_at_the_soonest(world: World) -> None:
    availability = world.availability
    world.break_model("small")
    assert availability.broken("small")
    availability.knocked("small", 100.5, answered=False)
    assert availability.retry_after_s(["small"], 110.0) == 2.0
    assert "until its provider answers" in availability.unavailable(110.0)["small"]
    availability.knocked("small", 111.0, answered=True)
    assert availability.retry_after_s(["small"], 111.0) == 0.0
    assert availability.unavailable(111.0) == {}


def test_what_others_found_is_left_alone_until_they_say_so_no_longer(world: World) -> None:
    availability = world.availability
    availability.hear([OpenCircuit("small", 3.0, "it failed elsewhere"), OpenCircuit("gone", 3.0, "no more")], 100.0)
    assert "3.0 s after it failed elsewhere" in availability.unavailable(100.0)["small"]
    availability.hear([OpenCircuit("small", 3.0, "it failed elsewhere")], 102.0)
    assert availability.retry_after_s(["small"], 102.0) == 3.0
    assert availability.found_broken(102.0, 1.0) == ()
    availability.hear([], 103.0)
    assert availability.unavailable(103.0) == {}
    assert world.events.seen == [("small", "open"), ("small", "closed")]


def test_what_was_found_out_here_is_told_and_tried_here_whatever_others_say(world: World) -> None:
    availability = world.availability
    world.break_model("small")
    (found,) = availability.found_broken(101.0, 1.0)
    assert (found.model, found.for_s) == ("small", 4.0)
    availability.hear([OpenCircuit("small", 60.0, "it failed elsewhere")], 101.0)
    availability.hear([], 102.0)
    assert availability.retry_after_s(["small"], 102.0) == 3.0
    probe = availability.begin("small", 106.0)
    assert availability.found_broken(106.0, 1.0)[0].for_s == 1.0
    availability.succeeded("small", probe=probe)
    assert availability.found_broken(106.0, 1.0) == ()


def test_who_is_not_heard_of_any_more_is_stood_in_for(world: World) -> None:
    """The one that looked after a model is gone: once its time is up, a call of ours tries it, and tells the others."""
    availability = world.availability
    availability.hear([OpenCircuit("small", 3.0, "it failed elsewhere")], 100.0)
    probe = availability.begin("small", 104.0)
    assert probe
    availability.failed("small", DOWN, 104.0, probe=probe)
    assert [each.model for each in availability.found_broken(104.0, 1.0)] == ["small"]
