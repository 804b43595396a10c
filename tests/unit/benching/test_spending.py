import asyncio

import pytest

from banditroute.benching.spending import Purse, SpentError


async def test_what_is_held_counts_until_it_is_let_go() -> None:
    purse = Purse(1.0)
    async with purse.hold(0.6):
        assert purse.has_room(0.4)
        assert not purse.has_room(0.5)
        purse.pay(0.1)
    assert purse.left_usd == pytest.approx(0.9)
    assert purse.has_room(0.9)


async def test_who_does_not_fit_waits_for_others_and_then_goes_on() -> None:
    purse, order = Purse(1.0), []

    async def call(name: str, usd: float, cost_usd: float) -> None:
        async with purse.hold(usd):
            order.append(name)
            await asyncio.sleep(0.01)
            purse.pay(cost_usd)

    async with asyncio.TaskGroup() as group:
        for name in ("one", "two", "three"):
            group.create_task(call(name, 0.8, 0.1))
    assert order == ["one", "two", "three"]
    assert purse.spent_usd == pytest.approx(0.3)


async def test_small_calls_do_not_pass_over_a_large_one_for_ever() -> None:
    purse, order = Purse(1.0), []

    async def call(name: str, usd: float) -> None:
        async with purse.hold(usd):
            order.append(name)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for name, usd in (("small", 0.3), ("large", 1.0), ("late", 0.3)):
            group.create_task(call(name, usd))
    assert order == ["small", "large", "late"]


async def test_who_will_never_fit_is_told() -> None:
    purse = Purse(1.0, spent_usd=0.9)
    with pytest.raises(SpentError, match=r"may cost \$0\.2, \$0\.1 are left"):
        async with purse.hold(0.2):
            pass
    with pytest.raises(SpentError, match=r"may cost \$0\.0000987, \$0\.00001 are left"):
        async with Purse(0.00001).hold(0.0000987):
            pass
    async with purse.hold(0.1):
        pass


async def test_many_at_once_never_pass_the_limit() -> None:
    purse, refused = Purse(1.0), 0

    async def call(worst_usd: float) -> None:
        nonlocal refused
        try:
            async with purse.hold(worst_usd):
                await asyncio.sleep(0)
                purse.pay(worst_usd)
        except SpentError:
            refused += 1

    await asyncio.gather(*(call(0.03) for _ in range(50)))
    assert purse.spent_usd <= 1.0
    assert refused == 50 - 33


async def test_without_a_limit_everything_fits() -> None:
    purse = Purse()
    async with purse.hold(float("inf")), purse.hold(5.0):
        purse.pay(3.0)
    assert purse.spent_usd == 3.0
    assert purse.has_room(1e9)
