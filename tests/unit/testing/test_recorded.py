import asyncio
import re
from pathlib import Path

import orjson
import pytest

from banditroute import open_router
from banditroute.errors import ConfigError, InputError, RejectedError
from banditroute.router import Router
from banditroute.testing import NotOnRecordError, Recording, network_blocked, recorded_router
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, USAGE_FRAME, Exchange, completion
from banditroute.testing.faulty_server import FaultyServer
from banditroute.testing.recording import RecordedReply

KEY = "sk-secret-0123456789abcdef"
KEYS = {"MAIN_KEY": KEY}
PROMPT = "What is the capital of France, dear colleague?"


def configured(folder: Path, base_url: str) -> Path:
    path = folder / "router.toml"
    models = "".join(
        f'[[models]]\nname = "{name}"\nprovider = "main"\ninput_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\n'
        for name in ("one", "two")
    )
    provider = f'[[providers]]\nname = "main"\nkind = "openai"\nbase_url = "{base_url}"\napi_key_env = "MAIN_KEY"\n'
    path.write_text(f"{provider}{models}[breaker]\nknock_s = 0.0\n[store]\npath = 'x.db'\n", encoding="utf-8")
    return path


async def streamed(router: Router, prompt: str) -> list[str]:
    async with router.stream(prompt) as stream:
        return [delta.text async for delta in stream]


async def asked(router: Router) -> list[object]:
    """What a few requests come to: models, texts, streamed pieces, dollars, embeddings."""
    found: list[object] = []
    for number in range(4):
        answer = await router.chat(f"{PROMPT} {number}", task="qa", temperature=0)
        await router.feedback(answer.decision_id, quality=0.8)
        found += [answer.model, answer.text, answer.cost_usd, answer.decision_id]
    found += await streamed(router, PROMPT)
    return found


async def recorded(folder: Path, *, keep_prompts: bool = False) -> tuple[Path, Path, list[object]]:
    """A recording, the configuration that it was made by, and what came of the requests; the server is gone."""
    file = folder / "kept" / "one.jsonl"
    async with FaultyServer() as server:
        config = configured(folder, server.base_url)
        recording = Recording(file, keep_prompts=keep_prompts)
        async with recorded_router(config, recording, record=True, environ=KEYS) as router:
            found = await asked(router)
        assert server.requests == 5
    return file, config, found


async def test_a_replay_is_what_was_recorded_without_network_or_keys(tmp_path: Path) -> None:
    file, config, live = await recorded(tmp_path)
    recording = Recording(file)
    with network_blocked():
        async with recorded_router(config, recording) as router:
            replayed = await asked(router)
    assert replayed == live
    assert recording.unused == ()


async def test_a_stream_comes_in_the_chunks_in_which_it_came(tmp_path: Path) -> None:
    async def in_two(exchange: Exchange) -> None:
        data = b"".join((ROLE, *CONTENT, STOP, USAGE_FRAME, DONE))
        exchange.begin_stream()
        exchange.piece(data[:701])
        await asyncio.sleep(0.05)
        exchange.piece(data[701:])
        exchange.end_stream()

    file = tmp_path / "kept.jsonl"
    async with FaultyServer(default=in_two) as server:
        config = configured(tmp_path, server.base_url)
        async with recorded_router(config, Recording(file), record=True, environ=KEYS) as router:
            live = await streamed(router, "a")
    (kept,) = Recording(file).exchanges
    assert [len(chunk) == 701 for chunk in kept.reply.chunks] == [True, False]
    async with recorded_router(config, Recording(file)) as router, router.stream("a") as stream:
        first = [await anext(stream)]
        while stream.ready:
            first.append(await anext(stream))
        rest = [delta async for delta in stream]
    assert rest  # the first chunk brings only its own pieces
    assert [delta.text for delta in (*first, *rest)] == live


async def test_neither_keys_nor_prompts_are_in_the_file(tmp_path: Path) -> None:
    file, _, _ = await recorded(tmp_path)
    text = file.read_text(encoding="utf-8")
    assert KEY not in text
    assert "authorization" not in text.lower()
    assert "capital of France, dear colleague" not in text


async def test_prompts_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    file, config, live = await recorded(tmp_path, keep_prompts=True)
    rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert rows[1]["asked"]["body"]["messages"][0]["content"] == f"{PROMPT} 0"
    assert KEY not in file.read_text(encoding="utf-8")
    async with recorded_router(config, Recording(file)) as router:
        assert await asked(router) == live


async def test_a_request_that_is_not_on_record_fails_and_names_the_nearest(tmp_path: Path) -> None:
    file, config, _ = await recorded(tmp_path)
    async with recorded_router(config, Recording(file)) as router:
        model = (await router.chat(f"{PROMPT} 0", task="qa", temperature=0)).model
        with pytest.raises(NotOnRecordError) as caught:
            await router.chat(f"{PROMPT} 0 indeed", model=model, task="qa", temperature=0)
        for dispatch in await router.learner.store.unsettled():
            await router.works[-1].serving.settled(dispatch.decision.decision_id)
        assert await router.learner.store.unsettled() == []
    problem = str(caught.value)
    assert re.search(r"one\.jsonl: no answer is on record to POST http://127\.0\.0\.1:\d+/v1/chat/completions", problem)
    assert re.search(
        r"the nearest, exchange \d, differs in messages\.0\.content: recorded \d+ signs #\w+, asked", problem
    )
    assert "--bandit-record=all" in problem
    assert PROMPT not in problem


async def test_the_same_question_is_answered_as_often_as_it_was(tmp_path: Path) -> None:
    file, config, _ = await recorded(tmp_path)
    async with recorded_router(config, Recording(file)) as router:
        first = await router.chat(f"{PROMPT} 0", task="qa", temperature=0)
        with pytest.raises(NotOnRecordError, match="was recorded 1 x, and is asked once more"):
            await router.chat(f"{PROMPT} 0", model=first.model, task="qa", temperature=0)


async def test_what_asks_to_come_again_is_not_recorded_and_what_refuses_is(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    async with FaultyServer(["503", "ok", "400"]) as server:
        config = configured(tmp_path, server.base_url)
        async with recorded_router(config, Recording(file), record=True, environ=KEYS) as router:
            assert (await router.chat("a", model="one")).text
            with pytest.raises(RejectedError):
                await router.chat("b", model="one")
        assert server.requests == 3
    assert [each.reply.status for each in Recording(file).exchanges] == [200, 400]
    async with recorded_router(config, Recording(file)) as router:
        assert len((await router.chat("a", model="one")).outcome.attempts) == 1
        with pytest.raises(RejectedError):
            await router.chat("b", model="one")


async def test_a_key_that_a_provider_repeats_is_not_written(tmp_path: Path) -> None:
    async def repeat(exchange: Exchange) -> None:
        problem = {"error": {"message": f"no such model for {exchange.headers['authorization']}", "code": "400"}}
        exchange.reply(400, problem, {"set-cookie": "session=abcdef", "x-request-id": "req-1"})

    file = tmp_path / "kept.jsonl"
    async with FaultyServer(default=repeat) as server:
        config = configured(tmp_path, server.base_url)
        async with recorded_router(config, Recording(file), record=True, environ=KEYS) as router:
            with pytest.raises(RejectedError):
                await router.chat("a", model="one")
    text = file.read_text(encoding="utf-8")
    assert "REDACTED" in text
    assert not any(each in text for each in (KEY, "abcdef", "req-1"))


def test_a_password_in_a_url_and_its_query_are_not_written(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "kept.jsonl")
    recording.add(
        "https://me:secret@models.example:8443/v1/chat?key=hidden", {}, b"{}", RecordedReply(200, {}, (b"x",))
    )
    recording.save()
    text = recording.path.read_text(encoding="utf-8")
    assert "https://models.example:8443/v1/chat" in text
    assert not any(each in text for each in ("secret", "hidden", "me:"))


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    chunks = ("€".encode()[:2], "€".encode()[2:] + b"\xff", b"")
    recording = Recording(tmp_path / "kept.jsonl")
    recording.add("http://models.example/", {}, b'{"b": 1, "a": [true, null]}', RecordedReply(200, {}, chunks))
    recording.save()
    again = Recording(recording.path)
    assert again.answer("http://models.example/", b'{"a":[true,null],"b":1}').chunks == chunks


async def test_latencies_of_a_replay_are_those_recorded(tmp_path: Path) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.05)
        exchange.reply(200, completion())

    file = tmp_path / "kept.jsonl"
    async with FaultyServer(default=slow) as server:
        config = configured(tmp_path, server.base_url)
        async with recorded_router(config, Recording(file), record=True, environ=KEYS) as router:
            await router.chat("a", model="one")
    async with recorded_router(config, Recording(file)) as router:
        answer = await router.chat("a", model="one")
    assert answer.latency_s == pytest.approx(Recording(file).exchanges[0].reply.seconds, abs=0.001)
    assert answer.latency_s >= 0.05


async def test_recording_needs_the_keys(tmp_path: Path) -> None:
    config = configured(tmp_path, "http://127.0.0.1:9/v1")
    with pytest.raises(ConfigError, match="MAIN_KEY"):
        recorded_router(config, Recording(tmp_path / "x.jsonl"), record=True, environ={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a recording"),
        ('{"other": 1}\n', "not a recording"),
        ('{"banditroute_recording":1}\n{"asked"\n', ":2: not JSON"),
        ('{"banditroute_recording":1}\n{"asked":{}}\n', ":2: not an exchange"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(problem)):
        Recording(path)


async def test_the_configuration_is_otherwise_the_one_that_serves(tmp_path: Path) -> None:
    config = configured(tmp_path, "http://127.0.0.1:9/v1")
    async with open_router(config, environ=KEYS) as live:
        names = [model.name for model in live.catalog]
    async with recorded_router(config, Recording(tmp_path / "none.jsonl")) as router:
        assert [model.name for model in router.catalog] == names
        with pytest.raises(NotOnRecordError, match="the recording is empty"):
            await router.chat("hello")
