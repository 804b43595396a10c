"""`banditroute serve --workers 2`: two processes that callers, operators and Prometheus take for one gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import httpx
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from banditroute import open_router
from banditroute.gateway.dashboard.controls import MARK
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, TOKENS, USAGE_FRAME, Exchange

HELLO = [{"role": "user", "content": "hello"}]
STORE = {"kind": "sqlite", "path": "store.db"}
PATIENT = {"whole_s": 30.0, "first_token_s": 30.0, "between_chunks_s": 30.0, "total_s": 60.0}
ENVIRON = {"LAB_KEY": "sk-main", "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}


class Served(NamedTuple):
    """The supervisor's process, where it says that it listens, and its workers' process ids."""

    process: asyncio.subprocess.Process
    url: str
    workers: list[int]


async def started(lab, path, *arguments, **variables) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "banditroute", "serve", "--config", str(path), "--port", "0", *arguments)
    environ = {**ENVIRON, **variables}
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environ, cwd=lab.folder)


@asynccontextmanager
async def serving(lab, path, **variables) -> AsyncIterator[Served]:
    process = await started(lab, path, "--workers", "2", "--json", **variables)
    try:
        async with asyncio.timeout(30.0):
            line = await process.stdout.readline()
        told = json.loads(line)
        assert told["pid"] == process.pid
        yield Served(process, told["url"], told["workers"])
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.communicate(), 20.0)


async def ask(url, method, path, body=None, key="", **headers) -> tuple[int, Any, str]:
    """Status, body, and decision of a request on a connection of its own, so that the workers take turns."""
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{url}{path}", json=body, headers=headers) as response,
    ):
        text = await response.text()
        decision = response.headers.get("x-banditroute-decision-id", "")
        return response.status, json.loads(text) if response.content_type == "application/json" else text, decision


async def chat(url, key="", model="auto:qa") -> tuple[int, str]:
    status, _, decision = await ask(url, "POST", "/v1/chat/completions", {"model": model, "messages": HELLO}, key)
    return status, decision


async def counted(url, name, key="") -> dict[str, float]:
    """What the workers say of a metric, by their numbers."""
    _, text, _ = await ask(url, "GET", "/metrics", key=key)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert len(families) == len([line for line in text.splitlines() if line.startswith("# TYPE")]), "each stands once"
    counts: dict[str, float] = {}
    for sample in families[name].samples:
        counts[sample.labels["worker"]] = counts.get(sample.labels["worker"], 0.0) + sample.value
    return counts


async def until(what, within_s=15.0):
    """Waits until an awaitable's result is true."""
    async with asyncio.timeout(within_s):
        while not await what():
            await asyncio.sleep(0.05)


async def told_of(process, event) -> dict[str, Any]:
    """The next line on standard error that is about an event."""
    async with asyncio.timeout(10.0):
        while (line := json.loads(await process.stderr.readline()))["event"] != event:
            pass
    return line


def is_running(pid) -> bool:
    """Whether a process is there and not only waits to be taken note of."""
    state = ""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    return state not in ("", "Z")


def children(pid) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


KEYS = [
    {"name": "app", "key_env": "APP", "requests_per_minute": 10},
    {"name": "ops", "key_env": "OPS", "admin": True},
]


async def test_whoever_is_asked_answers_for_all(lab):
    tables = {"gateway": {"auth": "keys", "access_log": "access.log"}, "gateway.keys": KEYS}
    cap = {"name": "cap", "usd": 1.0, "per": "day"}
    path = lab.write({"small": await lab.server()}, store={**STORE, "tick_s": 0.1}, budgets=[cap], **tables)
    async with serving(lab, path, APP="key-of-app", OPS="key-of-ops") as (_, url, _):
        answers = [await chat(url, "key-of-app") for _ in range(10)]
        assert [status for status, _ in answers] == [200] * 10
        assert [(await chat(url, "key-of-app"))[0] for _ in range(3)] == [429] * 3, "the limit is that of both together"

        served = await counted(url, "banditroute_requests", "key-of-ops")
        assert (set(served), sum(served.values())) == ({"1", "2"}, 10.0)
        for _ in range(3):  # whichever is asked
            assert await counted(url, "banditroute_requests", "key-of-ops") == served

        spent_usd = sum((await counted(url, "banditroute_cost_usd", "key-of-ops")).values())

        async def both_have_spent_it_all() -> bool:
            known = await counted(url, "banditroute_budget_spent_usd", "key-of-ops")
            return known == {"1": pytest.approx(spent_usd), "2": pytest.approx(spent_usd)}

        assert spent_usd > 0.0
        await until(both_have_spent_it_all)

        decision = answers[0][1]
        for good in (0.5, 0.75):  # one of the two was asked of the worker that did not decide
            body = {"decision_id": decision, "quality": good, "source": f"judge-{good}"}
            status, told, _ = await ask(url, "POST", "/v1/feedback", body, "key-of-app")
            assert (status, told["recorded"]) == (200, True)
        for _ in range(2):
            status, why, _ = await ask(url, "GET", f"/v1/decisions/{decision}", key="key-of-app")
            assert (status, len(why["feedback"])) == (200, 2)

        for _ in range(2):
            _, shown, _ = await ask(url, "GET", "/dashboard/snapshot", key="key-of-ops")
            assert shown["span"]["requests"] == 10
            assert {line["decision_id"] for line in shown["decisions"]} == {decision for _, decision in answers}
            assert shown["now"]["most_in_work"] == 512
    lines = [json.loads(line) for line in (lab.folder / "access.log").read_text().splitlines()]
    logged = Counter(str(line["worker"]) for line in lines if line.get("model"))
    assert logged == served


async def unhurried(exchange: Exchange) -> None:
    """An answer that takes its time."""
    exchange.begin_stream()
    for piece in (ROLE, *CONTENT, STOP, USAGE_FRAME, DONE):
        exchange.piece(piece)
        await asyncio.sleep(0.1)
    exchange.end_stream()


async def test_what_the_supervisor_is_told_all_do(lab):
    server = await lab.server(unhurried)
    path = lab.write({"small": server}, store=STORE, timeouts=PATIENT)
    async with serving(lab, path) as (process, url, workers):
        lab.write({"small": server, "fresh": server}, store=STORE, timeouts=PATIENT)
        process.send_signal(signal.SIGHUP)

        async def both_know() -> bool:
            told = [(await ask(url, "GET", "/v1/models"))[1]["data"] for _ in range(4)]
            return all("fresh" in [model["id"] for model in models] for models in told)

        await until(both_know)

        mark = {MARK: "1"}
        assert (await ask(url, "POST", "/dashboard/api/drain", {"draining": True}, **mark))[0] == 200
        assert [(await ask(url, "GET", "/health/ready"))[0] for _ in range(4)] == [503] * 4
        assert (await ask(url, "POST", "/dashboard/api/drain", {"draining": False}, **mark))[0] == 200
        assert [(await ask(url, "GET", "/health/ready"))[0] for _ in range(4)] == [200] * 4

        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
            streams = [await client.chat.completions.create(model="auto", messages=HELLO, stream=True) for _ in "ab"]
            for pid in (process.pid, *workers):  # as a service manager does that signals every process of the group
                os.kill(pid, signal.SIGTERM)
            for stream in streams:
                text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
                assert text == "".join(TOKENS)
        assert await asyncio.wait_for(process.wait(), 10.0) == 0
        assert not any(is_running(pid) for pid in workers)
    async with open_router(path, environ={"LAB_KEY": "sk-main"}) as router:
        assert await router.learner.store.unsettled() == []


async def test_told_twice_they_do_not_wait(lab):
    server = await lab.server("stall-between-tokens")
    path = lab.write({"small": server}, store=STORE, timeouts=PATIENT, gateway={"auth": "none", "drain_s": 60.0})
    async with (
        serving(lab, path) as (process, url, _),
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO, stream=True)
        process.terminate()
        await asyncio.sleep(0.2)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10.0) == 0
        await raw.http_response.aclose()


def held_until(event: asyncio.Event):
    """An answer that goes on once something has come to pass."""

    async def answer(exchange: Exchange) -> None:
        exchange.begin_stream()
        exchange.piece(ROLE)
        exchange.piece(CONTENT[0])
        await event.wait()
        for piece in (*CONTENT[1:], STOP, USAGE_FRAME, DONE):
            exchange.piece(piece)
        exchange.end_stream()

    return answer


async def read(stream) -> bool:
    """Whether a stream comes to its end."""
    try:
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "".join(TOKENS)
    except (openai.APIError, httpx.HTTPError):
        return False


async def test_who_dies_is_replaced_while_the_other_serves_and_without_a_supervisor_all_end(lab):
    going_on = asyncio.Event()
    models = {"small": await lab.server(), "slow": await lab.server(held_until(going_on))}
    path = lab.write(models, store={**STORE, "tick_s": 0.1}, timeouts=PATIENT)
    async with (
        serving(lab, path) as (process, url, workers),
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        ask_slowly = client.chat.completions.with_raw_response.create
        raw = [await ask_slowly(model="slow", messages=HELLO, stream=True) for _ in "ab"]
        decisions = [each.headers["x-banditroute-decision-id"] for each in raw]
        streams = [asyncio.create_task(read(each.parse())) for each in raw]
        os.kill(workers[0], signal.SIGKILL)
        ended = await told_of(process, "WorkerEnded")
        assert (ended["worker"], ended["code"]) == (1, -9)
        assert [(await chat(url, model="small"))[0] for _ in range(4)] == [200] * 4

        async def both_answer() -> bool:
            return set(await counted(url, "banditroute_info")) == {"1", "2"}

        await until(both_answer)

        async def outcomes() -> list[Any]:
            return [(await ask(url, "GET", f"/v1/decisions/{each}"))[1].get("outcome") for each in decisions]

        async def given_up() -> bool:
            """Whether what the dead one had in work is settled, and nothing of the other's is."""
            return [outcome is None for outcome in await outcomes()].count(True) == 1

        await until(given_up)
        going_on.set()
        ends = await asyncio.gather(*streams)
        assert sorted(ends) == [False, True], "one was the dead one's"
        assert [outcome["ok"] for outcome in await outcomes()] == ends
        os.kill(workers[1], signal.SIGTERM)  # it ends as told, and is replaced too
        ended = await told_of(process, "WorkerEnded")
        assert (ended["worker"], ended["code"]) == (2, 0)
        await until(both_answer)
        workers = children(process.pid)
        assert len(workers) == 2
        process.kill()

        async def gone() -> bool:
            return not any(is_running(pid) for pid in workers)

        await until(gone)


@pytest.mark.parametrize(
    ("store", "arguments", "words"),
    [
        ({"kind": "memory"}, (), "a memory store is one process's own"),
        (STORE, ("--port", "{taken}"), "already in use"),
    ],
)
async def test_what_cannot_be_served_is_one_line(lab, store, arguments, words):
    server = await lab.server()
    path = lab.write({"small": server}, store=store)
    taken = server.base_url.rsplit(":", 1)[1].partition("/")[0]
    process = await started(lab, path, "--workers", "2", *(each.format(taken=taken) for each in arguments))
    out, err = await asyncio.wait_for(process.communicate(), 30.0)
    assert (process.returncode, out) == (2, b"")
    assert len(err.splitlines()) == 1, err.decode()
    assert words in err.decode()
