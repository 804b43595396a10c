import asyncio

import pytest

from banditroute.delivery.admission import Admission
from banditroute.delivery.keys import Key, KeyRing
from banditroute.errors import KeyRefusedError, RateLimitedError, TimedOutError

NEVER = float("inf")


class Clock:
    """Follows the event loop's clock, as seconds since some epoch."""

    def __call__(self) -> float:
        return 1_700_000_000.0 + asyncio.get_running_loop().time()


CLOCK = Clock()


def door(*labels: str, most: int = 2, most_per_key: int | None = None) -> tuple[Admission, KeyRing]:
    keys = KeyRing([(label, None) for label in labels or ("a",)], most_in_flight=most_per_key)
    return Admission(keys, max_concurrent=most, longest_wait_s=1.0, clock=CLOCK), keys


def soon(s: float) -> float:
    return asyncio.get_running_loop().time() + s


async def in_line(admission: Admission, number: int) -> None:
    async with asyncio.timeout(1.0):
        while admission.waiting != number:
            await asyncio.sleep(0)


async def test_the_first_pass_at_once_and_the_rest_in_order() -> None:
    admission, _ = door(most=2)
    key, _ = await admission.enter("m", NEVER), await admission.enter("m", NEVER)
    order: list[int] = []

    async def call(number: int) -> None:
        held = await admission.enter("m", NEVER)
        order.append(number)
        assert admission.in_flight <= 2
        await asyncio.sleep(0)
        admission.leave(held, "m")

    async with asyncio.TaskGroup() as calls:
        for number in range(20):
            calls.create_task(call(number))
        await in_line(admission, 20)
        admission.leave(key, "m")
    assert order == list(range(20))
    assert (admission.in_flight, admission.waiting) == (1, 0)


async def test_a_place_is_handed_over_before_a_newcomer_can_take_it() -> None:
    admission, _ = door(most=1)
    key = await admission.enter("m", NEVER)
    waiting = asyncio.create_task(admission.enter("m", NEVER))
    await in_line(admission, 1)
    admission.leave(key, "m")
    with pytest.raises(TimedOutError):
        await admission.enter("m", soon(0.01))
    assert (await waiting).label == "a"


async def test_the_deadline_ends_the_wait() -> None:
    admission, _ = door(most=1)
    await admission.enter("m", NEVER)
    with pytest.raises(TimedOutError) as caught:
        await admission.enter("m", soon(0.02))
    assert caught.value.phase == "queue"
    assert caught.value.waited_s >= 0.02
    assert (admission.in_flight, admission.waiting) == (1, 0)


async def test_a_deadline_that_has_passed_is_no_reason_to_wait() -> None:
    admission, _ = door(most=1)
    await admission.enter("m", NEVER)
    with pytest.raises(TimedOutError):
        await admission.enter("m", soon(-1.0))


async def test_leaving_the_line_passes_the_place_on() -> None:
    admission, _ = door(most=1)
    key = await admission.enter("m", NEVER)
    first = asyncio.create_task(admission.enter("m", NEVER))
    second = asyncio.create_task(admission.enter("m", NEVER))
    await in_line(admission, 2)
    admission.leave(key, "m")  # hands the place to the first ...
    first.cancel()  # ... which is cancelled before it can run
    with pytest.raises(asyncio.CancelledError):
        await first
    async with asyncio.timeout(1.0):
        admission.leave(await second, "m")
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_a_full_key_is_waited_for_and_another_models_calls_go_on() -> None:
    admission, keys = door("a", "b", most=10, most_per_key=1)
    first, second = await admission.enter("m", NEVER), await admission.enter("m", NEVER)
    assert {first.label, second.label} == {"a", "b"}
    third = asyncio.create_task(admission.enter("m", NEVER))
    await in_line(admission, 1)
    admission.leave(second, "m")
    assert (await third).label == second.label
    assert keys.in_flight == admission.in_flight == 2


async def test_a_wait_for_one_models_limit_does_not_hold_up_the_line() -> None:
    admission, keys = door(most=2)
    keys.blocked("a", CLOCK() + 0.5, CLOCK(), "large")
    large = asyncio.create_task(admission.enter("large", NEVER))
    await in_line(admission, 1)
    held = [await admission.enter("small", soon(0.1)) for _ in range(2)]
    small = asyncio.create_task(admission.enter("small", NEVER))
    await in_line(admission, 2)
    admission.leave(held.pop(), "small")
    assert (await small).label == "a"
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)
    assert admission.waiting == 0


async def test_a_short_wait_for_a_rate_limit_is_waited_out() -> None:
    admission, keys = door()
    until = CLOCK() + 0.05
    keys.blocked("a", until, CLOCK(), "m")
    await admission.enter("m", NEVER)
    assert CLOCK() >= until


@pytest.mark.parametrize(("blocked_s", "deadline_s"), [(5.0, 60.0), (0.5, 0.1)])
async def test_a_long_wait_for_a_rate_limit_is_not(blocked_s: float, deadline_s: float) -> None:
    admission, keys = door()
    keys.blocked("a", CLOCK() + blocked_s, CLOCK(), "m")
    with pytest.raises(RateLimitedError) as caught:
        await admission.enter("m", soon(deadline_s))
    assert caught.value.retry_after_s == pytest.approx(blocked_s, abs=0.05)
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_with_every_key_out_of_use_nobody_waits() -> None:
    admission, keys = door(most=1)
    key = await admission.enter("m", NEVER)
    waiting = asyncio.create_task(admission.enter("m", NEVER))
    await in_line(admission, 1)
    keys.tripped("a", "no money left")
    admission.recheck()
    with pytest.raises(KeyRefusedError, match="a: no money left"):
        await waiting
    admission.leave(key, "m")
    with pytest.raises(KeyRefusedError):
        await admission.enter("m", NEVER)
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_nothing_is_lost_when_calls_come_go_and_are_cancelled() -> None:
    admission, keys = door("a", "b", most=5, most_per_key=3)
    admitted = 0

    async def call(number: int) -> None:
        nonlocal admitted
        key: Key = await admission.enter(f"m{number % 3}", soon(5.0))
        admitted += 1
        assert admission.in_flight <= 5
        try:
            await asyncio.sleep(0.0005 * (number % 7))
        finally:
            admission.leave(key, f"m{number % 3}")

    tasks = [asyncio.create_task(call(number)) for number in range(300)]
    for number in range(0, 300, 4):
        await asyncio.sleep(0)
        tasks[number].cancel()
    endings = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(ending is None or isinstance(ending, asyncio.CancelledError) for ending in endings)
    assert admitted >= 225
    assert admission.in_flight == admission.waiting == keys.in_flight == 0
