"""Keys that `banditroute keys` makes and revokes beside a gateway that runs on the same store."""

import asyncio
import json

import aiohttp
import pytest

from banditroute.cli.app import run
from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.gateway import serve
from banditroute.gateway.serve import Place, gateway

HELLO = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}


async def status(gateway, key):
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{gateway.url}/v1/chat/completions", json=HELLO, headers={"Authorization": f"Bearer {key}"}
        ) as response,
    ):
        await response.read()
        return response.status


async def until(gateway, key, expected):
    async with asyncio.timeout(5.0):
        while await status(gateway, key) != expected:
            await asyncio.sleep(0.02)


@pytest.fixture
def keys(capsys):
    """Runs `banditroute keys` with --json, in a thread; what it prints."""

    async def run_keys(*arguments):
        assert await asyncio.to_thread(run, ["keys", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run_keys


@pytest.fixture
async def path(lab):
    return lab.write(
        {"small": await lab.server()}, store={"kind": "sqlite", "path": "store.db"}, gateway={"auth": "keys"}
    )


async def test_a_key_opens_the_gateway_until_it_is_revoked(lab, path, keys, monkeypatch):
    monkeypatch.setattr(serve, "_KEYS_EVERY_S", 0.05)
    config = ("--config", str(path))
    first = await keys("create", *config, "--name", "first")
    running = await lab.gateway_of(path)
    assert await status(running, first["key"]) == 200
    second = await keys("create", *config, "--name", "second", "--tenant", "acme", "--task", "qa", "--task", "code")
    await until(running, second["key"], 400)  # it is let in, and has to name its task
    await keys("revoke", *config, "--name", "first")
    await until(running, first["key"], 401)
    listed = (await keys("list", *config))["keys"]
    assert [(key["name"], key["revoked_at"] is None) for key in listed] == [("first", False), ("second", True)]


async def test_only_a_hash_is_kept(lab, path, keys):
    made = await keys("create", "--config", str(path), "--name", "app")
    secret = made["key"].split("-", 2)[2].encode()
    for file in lab.folder.glob("store.db*"):
        assert secret not in file.read_bytes()


async def test_half_a_key_is_none(lab, path, keys):
    made = (await keys("create", "--config", str(path), "--name", "app"))["key"]
    running = await lab.gateway_of(path)
    for wrong in (made[:-1], made + "x", made.replace("br-", "", 1), "br-", "-".join(made.split("-")[:2])):
        assert await status(running, wrong) == 401


async def test_looking_for_keys_makes_no_store(lab, path, keys, capsys):
    assert (await keys("list", "--config", str(path)))["keys"] == []
    assert await asyncio.to_thread(run, ["keys", "list", "--config", str(path)]) == 0
    assert capsys.readouterr().err == "no key was made yet\n"
    assert await asyncio.to_thread(run, ["keys", "revoke", "--name", "app", "--config", str(path)]) == 2
    assert "no key in use is named 'app'" in capsys.readouterr().err
    assert not list(lab.folder.glob("store.db*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "--name", "app"), "a key is named 'app' already"),
        (("create", "--name", "other", "--model", "smal"), "did you mean 'small'"),
        (("create", "--name", " "), "a key needs a name"),
        (("revoke", "--name", "ap"), "did you mean 'app'"),
    ],
)
async def test_what_cannot_be_done_is_one_line(path, keys, capsys, arguments, words):
    await keys("create", "--config", str(path), "--name", "app")
    assert await asyncio.to_thread(run, ["keys", *arguments, "--config", str(path)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert len(told.splitlines()) == 1


async def test_a_gateway_whose_keys_are_all_revoked_does_not_start(path, keys):
    await keys("create", "--config", str(path), "--name", "app")
    await keys("revoke", "--config", str(path), "--name", "app")
    with pytest.raises(ConfigError, match="banditroute keys create"):
        async with gateway(load_config(path), Place(port=0), {"LAB_KEY": "sk"}):
            pass
