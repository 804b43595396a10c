"""Answers judged by what their callers call the request or the conversation, in Python and over HTTP."""

import aiohttp
import pytest

from banditroute import open_router
from banditroute.errors import FeedbackError, NotServedError, UnknownDecisionError
from banditroute.records import Usage

SQLITE = {"kind": "sqlite", "path": "store.db"}
ASKED = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}


async def judged(router, decision_id):
    return [(each.source, each.quality, each.weight) for each in (await router.explain(decision_id)).feedback]


@pytest.mark.parametrize("store", [{"kind": "memory"}, SQLITE])
async def test_a_request_is_judged_by_its_callers_name_for_it(lab, store):
    router = await lab.router({"small": await lab.server()}, store=store)
    first = await router.chat("hello", request_id="order 66")
    again = await router.chat("hello", request_id="order 66")
    await router.chat("hello", request_id="order 67")
    assert await router.feedback(request_id="order 66", quality=0.25)
    assert not await router.feedback(request_id="order 66", quality=0.75)
    assert await judged(router, again.decision_id) == [("user", 0.25, 1.0)]
    assert await judged(router, first.decision_id) == []
    assert (await router.explain(again.decision_id)).dispatch.request_id == "order 66"


async def test_a_conversation_is_judged_by_its_newest_whole_answer(lab):
    router = await lab.router({"small": await lab.server(script=["ok", "ok", "server_error"], default="server_error")})
    async with router.stream("hello", session_id="s") as stream:
        async for _ in stream:
            pass
    newest = await router.chat("hello", session_id="s")
    with pytest.raises(Exception, match="no model answered"):
        await router.chat("hello", session_id="s")
    assert await router.feedback(session_id="s", quality=1.0)
    assert await judged(router, newest.decision_id) == [("user", 1.0, 1.0)]
    assert await judged(router, stream.decision_id) == []


async def test_a_whole_conversation_counts_as_one_answer(lab):
    router = await lab.router({"small": await lab.server()})
    answers = [await router.chat("hello", session_id="s") for _ in range(4)]
    assert await router.feedback(session_id="s", every=True, quality=0.5, source="resolved", at=12.0)
    for answer in answers:
        assert await judged(router, answer.decision_id) == [("resolved", 0.5, 0.25)]
    state = await router.learner.store.state()
    assert [float(e.n) for edge, e in state.evidence.items() if edge.signal == "quality"] == [1.0]
    assert {each.at for each in (await router.explain(answers[0].decision_id)).feedback} == {12.0}


async def test_a_call_of_ones_own_is_judged_by_name_as_soon_as_it_is_recorded(lab):
    router = await lab.router({"small": await lab.server()}, store=SQLITE)
    decision = router.decide("hello", request_id="mine", session_id="s")
    with pytest.raises(NotServedError, match="no whole answer"):
        await router.feedback(request_id="mine", quality=1.0)
    router.record(decision, usage=Usage(10, 5), latency_s=0.1)
    assert await router.feedback(request_id="mine", quality=1.0)
    assert await judged(router, decision.decision_id) == [("user", 1.0, 1.0)]


async def test_names_outlive_the_process(lab):
    first = lab.assembled({"small": await lab.server()}, store=SQLITE)
    async with first as router:
        answer = await router.chat("hello", request_id="r", session_id="s")
    async with open_router(lab.folder / "router.toml", environ={"LAB_KEY": "sk-main"}) as router:
        assert await router.feedback(request_id="r", quality=0.5)
        assert await router.feedback(session_id="s", quality=0.75, source="later")
        assert {each[0] for each in await judged(router, answer.decision_id)} == {"user", "later"}


async def test_a_tenants_names_are_its_own(lab):
    router = await lab.router({"small": await lab.server()})
    acmes = await router.chat("hello", request_id="r", tenant="acme")
    globex = await router.chat("hello", request_id="r", tenant="globex")
    assert await router.feedback(request_id="r", tenant="acme", quality=1.0)
    assert (await judged(router, acmes.decision_id), await judged(router, globex.decision_id)) == (
        [("user", 1.0, 1.0)],
        [],
    )


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ({}, FeedbackError),
        ({"request_id": "r", "session_id": "s"}, FeedbackError),
        ({"decision_id": "d", "session_id": "s"}, FeedbackError),
        ({"session_id": ""}, FeedbackError),
        ({"request_id": "never"}, UnknownDecisionError),
        ({"session_id": "never"}, UnknownDecisionError),
        ({"request_id": "r", "weight": 2.0}, FeedbackError),
        ({"request_id": "r", "at": float("nan")}, FeedbackError),
    ],
)
async def test_what_names_nothing_is_refused(lab, names, error):
    router = await lab.router({"small": await lab.server()})
    await router.chat("hello", request_id="r")
    with pytest.raises(error):
        await router.feedback(**names, quality=1.0)


async def post(gateway, path, body, key="", **headers):
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway.url}{path}", json=body, headers={**shown, **headers}) as answer,
    ):
        return answer.status, await answer.json(), answer.headers


async def test_over_http_the_header_or_a_field_names_the_request(lab):
    gateway = await lab.gateway({"small": await lab.server()})
    path = "/v1/chat/completions"
    by_header = (await post(gateway, path, ASKED, **{"X-Request-Id": "h-1"}))[2]["x-banditroute-decision-id"]
    fields = {"request_id": "f-1", "session_id": "s"}
    by_field = (await post(gateway, path, {**ASKED, "banditroute": fields}, **{"X-Request-Id": "h-2"}))[2][
        "x-banditroute-decision-id"
    ]
    unnamed = (await post(gateway, path, ASKED))[2]
    status, told, _ = await post(gateway, "/v1/feedback", {"request_id": "h-1", "quality": 1})
    assert (status, told) == (200, {"request_id": "h-1", "recorded": True})
    body = {"session_id": "s", "every": True, "quality": 0.5, "source": "crm", "weight": 0.5}
    assert (await post(gateway, "/v1/feedback", body))[1] == {"session_id": "s", "recorded": True}
    assert await judged(gateway.router, by_header) == [("user", 1.0, 1.0)]
    assert await judged(gateway.router, by_field) == [("crm", 0.5, 0.5)]
    for name in ("h-2", unnamed["x-request-id"]):
        assert (await post(gateway, "/v1/feedback", {"request_id": name, "quality": 1}))[0] == 404
    record = await gateway.router.explain(by_field)
    assert (record.dispatch.request_id, record.dispatch.session_id) == ("f-1", "s")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"quality": 1}, 400),
        ({"request_id": "r", "decision_id": "d", "quality": 1}, 400),
        ({"request_id": 5, "quality": 1}, 400),
        ({"request_id": "r", "quality": 1, "every": "yes"}, 400),
        ({"request_id": "r", "quality": 1, "weight": 1.5}, 422),
        ({"request_id": "", "quality": 1}, 422),
    ],
)
async def test_over_http_what_names_nothing_is_refused(lab, body, status):
    gateway = await lab.gateway({"small": await lab.server()})
    assert (await post(gateway, "/v1/feedback", body))[0] == status


async def test_a_bound_key_reaches_no_other_tenants_names(lab):
    rows = [{"name": name, "key_env": name.upper(), "tenant": name} for name in ("acme", "globex")]
    gateway = await lab.gateway(
        {"small": await lab.server()},
        environ={"LAB_KEY": "sk-main", "ACME": "key-of-acme-0123", "GLOBEX": "key-of-globex-0123"},
        gateway={"auth": "keys", "keys": rows},
    )
    asked = {**ASKED, "banditroute": {"request_id": "r"}}
    assert (await post(gateway, "/v1/chat/completions", asked, "key-of-acme-0123"))[0] == 200
    verdict = {"request_id": "r", "quality": 1}
    assert (await post(gateway, "/v1/feedback", verdict, "key-of-globex-0123"))[0] == 404
    assert (await post(gateway, "/v1/feedback", verdict, "key-of-acme-0123"))[0] == 200
