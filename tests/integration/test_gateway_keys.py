"""Who may ask for what: keys, tenants, models, tasks and rates; and whom nobody asks for a key."""

import asyncio
import threading

import aiohttp
import pytest

from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.gateway import serve
from banditroute.gateway.serve import Place, gateway

HELLO = {"messages": [{"role": "user", "content": "hello"}]}
KEYS = {"LAB_KEY": "sk-main", "APP": "key-of-app", "OPS": "key-of-ops", "FREE": "key-of-free"}
TABLES = [
    {
        "name": "app",
        "key_env": "APP",
        "tenant": "acme",
        "models": ["small"],
        "tasks": ["qa", "code"],
        "requests_per_minute": 6.0,
    },
    {"name": "ops", "key_env": "OPS", "admin": True, "tenant": "house"},
    {"name": "free", "key_env": "FREE"},
]


async def locked(lab, keys=TABLES):
    models = {"small": await lab.server(), "large": await lab.server()}
    return await lab.gateway(models, environ=KEYS, **{"gateway": {"auth": "keys"}, "gateway.keys": keys})


async def ask(gateway, key, path="/v1/chat/completions", *, headers=None, **body):
    """The status, the body and the headers of what the gateway answers."""
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(gateway.url + path, json={**HELLO, **body}, headers={**shown, **(headers or {})}) as response,
    ):
        return response.status, await response.json(), response.headers


async def read(gateway, key, path):
    async with (
        aiohttp.ClientSession() as session,
        session.get(gateway.url + path, headers={"x-api-key": key}) as response,
    ):
        return response.status, await response.json()


async def test_no_key_and_a_wrong_one_are_refused_alike_everywhere(lab):
    gateway = await locked(lab)
    for key in ("", "nonsense", "key-of-ap", "KEY-OF-APP"):
        for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/feedback"):
            status, body, _ = await ask(gateway, key, path, model="auto")
            assert (status, body["error"]["code"]) == (401, "invalid_api_key")
        assert (await read(gateway, key, "/v1/models"))[0] == 401
    assert [server.requests for server in lab.servers] == [0, 0]


async def test_health_asks_for_no_key(lab):
    gateway = await locked(lab)
    assert (await read(gateway, "", "/health/live"))[0] == 200
    assert (await read(gateway, "", "/health/ready"))[0] == 200


async def test_a_key_is_shown_either_way(lab):
    gateway = await locked(lab)
    assert (await ask(gateway, "key-of-free"))[0] == 200
    assert (await ask(gateway, "", headers={"x-api-key": "key-of-free"}))[0] == 200
    assert (await ask(gateway, "", headers={"Authorization": "bearer key-of-free"}))[0] == 200


async def test_a_key_decides_for_its_own_tenant_models_and_tasks(lab):
    gateway = await locked(lab)
    status, _, headers = await ask(gateway, "key-of-app", model="auto:qa")
    decision = (await gateway.router.explain(headers["x-banditroute-decision-id"])).decision
    assert (status, decision.tenant, decision.chosen, decision.context.task) == (200, "acme", "small", "qa")
    assert decision.excluded.keys() == {"large"}


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"model": "large", "banditroute": {"task": "qa"}}, 403, "model"),
        ({"model": "auto:chat"}, 403, "banditroute.task"),
        ({"model": "auto"}, 400, "banditroute.task"),
        ({"model": "auto:qa", "banditroute": {"tenant": "other"}}, 403, "banditroute.tenant"),
        ({"model": "auto:qa", "banditroute": {"allowed": ["large"]}}, 403, "banditroute.allowed"),
    ],
)
async def test_a_key_may_not_ask_for_more(lab, body, status, param):
    gateway = await locked(lab)
    got, answer, _ = await ask(gateway, "key-of-app", **body)
    assert (got, answer["error"]["param"]) == (status, param)
    assert [server.requests for server in lab.servers] == [0, 0]


async def test_a_key_that_is_bound_to_no_tenant_names_one(lab):
    gateway = await locked(lab)
    _, _, headers = await ask(gateway, "key-of-free", banditroute={"tenant": "acme"})
    assert (await gateway.router.explain(headers["x-banditroute-decision-id"])).decision.tenant == "acme"


async def test_models_are_listed_as_far_as_the_key_may_ask(lab):
    gateway = await locked(lab)
    await ask(gateway, "key-of-app", model="auto:qa")
    _, listed = await read(gateway, "key-of-app", "/v1/models")
    assert [each["id"] for each in listed["data"]] == ["auto:qa", "small"]


async def test_a_rate_is_kept_and_says_when_to_come_back(lab):
    gateway = await locked(lab)
    statuses = [(await ask(gateway, "key-of-app", model="auto:qa"))[0] for _ in range(8)]
    assert statuses == [200] * 6 + [429] * 2
    _, body, headers = await ask(gateway, "key-of-app", model="auto:qa")
    assert body["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(headers["Retry-After"]) <= 10
    assert (await ask(gateway, "key-of-free"))[0] == 200


async def test_decisions_are_read_and_judged_by_their_tenant_and_by_admins(lab):
    gateway = await locked(lab)
    _, _, headers = await ask(gateway, "key-of-ops", banditroute={"task": "qa"})
    path = f"/v1/decisions/{headers['x-banditroute-decision-id']}"
    assert (await read(gateway, "key-of-app", path))[0] == 404
    status, record = await read(gateway, "key-of-ops", path)
    assert (status, record["tenant"], record["task"]) == (200, "house", "qa")
    assert sum(record["propensities"].values()) == pytest.approx(1.0)
    judged = {"decision_id": record["decision_id"], "quality": 0.5}
    assert (await ask(gateway, "key-of-app", "/v1/feedback", **judged))[0] == 404
    assert (await ask(gateway, "key-of-ops", "/v1/feedback", **judged))[0] == 200


class TestWithoutKeys:
    async def test_this_machine_is_served(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        assert (await ask(gateway, ""))[0] == 200
        own_page = {"Origin": gateway.url}
        assert (await ask(gateway, "", headers=own_page))[0] == 200

    @pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example:8080"}])
    async def test_pages_of_other_sites_are_not(self, lab, headers):
        gateway = await lab.gateway({"small": await lab.server()})
        assert (await ask(gateway, "", headers=headers))[0] == 403
        assert lab.servers[0].requests == 0

    async def test_nothing_listens_beyond_this_machine(self, lab):
        plan = load_config(lab.write({"small": await lab.server()}, gateway={"auth": "none"}))
        with pytest.raises(ConfigError, match="no key would be asked for"):
            async with gateway(plan, Place("0.0.0.0", 0), KEYS):
                pass

    async def test_nor_where_the_file_says_nothing_of_keys(self, lab):
        plan = load_config(lab.write({"small": await lab.server()}))
        with pytest.raises(ConfigError, match="no key would be asked for"):
            async with gateway(plan, Place("0.0.0.0", 0), KEYS):
                pass


@pytest.mark.parametrize(
    ("keys", "environ", "words"),
    [
        ([], KEYS, "there is no key"),
        (TABLES[:1], {"LAB_KEY": "k"}, "APP of key 'app' is not set"),
        (TABLES, {**KEYS, "OPS": "key-of-app"}, "'app' and 'ops' are the same"),
    ],
)
async def test_keys_that_cannot_be_asked_for_are_found_at_the_start(lab, keys, environ, words):
    sections = {"gateway": {"auth": "keys"}, **({"gateway.keys": keys} if keys else {})}
    plan = load_config(lab.write({"small": await lab.server()}, **sections))
    with pytest.raises(ConfigError, match=words) as caught:
        async with gateway(plan, Place(port=0), environ):
            pass
    assert "key-of-app" not in str(caught.value)


async def test_of_two_reloads_at_once_the_newer_file_is_in_force(lab, monkeypatch):
    gateway = await locked(lab)
    served = {"small": lab.served(lab.servers[0])}
    path = lab.write(served, **{"gateway": {"auth": "keys"}, "gateway.keys": TABLES[:1]})
    begun, go_on = threading.Event(), threading.Event()

    def slowly(file):
        plan = load_config(file)
        if not begun.is_set():
            begun.set()
            go_on.wait(10.0)
        return plan

    monkeypatch.setattr(serve, "load_config", slowly)
    first = asyncio.create_task(gateway.reload(path))
    await asyncio.to_thread(begun.wait, 10.0)
    lab.write({**served, "fresh": lab.served(lab.servers[1])}, **{"gateway": {"auth": "keys"}, "gateway.keys": TABLES})
    second = asyncio.create_task(gateway.reload(path))
    await asyncio.wait([second], timeout=0.3)
    go_on.set()
    await asyncio.gather(first, second)
    assert (await ask(gateway, "key-of-free", model="fresh"))[0] == 200


async def test_keys_change_with_the_file(lab, monkeypatch):
    gateway = await locked(lab)
    served = {"small": lab.served(lab.servers[0]), "large": lab.served(lab.servers[1])}
    path = lab.write(served, **{"gateway": {"auth": "keys"}, "gateway.keys": TABLES[:1]})
    await gateway.reload(path)
    assert (await ask(gateway, "key-of-free"))[0] == 401
    assert (await ask(gateway, "key-of-app", model="auto:qa"))[0] == 200
    lab.write(served, gateway={"auth": "keys"})
    with pytest.raises(ConfigError):
        await gateway.reload(path)
    assert (await ask(gateway, "key-of-app", model="auto:qa"))[0] == 200
