"""The dashboard's server side: who sees what, what is shown, who may throw switches, and what watchers cost."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from banditroute.config import load_config
from banditroute.gateway.dashboard.controls import MARK
from banditroute.gateway.serve import Place, gateway

KEYS = {"LAB_KEY": "sk-main", "APP": "key-of-app", "OPS": "key-of-ops", "FREE": "key-of-free"}
TABLES = [
    {"name": "app", "key_env": "APP", "tenant": "acme"},
    {"name": "ops", "key_env": "OPS", "admin": True, "tenant": "house"},
    {"name": "free", "key_env": "FREE"},
]
BUDGETS = [
    {"name": "day", "usd": 20.0, "per": "day"},
    {"name": "month", "usd": 100.0, "per": "month", "scope": "tenant:acme", "paced": False, "on_exhausted": "reject"},
    {"name": "pace", "usd_per_request": 0.0005},
]
PARTS = {"viewer", "now", "span", "budgets", "models", "edges", "decisions", "notices", "steering"}


async def served(lab, **sections):
    models = {"small": await lab.server(), "large": await lab.server()}
    return await lab.gateway(models, budgets=BUDGETS, environ=KEYS, **sections)


async def locked(lab):
    return await served(lab, **{"gateway": {"auth": "keys"}, "gateway.keys": TABLES})


async def ask(gateway, times=1, quality=0.75, **terms):
    answers = [await gateway.router.chat("hello", task="qa", **terms) for _ in range(times)]
    for answer in answers:
        await gateway.router.feedback(answer.decision_id, quality=quality)
    return answers


async def get(gateway, path, key="", **headers):
    """The status, the body and the headers of what is answered."""
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(gateway.url + path, headers={**shown, **headers}) as response,
    ):
        return response.status, await response.read(), response.headers


async def snapshot(gateway, key="", span=""):
    status, body, _ = await get(gateway, f"/dashboard/snapshot?span={span}", key)
    assert status == 200, body
    return json.loads(body)


async def post(gateway, name, body=None, key="", marked=True, **headers):
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    mark = {MARK: "1"} if marked else {}
    url = f"{gateway.url}/dashboard/api/{name}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={} if body is None else body, headers={**shown, **mark, **headers}) as response,
    ):
        return response.status, await response.json()


@asynccontextmanager
async def watching(gateway, key="", span=""):
    """Yields what reads the next event, as its name and its data."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/dashboard/events?span={span}", headers=headers) as response,
    ):
        assert response.status == 200, await response.read()

        async def following():
            name = ""
            while line := (await response.content.readline()).decode():
                if line.startswith("event: "):
                    name = line[7:].strip()
                elif line.startswith("data: "):
                    return name, json.loads(line[6:])
            return None

        yield following


async def test_it_shows_what_was_answered_spent_judged_and_learned(lab):
    gateway = await served(lab)
    answers = await ask(gateway, 6)
    seen = await snapshot(gateway)
    assert seen.keys() == PARTS
    spent = sum(answer.cost_usd for answer in answers)
    span = seen["span"]
    assert (span["requests"], span["judged"], span["quality"]) == (6, 6, 0.75)
    assert span["spent_usd"] == pytest.approx(spent)
    assert sum(each["answers"] for each in span["models"]) == 6
    assert {each["model"] for each in seen["models"]} == {"small", "large"}
    assert all((each["state"], each["refusal"]) == ("closed", "") for each in seen["models"])
    assert [each["decision_id"] for each in seen["decisions"]] == [each.decision_id for each in reversed(answers)]
    assert all(each["quality"] == 0.75 for each in seen["decisions"])
    for edge in seen["edges"]:
        assert edge["quality_low"] < edge["quality"] < edge["quality_high"]
        assert edge["cost_low_usd"] <= edge["cost_usd"] <= edge["cost_high_usd"]
    assert sum(edge["judged"] for edge in seen["edges"]) == 6
    assert seen["viewer"] == {"name": "", "admin": True}


async def test_budgets_show_where_they_stand_and_where_they_will(lab):
    gateway = await served(lab)
    answers = await ask(gateway, 4, tenant="acme")
    seen = (await snapshot(gateway))["budgets"]
    day, month = seen["caps"]
    spent = sum(answer.cost_usd for answer in answers)
    assert (day["name"], day["usd"], day["period"], month["scope"]) == ("day", 20.0, "day", "tenant:acme")
    for cap in (day, month):
        assert cap["spent_usd"] == pytest.approx(spent)
        assert cap["starts_at"] < cap["line"][0][0] <= cap["line"][-1][0] < cap["ends_at"]
        assert cap["line"][-1][1] == cap["spent_usd"]
        assert cap["spent_usd"] + cap["reserved_usd"] + cap["left_usd"] == pytest.approx(cap["usd"])
    assert day["ends_at"] - day["starts_at"] == 86_400.0
    assert spent <= day["forecast_usd"] <= 20.0
    assert (month["shadow_price"], month["to_come"]) == (None, None)
    (pace,) = seen["paces"]
    assert (pace["name"], pace["usd_per_request"], pace["requests"]) == ("pace", 0.0005, 4)
    assert pace["lately"] > 0.0


async def test_looking_changes_no_decision_and_no_budget(lab):
    gateway = await served(lab)
    await ask(gateway, 3)
    learner = gateway.router.learner
    before = learner.decider.paces, learner.decider.shadow_prices
    for span in ("15 minutes", "24 hours", "30 days", "nonsense"):
        assert (await snapshot(gateway, span=span))["span"]["requests"] == 3
    assert (learner.decider.paces, learner.decider.shadow_prices) == before


async def test_what_a_process_did_before_is_shown_after_a_restart(lab):
    gateway = await served(lab, store={"kind": "sqlite", "path": "store.db"})
    answers = await ask(gateway, 5)
    await gateway.router.aclose()
    again = await lab.gateway_of(lab.folder / "router.toml", KEYS)
    seen = await snapshot(again)
    assert (seen["span"]["requests"], seen["span"]["quality"]) == (5, 0.75)
    assert {each["decision_id"] for each in seen["decisions"]} == {each.decision_id for each in answers}
    assert seen["budgets"]["caps"][0]["spent_usd"] == pytest.approx(sum(each.cost_usd for each in answers))


async def test_guards_newcomers_and_circuits_are_shown(lab):
    gateway = await served(lab, guard={"most_exploration": 0.1})
    await gateway.router.freeze()
    seen = await snapshot(gateway)
    assert [each["guard"] for each in seen["steering"]["guards"]] == ["freeze", "most_exploration"]
    assert seen["steering"]["frozen"] is True


async def test_the_page_and_its_files_are_everybodys_and_the_numbers_are_not(lab):
    gateway = await locked(lab)
    for path in ("/dashboard", "/dashboard/assets/main.js", "/dashboard/assets/colours.css"):
        status, _, headers = await get(gateway, path)
        assert status == 200
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/dashboard/snapshot", "/dashboard/events"):
        assert (await get(gateway, path))[0] == 401
        assert (await get(gateway, path, "nonsense"))[0] == 401
        status, body, _ = await get(gateway, path, "key-of-app")
        assert (status, json.loads(body)["error"]["code"]) == (403, "not_allowed")
    assert (await snapshot(gateway, "key-of-free"))["viewer"] == {"name": "free", "admin": False}
    assert (await snapshot(gateway, "key-of-ops"))["viewer"] == {"name": "ops", "admin": True}


async def test_a_file_that_is_known_is_not_sent_again_and_an_unknown_one_not_at_all(lab):
    gateway = await served(lab)
    _, body, headers = await get(gateway, "/dashboard/assets/main.js")
    assert body
    status, body, _ = await get(gateway, "/dashboard/assets/main.js", **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")
    for name in ("nothing.js", "..%2fpanel.py", "%2e%2e%2f%2e%2e%2fauth.py"):
        assert (await get(gateway, f"/dashboard/assets/{name}"))[0] == 404


async def test_events_begin_with_everything_and_go_on_with_what_changes(lab):
    gateway = await served(lab)
    async with watching(gateway) as following:
        first = dict([await following() for _ in PARTS])
        assert first.keys() == PARTS
        assert first["span"]["requests"] == 0
        await ask(gateway, 2)
        seen = set()
        async with asyncio.timeout(10.0):
            while True:
                name, data = await following()
                seen.add(name)
                if name == "span" and data["requests"] == 2:
                    break
        assert "models" not in seen, "nothing of it has changed"


async def test_only_so_many_watch_at_once_and_their_places_are_free_again(lab):
    gateway = await served(lab)
    async with AsyncExitStack() as stack:
        for _ in range(16):
            await stack.enter_async_context(watching(gateway))
        status, body, headers = await get(gateway, "/dashboard/events")
        assert (status, json.loads(body)["error"]["code"]) == (429, "dashboard_full")
        assert int(headers["Retry-After"]) > 0
        assert gateway.front.gate.in_work == 0, "watchers are no work"
    async with asyncio.timeout(10.0):
        while (await _status_of_events(gateway)) != 200:
            await asyncio.sleep(0.1)


async def _status_of_events(gateway):
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.url}/dashboard/events") as response:
        return response.status


async def test_the_gateway_does_not_wait_for_watchers_when_it_ends(lab):
    path = lab.write({"small": await lab.server()}, gateway={"auth": "none", "drain_s": 60.0})
    async with AsyncExitStack() as stack:
        async with gateway(load_config(path), Place(port=0), KEYS) as serving:
            following = await stack.enter_async_context(watching(serving))
            await following()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 10.0
        while await following() is not None:
            pass


async def test_whose_key_is_taken_out_sees_no_more(lab):
    gateway = await locked(lab)
    async with watching(gateway, "key-of-free") as following:
        await following()
        path = lab.folder / "router.toml"
        path.write_text(path.read_text().replace('"FREE"', '"OTHER"'))
        gateway.environ = {**KEYS, "OTHER": "another-key"}
        await gateway.reload(path)
        async with asyncio.timeout(10.0):
            while await following() is not None:
                pass


@pytest.mark.parametrize("name", ["switch", "freeze", "drain", "reload"])
async def test_switches_are_an_admins_and_no_other_sites(lab, name):
    gateway = await locked(lab)
    body = {"model": "small", "frozen": True, "draining": True}
    assert (await post(gateway, name, body))[0] == 401
    assert (await post(gateway, name, body, "key-of-free"))[0] == 403
    assert (await post(gateway, name, body, "key-of-app"))[0] == 403
    assert (await post(gateway, name, body, "key-of-ops", marked=False))[0] == 403
    assert gateway.router.learner.switches.values == {"freeze": "", "only": ""}
    assert not gateway.front.draining
    assert (await post(gateway, name, body, "key-of-ops"))[0] == 200


async def test_without_keys_no_page_of_another_site_throws_switches(lab):
    gateway = await served(lab)
    for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}):
        assert (await post(gateway, "freeze", {"frozen": True}, **headers))[0] == 403
    assert (await post(gateway, "freeze", {"frozen": True}, marked=False))[0] == 403
    assert gateway.router.learner.switches.values["freeze"] == ""


async def test_switches_do_what_they_say_and_leave_word(lab):
    gateway = await locked(lab)
    assert await post(gateway, "switch", {"model": "large"}, "key-of-ops") == (
        200,
        {"done": "switched everything to large"},
    )
    assert {answer.model for answer in await ask(gateway, 4)} == {"large"}
    seen = await snapshot(gateway, "key-of-free")
    assert seen["steering"]["only"] == "large"
    assert (seen["notices"][0]["kind"], seen["notices"][0]["text"]) == ("operator", "ops switched everything to large")
    await post(gateway, "switch", {"model": None}, "key-of-ops")
    await post(gateway, "freeze", {"frozen": True}, "key-of-ops")
    seen = await snapshot(gateway, "key-of-free")
    assert (seen["steering"]["only"], seen["steering"]["frozen"]) == ("", True)
    await post(gateway, "freeze", {"frozen": False}, "key-of-ops")
    assert (await snapshot(gateway, "key-of-free"))["steering"]["frozen"] is False


async def test_a_drained_process_refuses_work_until_it_is_let_in_again(lab):
    gateway = await served(lab)
    body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
    await post(gateway, "drain", {"draining": True})
    async with aiohttp.ClientSession(gateway.url) as session:
        async with session.post("/v1/chat/completions", json=body) as response:
            assert response.status == 503
        async with session.get("/health/ready") as response:
            assert response.status == 503
        assert (await snapshot(gateway))["now"]["draining"] is True
        await post(gateway, "drain", {"draining": False})
        async with session.post("/v1/chat/completions", json=body) as response:
            assert response.status == 200


async def test_reloading_shows_the_new_configuration_or_why_not(lab):
    gateway = await served(lab)
    path = lab.folder / "router.toml"
    text = path.read_text()
    path.write_text(text.replace("0.0005", "0.0007"))
    status, body = await post(gateway, "reload")
    assert status == 200
    assert "0.0007" in body["done"]
    assert (await snapshot(gateway))["budgets"]["paces"][0]["usd_per_request"] == 0.0007
    path.write_text(text.replace("0.0005", '"much"'))
    status, body = await post(gateway, "reload")
    assert (status, body["error"]["code"]) == (409, "not_reloaded")
    assert "usd_per_request" in body["error"]["message"]
    async with asyncio.timeout(10.0):
        while (await snapshot(gateway))["notices"][0]["kind"] != "configuration":
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("switch", {"model": "nobody"}, 404),
        ("switch", {"model": 7}, 400),
        ("freeze", {}, 400),
        ("freeze", {"frozen": "yes"}, 400),
        ("drain", {"draining": 1}, 400),
        ("drain", [], 400),
    ],
)
async def test_nonsense_is_refused(lab, name, body, status):
    gateway = await served(lab)
    assert (await post(gateway, name, body))[0] == status
    assert gateway.router.learner.switches.values == {"freeze": "", "only": ""}
    assert not gateway.front.draining
