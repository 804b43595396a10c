"""Workers ask each other; who is not there, or does not answer whole, is left out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from banditroute.errors import StoreError
from banditroute.gateway.workers import siblings as module
from banditroute.gateway.workers.siblings import Siblings


async def test_all_others_are_asked_and_none_but_who_answers_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.2)
    workers = {number: Siblings(tmp_path, number, 4) for number in (1, 2, 3, 4)}

    def answers(number: int):
        async def name(of: str) -> bytes:
            if of == "slowly" and number == 2:
                await asyncio.sleep(1.0)
            if of == "badly" and number == 2:
                raise StoreError("no")
            return f"{number} {of}".encode() + b"x" * 300_000

        return {"name": name}

    async with AsyncExitStack() as stack:
        for number in (1, 2, 3):  # the fourth never came up
            await stack.enter_async_context(workers[number].answering(answers(number)))
        told = await workers[1].ask("name", "please")
        assert [each[:8] for each in told] == [b"2 please", b"3 please"]
        assert {len(each) for each in told} == {300_008}
        for how in ("slowly", "badly"):
            assert [each[:1] for each in await workers[1].ask("name", how)] == [b"3"]
        assert await workers[1].ask("what nobody knows") == []
    assert await workers[1].ask("name") == []
    assert await Siblings().ask("name") == []


async def test_who_takes_anothers_place_answers_in_its_stead(tmp_path):
    async def old(_: str) -> bytes:
        return b"old"

    async def new(_: str) -> bytes:
        return b"new"

    one, two = Siblings(tmp_path, 1, 2), Siblings(tmp_path, 2, 2)
    async with two.answering({"who": old}), two.answering({"who": new}):  # the old one left its socket behind
        assert await one.ask("who") == [b"new"]
