"""The official OpenAI client's Responses API against the gateway: asked and answered in its own words."""

import openai
import orjson
import pytest

from banditroute.testing.faulty_exchange import Exchange, completion

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "upstream",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
        },
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 130,
    },
}
TEXT_AT = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
EVENTS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", **TEXT_AT, "delta": "Par", "logprobs": []},
    {"type": "response.output_text.delta", **TEXT_AT, "delta": "is.", "logprobs": []},
    {"type": "response.completed", "response": RESPONSE},
]


def told(events):
    numbered = [{**event, "sequence_number": place} for place, event in enumerate(events)]
    return b"".join(b"event: %b\ndata: %b\n\n" % (each["type"].encode(), orjson.dumps(each)) for each in numbered)


class Seen:
    def __init__(self, events=EVENTS, status=200, reply=RESPONSE):
        self.bodies = []
        self._stream, self._status, self._reply = told(events), status, reply

    async def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(dict(exchange.body))
        if not exchange.stream or self._status != 200:
            return exchange.reply(self._status, self._reply)
        exchange.begin_stream()
        exchange.piece(self._stream)
        return exchange.end_stream()


def client_of(gateway):
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0)


async def test_an_answer_passes_but_for_the_models_name_and_is_settled_by_its_usage(lab):
    seen = Seen()
    gateway = await lab.gateway({"small": await lab.server(seen)})
    asked = {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Capital of France?"}]}],
        "instructions": "Be brief.",
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }
    async with client_of(gateway) as client:
        raw = await client.responses.with_raw_response.create(
            model="auto", extra_body={"banditroute": {"task": "qa"}}, **asked
        )
    assert raw.http_response.json() == {**RESPONSE, "model": "small"}
    assert seen.bodies == [{"model": "small", **asked}]
    trail = await gateway.router.explain(raw.headers["x-banditroute-decision-id"])
    usage = trail.outcome.usage
    assert (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens) == (100, 60, 30)
    assert usage.reasoning_tokens == 20
    assert trail.decision.context.task == "qa"
    assert trail.decision.context.input_tokens > 5


async def test_a_stream_passes_event_by_event(lab):
    gateway = await lab.gateway({"small": await lab.server(Seen())})
    async with client_of(gateway) as client:
        stream = await client.responses.create(model="auto", input="Capital of France?", stream=True)
        events = [event async for event in stream]
    assert [event.type for event in events] == [event["type"] for event in EVENTS]
    assert [event.sequence_number for event in events] == [0, 1, 2, 3]
    assert events[-1].response.output_text == "Paris."
    assert {events[0].response.model, events[-1].response.model} == {"small"}
    await lab.at_rest(gateway.router)


async def test_a_server_without_it_makes_way_for_one_that_has_it(lab):
    bad = Seen(status=404, reply={"error": {"message": "Not Found"}})
    gateway = await lab.gateway({"bad": await lab.server(bad), "good": await lab.server(Seen())})
    async with client_of(gateway) as client:
        answers = [await client.responses.create(model="auto", input="Hello") for _ in range(6)]
    assert {answer.model for answer in answers} == {"good"}


async def test_other_protocols_models_are_not_asked(lab):
    server = await lab.server(Seen())
    path = lab.write({"small": server})
    path.write_text(path.read_text().replace('kind = "openai"', 'kind = "gemini"'))
    gateway = await lab.gateway_of(path)
    async with client_of(gateway) as client:
        with pytest.raises(openai.BadRequestError, match="does not speak openai") as caught:
            await client.responses.create(model="auto", input="Hello")
    assert caught.value.code == "no_eligible_model"
    assert server.requests == 0


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"background": True}, "background"),
        ({"previous_response_id": "resp_0"}, "previous_response_id"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"input": 3}, "input"),
        ({"max_output_tokens": -4}, "max_output_tokens"),
        ({"extra_body": {"banditroute": {"max_cost_usd": -1}}}, "banditroute.max_cost_usd"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_name(lab, fields, param):
    gateway = await lab.gateway({"small": await lab.server(Seen())})
    async with client_of(gateway) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(**{"model": "auto", "input": "Hello", **fields})
    assert caught.value.param == param
    assert lab.servers[0].requests == 0


async def test_who_names_the_model_may_go_on_from_an_answer_that_its_provider_keeps(lab):
    seen = Seen()
    gateway = await lab.gateway({"small": await lab.server(seen)})
    async with client_of(gateway) as client:
        await client.responses.create(model="small", input="And Spain?", previous_response_id="resp_0")
    assert seen.bodies[0]["previous_response_id"] == "resp_0"


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (
            [{"type": "response.failed", "response": {**RESPONSE, "error": {"code": "server_error", "message": "x"}}}],
            502,
        ),
        ([{"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None}], 429),
    ],
)
async def test_a_stream_that_fails_before_its_first_content_has_a_status(lab, events, status):
    gateway = await lab.gateway({"small": await lab.server(Seen(events))}, retry={"base_s": 0.01, "rounds": 0})
    async with client_of(gateway) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.responses.create(model="auto", input="Hello", stream=True)
    assert caught.value.status_code == status
    await lab.at_rest(gateway.router)


async def test_a_stream_that_breaks_says_so_in_an_event(lab):
    gateway = await lab.gateway({"small": await lab.server(Seen(EVENTS[:2]))})
    async with client_of(gateway) as client:
        stream = await client.responses.create(model="auto", input="Hello", stream=True)
        events = [event async for event in stream]
    assert [event.type for event in events[:-1]] == [event["type"] for event in EVENTS[:2]]
    assert (events[-1].type, events[-1].code) == ("error", "stream_broken")
    assert "broke after 3 characters" in events[-1].message
    await lab.at_rest(gateway.router)


async def test_a_server_that_answers_whole_is_a_stream_all_the_same(lab):
    async def whole(exchange: Exchange) -> None:
        exchange.reply(200, RESPONSE)

    gateway = await lab.gateway({"small": await lab.server(whole)})
    async with client_of(gateway) as client:
        stream = await client.responses.create(model="auto", input="Hello", stream=True)
        events = [event async for event in stream]
    assert [event.type for event in events] == ["response.completed"]
    assert events[0].response.output_text == "Paris."


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_server_that_answers_in_other_words_has_not_answered(lab, streamed):
    """A chat completion is no response, nor the other way round: either is a broken reply, and the next is asked."""

    async def crossed(exchange: Exchange) -> None:
        exchange.reply(200, RESPONSE if "messages" in exchange.body else completion())

    gateway = await lab.gateway({"bad": await lab.server(crossed)}, retry={"rounds": 0, "same_model": 0})
    async with client_of(gateway) as client:
        with pytest.raises(openai.InternalServerError, match="no whole response"):
            await client.responses.create(model="auto", input="Hello", stream=streamed)
        messages = [{"role": "user", "content": "Hello"}]
        with pytest.raises(openai.InternalServerError, match="no choices"):
            await client.chat.completions.create(model="auto", messages=messages, stream=streamed)
    await lab.at_rest(gateway.router)
