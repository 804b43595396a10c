"""The official OpenAI client against the gateway: unmodified, its base URL set and nothing else."""

import asyncio
import base64
import struct

import openai
import pytest

from banditroute.testing.faulty_exchange import TOKENS, USAGE, Exchange, completion, frame

HELLO = [{"role": "user", "content": "hello"}]
TEXT = "".join(TOKENS)
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}


def client_of(gateway, key="any", **settings):
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=key, **{"max_retries": 0, **settings})


class Seen:
    """A server's answer that remembers what it was asked."""

    def __init__(self, **changes):
        self.body = {}
        self._changes = changes

    async def __call__(self, exchange: Exchange) -> None:
        self.body = dict(exchange.body)
        exchange.reply(200, completion(**self._changes))


async def tools(exchange: Exchange) -> None:
    """Calls a tool, in pieces where asked for a stream."""
    if not exchange.stream:
        message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
        exchange.reply(200, completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))
        return
    exchange.begin_stream()
    first = {"index": 0, **CALL, "function": {"name": "weather", "arguments": ""}}
    exchange.piece(frame({"role": "assistant", "content": None, "tool_calls": [first]}))
    for part in ('{"city"', ':"Paris"}'):
        exchange.piece(frame({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}))
    exchange.piece(frame({}, "tool_calls"))
    exchange.piece(b"data: [DONE]\n\n")
    exchange.end_stream()


async def vectors(exchange: Exchange) -> None:
    """Numbers, whatever encoding is asked for, as servers do that are merely compatible."""
    rows = [{"object": "embedding", "index": 0, "embedding": [0.25, -1.5, 3.0]}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    exchange.reply(200, {"object": "list", "data": rows, "model": "upstream", "usage": usage})


class TestChat:
    async def test_is_answered_under_the_name_of_the_model_that_served(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            answer = await client.chat.completions.create(model="auto", messages=HELLO)
        assert answer.model == "small"
        assert answer.choices[0].message.content == TEXT
        assert answer.choices[0].finish_reason == "stop"
        assert answer.id == "chatcmpl-faulty"
        assert answer.usage.model_dump(exclude_none=True) == USAGE

    async def test_headers_tell_of_the_decision(self, lab):
        gateway = await lab.gateway({"small": await lab.server(), "large": await lab.server()})
        async with client_of(gateway) as client:
            raw = await client.chat.completions.with_raw_response.create(model="auto:qa", messages=HELLO)
            pinned = await client.chat.completions.with_raw_response.create(model="large", messages=HELLO)
        trail = await gateway.router.explain(raw.headers["x-banditroute-decision-id"])
        assert raw.headers["x-banditroute-model"] == raw.parse().model == trail.decision.chosen
        assert raw.headers["x-banditroute-task"] == "qa"
        assert float(raw.headers["x-banditroute-propensity"]) == pytest.approx(trail.decision.propensity, rel=1e-4)
        assert float(raw.headers["x-banditroute-cost-usd"]) == pytest.approx(trail.outcome.cost_usd, abs=1e-9)
        assert 0 < float(raw.headers["x-banditroute-overhead-ms"]) < 5000
        assert pinned.headers["x-banditroute-model"] == "large"
        assert "x-banditroute-propensity" not in pinned.headers

    async def test_unknown_fields_reach_the_provider_and_terms_do_not(self, lab):
        seen = Seen()
        gateway = await lab.gateway({"small": await lab.server(seen)})
        # names that are arguments of the router's own methods are fields like any other
        extra = {"task": "mine", "tenant": "theirs", "top_k": 5, "banditroute": {"task": "qa", "session_id": "s"}}
        async with client_of(gateway) as client:
            raw = await client.chat.completions.with_raw_response.create(
                model="auto", messages=HELLO, temperature=0.5, extra_body=extra
            )
        assert seen.body == {
            "messages": HELLO,
            "model": "small",
            "task": "mine",
            "temperature": 0.5,
            "tenant": "theirs",
            "top_k": 5,
        }
        trail = await gateway.router.explain(raw.headers["x-banditroute-decision-id"])
        assert (trail.decision.context.task, trail.decision.tenant) == ("qa", "")

    async def test_calls_tools(self, lab):
        gateway = await lab.gateway({"small": await lab.server(tools)})
        async with client_of(gateway) as client:
            answer = await client.chat.completions.create(model="auto", messages=HELLO, tools=[WEATHER])
        assert answer.choices[0].finish_reason == "tool_calls"
        assert answer.choices[0].message.tool_calls[0].model_dump() == CALL

    async def test_what_an_answer_lacks_is_filled_in(self, lab):
        gateway = await lab.gateway({"small": await lab.server(Seen(id="", created=0, usage=None))})
        async with client_of(gateway) as client:
            raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO)
        answer = raw.parse()
        assert answer.id == f"chatcmpl-{raw.headers['x-banditroute-decision-id']}"
        assert answer.created > 1_700_000_000
        assert answer.usage.prompt_tokens > 0
        assert answer.usage.estimated is True

    async def test_a_failing_model_is_replaced(self, lab):
        gateway = await lab.gateway({"bad": await lab.server("500"), "good": await lab.server()})
        async with client_of(gateway) as client:
            answers = await asyncio.gather(
                *(client.chat.completions.create(model="auto", messages=HELLO) for _ in range(8))
            )
        assert {answer.model for answer in answers} == {"good"}


class TestStreams:
    async def test_come_in_pieces_and_without_usage_unless_asked(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            stream = await client.chat.completions.create(model="auto", messages=HELLO, stream=True)
            chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
        assert {chunk.model for chunk in chunks} == {"small"}
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
        assert all(chunk.usage is None for chunk in chunks)

    async def test_report_usage_once_where_asked(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            stream = await client.chat.completions.create(
                model="auto", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
        assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens == USAGE["total_tokens"]

    async def test_say_so_where_usage_is_an_estimate(self, lab):
        gateway = await lab.gateway({"small": await lab.server(tools)})
        async with client_of(gateway) as client:
            stream = await client.chat.completions.create(
                model="auto", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
        assert chunks[-1].usage.estimated is True

    async def test_carry_tool_calls(self, lab):
        gateway = await lab.gateway({"small": await lab.server(tools)})
        async with (
            client_of(gateway) as client,
            client.chat.completions.stream(model="auto", messages=HELLO, tools=[WEATHER]) as stream,
        ):
            final = await stream.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.arguments == '{"city":"Paris"}'
        assert final.choices[0].finish_reason == "tool_calls"

    async def test_end_with_done_and_one_blank_line_after_each_event(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO, stream=True)
            text = await raw.http_response.aread()
        events = text.split(b"\n\n")
        assert events[-2:] == [b"data: [DONE]", b""]
        assert all(event.startswith(b"data: {") for event in events[:-2])
        assert raw.headers["content-type"].startswith("text/event-stream")

    async def test_break_with_an_error_event_after_the_first_content(self, lab):
        gateway = await lab.gateway({"small": await lab.server("cut-after-token")})
        async with client_of(gateway) as client:
            stream = await client.chat.completions.create(model="auto", messages=HELLO, stream=True)
            with pytest.raises(openai.APIError, match="broke after") as caught:
                _ = [chunk async for chunk in stream]
        assert caught.value.code == "stream_broken"
        await lab.at_rest(gateway.router)

    async def test_fail_with_a_status_before_it(self, lab):
        gateway = await lab.gateway({"small": await lab.server("error-event-before-token")})
        async with client_of(gateway) as client:
            with pytest.raises(openai.InternalServerError) as caught:
                await client.chat.completions.create(model="auto", messages=HELLO, stream=True)
        assert caught.value.status_code == 502

    async def test_are_cancelled_and_settled_where_the_caller_leaves(self, lab):
        server = await lab.server("stall-between-tokens")
        patient = {"between_chunks_s": 30.0, "total_s": 60.0}
        gateway = await lab.gateway({"small": server}, timeouts=patient, budgets=[{"usd": 1.0, "per": "day"}])
        async with client_of(gateway) as client:
            raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO, stream=True)
            decision_id = raw.headers["x-banditroute-decision-id"]
            await raw.http_response.aclose()
        await lab.at_rest(gateway.router)
        assert server.hung_up_on == 1
        outcome = (await gateway.router.explain(decision_id)).outcome
        assert outcome is not None
        assert (outcome.ok, outcome.estimated) == (False, True)
        assert outcome.cost_usd > 0


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "kind", "code"),
        [
            ("400", openai.BadRequestError, "invalid_request_error"),
            ("context-overflow", openai.BadRequestError, "context_length_exceeded"),
            ("429-seconds", openai.RateLimitError, "rate_limit_exceeded"),
            ("500", openai.InternalServerError, "upstream_error"),
            ("garbage", openai.InternalServerError, "upstream_error"),
            ("hang-before-head", openai.InternalServerError, "upstream_timeout"),
        ],
    )
    async def test_of_providers_are_the_clients_own(self, lab, fault, kind, code):
        gateway = await lab.gateway({"small": await lab.server(fault)})
        async with client_of(gateway) as client:
            with pytest.raises(kind) as caught:
                await client.chat.completions.create(model="auto", messages=HELLO)
        assert caught.value.code == code
        await lab.at_rest(gateway.router)

    @pytest.mark.parametrize("fields", [{"model": "auto:"}, {"extra_body": {"banditroute": {"task": ""}}}])
    async def test_a_class_without_a_name_is_found_by_itself(self, lab, fields):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            raw = await client.chat.completions.with_raw_response.create(
                **{"model": "auto", "messages": HELLO, **fields}
            )
        assert raw.headers["x-banditroute-task"] == "chat"

    async def test_an_unknown_model_is_not_found(self, lab):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            with pytest.raises(openai.NotFoundError, match="did you mean 'small'") as caught:
                await client.chat.completions.create(model="smal", messages=HELLO)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "nobody", "content": "x"}]}, "messages[0].role"),
            ({"extra_body": {"banditroute": {"taks": "qa"}}}, "banditroute.taks"),
            ({"extra_body": {"banditroute": {"max_cost_usd": "1"}}}, "banditroute.max_cost_usd"),
            ({"extra_body": {"banditroute": {"max_cost_usd": -1}}}, "banditroute.max_cost_usd"),
            ({"extra_body": {"banditroute": {"allowed": ["nobody"]}}}, "banditroute.allowed"),
            ({"extra_body": {"banditroute": []}}, "banditroute"),
            ({"extra_body": {"stream": "yes"}}, "stream"),
            ({"max_tokens": -1}, "max_tokens"),
        ],
    )
    async def test_a_wrong_field_is_named(self, lab, fields, param):
        gateway = await lab.gateway({"small": await lab.server()})
        async with client_of(gateway) as client:
            with pytest.raises(openai.BadRequestError) as caught:
                await client.chat.completions.create(**{"model": "auto", "messages": HELLO, **fields})
        assert caught.value.param == param
        assert caught.value.body["message"].startswith(f"{param}: ")
        assert lab.servers[0].requests == 0

    async def test_everything_cooling_down_says_when_to_come_back(self, lab):
        gateway = await lab.gateway({"small": await lab.server("500")}, breaker={"consecutive": 2, "knock_s": 0.0})
        async with client_of(gateway) as client:
            for _ in range(8):
                with pytest.raises(openai.APIStatusError) as caught:
                    await client.chat.completions.create(model="auto", messages=HELLO)
        assert caught.value.status_code == 429
        assert int(caught.value.response.headers["retry-after"]) >= 1
        assert caught.value.code == "all_models_cooling_down"

    async def test_an_exhausted_budget_is_no_use_to_try_again(self, lab):
        cap = [{"usd": 1e-9, "per": "month", "on_exhausted": "reject"}]
        gateway = await lab.gateway({"small": await lab.server()}, budgets=cap)
        async with client_of(gateway, max_retries=2) as client:
            with pytest.raises(openai.RateLimitError) as caught:
                await client.chat.completions.create(model="auto", messages=HELLO)
        assert caught.value.code == "budget_exceeded"
        assert caught.value.response.headers["x-should-retry"] == "false"


class TestEmbeddings:
    async def test_in_base64_as_the_client_asks_for_by_itself(self, lab):
        gateway = await lab.gateway({"vec": await lab.server(vectors)})
        async with client_of(gateway) as client:
            raw = await client.embeddings.with_raw_response.create(model="vec", input="hello")
        body = raw.http_response.json()
        packed = base64.b64decode(body["data"][0]["embedding"])
        assert struct.unpack("<3f", packed) == (0.25, -1.5, 3.0)
        assert raw.parse().data[0].embedding == [0.25, -1.5, 3.0]
        assert body["model"] == "vec"
        assert raw.headers["x-banditroute-task"] == "embeddings"

    async def test_as_numbers(self, lab):
        gateway = await lab.gateway({"vec": await lab.server(vectors)})
        async with client_of(gateway) as client:
            found = await client.embeddings.create(model="vec", input=["hello"], encoding_format="float")
        assert found.data[0].embedding == [0.25, -1.5, 3.0]

    async def test_need_a_model_by_name(self, lab):
        gateway = await lab.gateway({"vec": await lab.server(vectors)})
        async with client_of(gateway) as client:
            with pytest.raises(openai.BadRequestError) as caught:
                await client.embeddings.create(model="auto", input="hello")
        assert caught.value.code == "model_required"


async def test_models_are_listed(lab):
    gateway = await lab.gateway({"small": await lab.server(), "large": await lab.server()}, routing={"tasks": ["qa"]})
    async with client_of(gateway) as client:
        listed = [model.id async for model in client.models.list()]
        one = await client.models.retrieve("large")
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("huge")
    assert listed == ["auto", "auto:qa", "small", "large"]
    assert one.id == "large"
