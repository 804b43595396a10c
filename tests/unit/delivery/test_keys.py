import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.delivery.keys import Key, KeyRing
from banditroute.errors import ConfigError
from banditroute.providers.ratelimits import RateLimits

NOW = 1_700_000_000.0


def ring(*labels: str, most_in_flight: int | None = None) -> KeyRing:
    return KeyRing([(label, f"sk-{label}") for label in labels], most_in_flight=most_in_flight)


def picked(keys: KeyRing, now: float = NOW, model: str = "m", **but: frozenset[str]) -> str | None:
    key = keys.pick(now, model, **but)
    return None if key is None else key.label


def test_a_secret_is_not_shown() -> None:
    key = Key("main", "sk-very-secret")
    assert key.secret == "sk-very-secret"
    assert "very-secret" not in repr(key) + str(key) + repr(ring("very-secret")) + f"{key!r}"


@pytest.mark.parametrize("secret", ["", "sk-1\n", " sk-1", "sk-1\r\nX-Evil: 1"])
def test_a_secret_that_no_header_can_carry_is_refused_unseen(secret: str) -> None:
    with pytest.raises(ConfigError, match="'main'") as caught:
        KeyRing([("main", secret)])
    assert "sk-1" not in str(caught.value)


def test_labels_differ() -> None:
    with pytest.raises(ConfigError, match="label"):
        ring("a", "a")


def test_without_keys_nothing_is_sent() -> None:
    key = KeyRing().pick(NOW)
    assert key is not None
    assert key.secret is None


def test_equal_keys_take_turns_and_the_least_loaded_goes_first() -> None:
    keys = ring("a", "b", "c")
    assert {picked(keys) for _ in range(3)} == {"a", "b", "c"}
    keys.take("a", "m")
    keys.take("b", "m")
    assert {picked(keys) for _ in range(3)} == {"c"}
    keys.give_back("a", "m")
    assert {picked(keys) for _ in range(4)} == {"a", "c"}


def test_a_key_takes_no_more_calls_than_it_may() -> None:
    keys = ring("a", most_in_flight=1)
    keys.take("a", "m")
    assert picked(keys) is None
    assert keys.usable_at(NOW, "m") == 0.0, "a full key is a queue, not a wait for the provider"
    keys.give_back("a", "m")
    assert picked(keys) == "a"


def test_of_several_retry_afters_the_latest_holds() -> None:
    keys = ring("a")
    assert keys.blocked("a", NOW + 5.0, NOW, "m") == NOW + 5.0
    assert keys.blocked("a", NOW + 2.0, NOW, "m") is None
    assert keys.blocked("a", NOW + 9.0, NOW, "m") is None
    assert keys.usable_at(NOW, "m") == NOW + 9.0
    assert picked(keys, NOW + 8.9) is None
    assert picked(keys, NOW + 9.0) == "a"


def test_without_a_retry_after_waits_double_until_a_call_succeeds() -> None:
    keys, now, waits = ring("a"), NOW, []
    for _ in range(9):
        until = keys.blocked("a", None, now, "m")
        assert until is not None
        assert keys.blocked("a", None, now, "m") is None, "calls that were under way do not prolong it"
        waits.append(until - now)
        now = until
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert keys.seen("a", None, now, "m"), "it is back in use"
    assert not keys.seen("a", None, now, "m")
    assert keys.blocked("a", None, now, "m") == now + 0.5


def test_a_reply_to_a_call_that_was_under_way_does_not_end_the_wait() -> None:
    keys = ring("a")
    keys.blocked("a", NOW + 5.0, NOW, "m")
    assert not keys.seen("a", None, NOW + 1.0, "m")
    assert picked(keys, NOW + 1.0) is None


def test_one_models_429_leaves_the_keys_other_models_alone() -> None:
    keys = ring("a")
    keys.blocked("a", NOW + 5.0, NOW, "large")
    assert picked(keys, model="large") is None
    assert picked(keys, model="small") == "a"
    assert keys.usable_at(NOW, "large") == keys.usable_at(NOW) == NOW + 5.0
    keys.take("a", "small")
    assert keys.usable_at(NOW) == 0.0, "some model can be asked"


def test_a_tripped_key_is_out_for_good() -> None:
    keys = ring("a", "b")
    assert keys.tripped("a", "no money left")
    assert not keys.tripped("a", "again")
    assert {picked(keys) for _ in range(4)} == {"b"}
    assert keys.out_of_use == {"a": "no money left"}
    keys.tripped("b", "")
    assert picked(keys) is None
    assert keys.usable_at(NOW) == math.inf


def test_keys_that_are_not_wanted_are_passed_over() -> None:
    keys = ring("a", "b")
    assert {picked(keys, but=frozenset({"a"})) for _ in range(3)} == {"b"}
    assert keys.usable_at(NOW, but=frozenset({"a", "b"})) == math.inf


def test_a_key_with_nothing_left_waits_until_its_limit_is_whole_again() -> None:
    keys = ring("a")
    for limits in (RateLimits(remaining_requests=0, reset_requests_at=NOW + 3.0), RateLimits(9, 0, None, NOW + 3.0)):
        keys.seen("a", limits, NOW, "m")
        assert picked(keys) is None
        assert keys.usable_at(NOW, "m") == NOW + 3.0
        assert picked(keys, NOW + 3.0) == "a"


def test_calls_in_flight_count_against_what_is_left() -> None:
    keys = ring("a")
    keys.seen("a", RateLimits(remaining_requests=2, reset_requests_at=NOW + 3.0), NOW, "m")
    keys.take("a", "m")
    assert picked(keys) == "a"
    keys.take("a", "m")
    assert picked(keys) is None
    assert keys.usable_at(NOW, "m", loaded=True) == NOW + 3.0
    keys.give_back("a", "m")
    assert picked(keys) == "a"


def test_tokens_in_flight_count_at_what_a_call_is_known_to_take() -> None:
    keys = ring("a")
    keys.seen("a", RateLimits(remaining_tokens=1500, reset_tokens_at=NOW + 3.0), NOW, "m")
    for _ in range(100):
        keys.used("a", 1000, "m")
    keys.take("a", "m")
    assert picked(keys) == "a"
    keys.take("a", "m")
    assert picked(keys) is None


def test_a_limit_without_a_reset_is_no_reason_to_wait() -> None:
    keys = ring("a")
    keys.seen("a", RateLimits(remaining_requests=0), NOW, "m")
    assert picked(keys) == "a"


@given(st.data())
def test_a_picked_key_is_always_one_that_may_be_used(data: st.DataObject) -> None:
    keys, now = ring("a", "b", "c", most_in_flight=2), NOW
    load, until, dead = dict.fromkeys("abc", 0), dict.fromkeys("abc", 0.0), set[str]()
    for _ in range(data.draw(st.integers(0, 30))):
        now += data.draw(st.floats(0.0, 2.0))
        label = data.draw(st.sampled_from("abc"))
        match data.draw(st.sampled_from(["take", "give back", "block", "trip"])):
            case "take" if (key := keys.pick(now, "m")) is not None:
                assert load[key.label] < 2
                assert until[key.label] <= now
                assert key.label not in dead
                keys.take(key.label, "m")
                load[key.label] += 1
            case "give back" if load[label]:
                keys.give_back(label, "m")
                load[label] -= 1
            case "block":
                instant = now + data.draw(st.floats(0.0, 5.0))
                keys.blocked(label, instant, now, "m")
                until[label] = max(until[label], instant)
            case "trip":
                keys.tripped(label, "spent")
                dead.add(label)
            case _:
                usable = [each for each in "abc" if each not in dead]
                expected = min((until[each] for each in usable), default=math.inf)
                assert keys.usable_at(now, "m") == (0.0 if expected <= now else expected)
    assert keys.in_flight == sum(load.values())
