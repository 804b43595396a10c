"""The official Anthropic client against the gateway: unmodified, its base URL set and nothing else."""

import base64
from pathlib import Path

import anthropic
import openai
import orjson
import pytest

from banditroute.testing.faulty_exchange import DONE, STOP, TOKENS, USAGE, USAGE_FRAME, Exchange, completion, frame

WIRE = Path(__file__).parents[1] / "data" / "wire"
HELLO = [{"role": "user", "content": "hello"}]
TEXT = "".join(TOKENS)
WEATHER = {
    "name": "weather",
    "description": "of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
PIXEL = base64.b64encode(b"\x89PNG").decode()
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "EqQBCgIYAhIM"}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-upstream",
    "content": [THOUGHT, {"type": "text", "text": "Bonjour", "citations": None}],
    "stop_reason": "stop_sequence",
    "stop_sequence": "!",
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 7, "output_tokens": 5, "service_tier": "standard"},
}


def client_of(gateway, key="any", **settings):
    return anthropic.AsyncAnthropic(base_url=gateway.url, api_key=key, **{"max_retries": 0, **settings})


def ask(client, **fields):
    return client.messages.create(**{"model": "auto", "max_tokens": 50, "messages": HELLO, **fields})


class Seen:
    """A server's answer that remembers what it was asked; in pieces or whole."""

    def __init__(self, reply, stream=b"", *, streams=False):
        self.bodies = []
        self.headers = []
        self._reply = reply
        self._stream = stream
        self._streams = streams  # Gemini's calls say so by their path alone

    @property
    def body(self):
        return self.bodies[-1]

    async def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(dict(exchange.body))
        self.headers.append(exchange.headers)
        if exchange.stream or self._streams:
            exchange.begin_stream()
            exchange.piece(self._stream)
            exchange.end_stream()
        else:
            exchange.reply(200, self._reply)


def openais(message=None, stream=b"", finish="stop", **changes):
    """An upstream that speaks OpenAI."""
    message = {"role": "assistant", "content": TEXT} if message is None else message
    return Seen(completion(choices=[{"index": 0, "message": message, "finish_reason": finish}], **changes), stream)


def anthropics(name="text"):
    """An upstream that speaks Anthropic."""
    return Seen(MESSAGE, (WIRE / "anthropic" / f"{name}.sse").read_bytes())


def geminis(name="text", *, streams=False):
    """An upstream that speaks Gemini; a whole answer is the first event of a stream."""
    stream = (WIRE / "gemini" / f"{name}.sse").read_bytes()
    first = orjson.loads(stream.splitlines()[0].removeprefix(b"data: "))
    for candidate in first.get("candidates", ()):
        candidate["finishReason"] = "STOP"
    return Seen(first, stream, streams=streams)


TOOL_STREAM = b"".join(
    [
        frame({"role": "assistant", "reasoning_content": "Let me "}),
        frame({"reasoning_content": "see."}),
        frame({"content": "Looking it up."}),
        frame({"tool_calls": [{"index": 0, **CALL, "function": {"name": "weather", "arguments": ""}}]}),
        frame({"tool_calls": [{"index": 0, "function": {"arguments": '{"city"'}}]}),
        frame({"tool_calls": [{"index": 0, "function": {"arguments": ':"Paris"}'}}]}),
        frame({"tool_calls": [{"index": 1, **CALL, "id": "functions.weather:1"}]}),
        frame({}, "tool_calls"),
        USAGE_FRAME,
        DONE,
    ]
)


async def gateway_to(lab, **upstreams):
    """A gateway before a model of each kind, named by it."""
    lines = ['store = { kind = "memory" }', 'gateway = { auth = "none" }', "routing = { seed = 7 }"]
    for kind, seen in upstreams.items():
        server = await lab.server(seen)
        url = server.base_url if kind == "openai" else server.base_url.removesuffix("/v1")
        lines.append(f'[[providers]]\nname = "{kind}"\nkind = "{kind}"\nbase_url = "{url}"')
        lines.append(f'[[models]]\nname = "{kind}-model"\nprovider = "{kind}"\nvision = true\nupstream = "up-{kind}"')
        lines.append("input_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\nmax_output_tokens = 1000")
    path = lab.folder / "router.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return await lab.gateway_of(path)


class TestWhole:
    async def test_an_answer_of_openais_is_a_message(self, lab):
        gateway = await gateway_to(lab, openai=openais())
        async with client_of(gateway) as client:
            raw = await client.messages.with_raw_response.create(model="auto", max_tokens=50, messages=HELLO)
        message = await raw.parse()
        assert (message.type, message.role, message.model, message.stop_reason) == (
            "message",
            "assistant",
            "openai-model",
            "end_turn",
        )
        assert [block.text for block in message.content] == [TEXT]
        assert message.id == f"msg_{raw.headers['x-banditroute-decision-id']}"
        assert (message.usage.input_tokens, message.usage.output_tokens) == (18, USAGE["completion_tokens"])
        assert raw.headers["x-banditroute-model"] == "openai-model"
        assert float(raw.headers["x-banditroute-cost-usd"]) > 0
        assert message._request_id == raw.headers["x-request-id"]

    async def test_cached_tokens_stand_apart(self, lab):
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 9,
            "total_tokens": 109,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        }
        gateway = await gateway_to(lab, openai=openais(usage=usage))
        async with client_of(gateway) as client:
            said = (await ask(client)).usage
        assert (said.input_tokens, said.cache_read_input_tokens, said.cache_creation_input_tokens) == (10, 60, 30)
        assert said.output_tokens == 9

    async def test_anthropics_own_answer_passes_but_for_the_models_name(self, lab):
        gateway = await gateway_to(lab, anthropic=anthropics())
        async with client_of(gateway) as client:
            raw = await client.messages.with_raw_response.create(model="auto", max_tokens=50, messages=HELLO)
        assert raw.http_response.json() == {**MESSAGE, "model": "anthropic-model"}

    async def test_gemini_answers_too(self, lab):
        gateway = await gateway_to(lab, gemini=geminis("function_call"))
        async with client_of(gateway) as client:
            message = await ask(client, tools=[WEATHER])
        assert message.stop_reason == "tool_use"
        assert message.content[-1].type == "tool_use"
        assert isinstance(message.content[-1].input, dict)

    async def test_reasoning_tools_and_odd_ids_come_as_blocks(self, lab):
        calls = [CALL, {**CALL, "id": "functions.weather:1"}, {**CALL, "id": ""}]
        calls.append({"id": "bad", "type": "function", "function": {"name": "weather", "arguments": "{'city'"}})
        message = {"role": "assistant", "content": "Looking.", "reasoning_content": "Hm.", "tool_calls": calls}
        gateway = await gateway_to(lab, openai=openais(message, finish="stop"))
        async with client_of(gateway) as client:
            answer = await ask(client, tools=[WEATHER])
        thinking, text, first, odd, nameless, broken = answer.content
        assert (thinking.type, thinking.thinking, text.text) == ("thinking", "Hm.", "Looking.")
        assert (first.id, first.name, first.input) == ("call_1", "weather", {"city": "Paris"})
        assert odd.id == "functions_weather_1"
        assert nameless.id.startswith("toolu_")
        assert broken.input == {"INVALID_JSON": "{'city'"}
        assert answer.stop_reason == "tool_use"

    async def test_the_text_that_stopped_it_is_named_where_a_server_says_so(self, lab):
        message = {"role": "assistant", "content": "one"}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "stop_reason": "END"}
        seen = Seen(completion(choices=[choice]))
        gateway = await gateway_to(lab, openai=seen)
        async with client_of(gateway) as client:
            answer = await ask(client, stop_sequences=["END"])
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "END")
        assert seen.body["stop"] == ["END"]

    @pytest.mark.parametrize(
        ("finish", "reason"), [("length", "max_tokens"), ("content_filter", "refusal"), ("strange", "end_turn")]
    )
    async def test_why_it_ended_is_said_in_anthropics_words(self, lab, finish, reason):
        gateway = await gateway_to(lab, openai=openais(finish=finish))
        async with client_of(gateway) as client:
            assert (await ask(client)).stop_reason == reason


class TestStreams:
    async def test_of_openais_are_whole_messages(self, lab):
        stream = b"".join([*(frame({"content": token}) for token in TOKENS), STOP, USAGE_FRAME, DONE])
        gateway = await gateway_to(lab, openai=openais(stream=stream))
        async with (
            client_of(gateway) as client,
            client.messages.stream(model="auto", max_tokens=50, messages=HELLO) as written,
        ):
            texts = [text async for text in written.text_stream]
            final = await written.get_final_message()
        assert texts == list(TOKENS)
        assert final.content[0].text == TEXT
        assert (final.model, final.stop_reason) == ("openai-model", "end_turn")
        assert (final.usage.input_tokens, final.usage.output_tokens) == (18, USAGE["completion_tokens"])

    async def test_events_come_in_the_protocols_order(self, lab):
        gateway = await gateway_to(lab, openai=openais(stream=TOOL_STREAM))
        async with client_of(gateway) as client:
            raw = await client.messages.with_raw_response.create(
                model="auto", max_tokens=50, messages=HELLO, tools=[WEATHER], stream=True
            )
            text = await raw.http_response.aread()
        events = [orjson.loads(each.partition(b"data: ")[2]) for each in text.split(b"\n\n") if each]
        names = [each.split(b"\n")[0].removeprefix(b"event: ").decode() for each in text.split(b"\n\n") if each]
        assert names == [event["type"] for event in events]
        assert names[:2] == ["message_start", "ping"]
        assert names[-2:] == ["message_delta", "message_stop"]
        starts = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
        assert starts == ["thinking", "text", "tool_use", "tool_use"]
        opened = []
        for event in events:  # one block after another, each closed before the next begins
            if event["type"] == "content_block_start":
                assert opened == []
                opened.append(event["index"])
            elif event["type"] == "content_block_delta":
                assert opened == [event["index"]]
            elif event["type"] == "content_block_stop":
                assert opened.pop() == event["index"]
        assert raw.headers["content-type"].startswith("text/event-stream")

    async def test_calls_of_tools_and_reasoning_are_pieced_together_by_the_client(self, lab):
        gateway = await gateway_to(lab, openai=openais(stream=TOOL_STREAM))
        async with (
            client_of(gateway) as client,
            client.messages.stream(model="auto", max_tokens=50, messages=HELLO, tools=[WEATHER]) as written,
        ):
            final = await written.get_final_message()
        thinking, text, first, second = final.content
        assert (thinking.thinking, text.text) == ("Let me see.", "Looking it up.")
        assert (first.id, first.name, first.input) == ("call_1", "weather", {"city": "Paris"})
        assert (second.id, second.input) == ("functions_weather_1", {"city": "Paris"})
        assert final.stop_reason == "tool_use"

    @pytest.mark.parametrize("name", ["text", "thinking", "tool_use", "refusal"])
    async def test_of_anthropic_pass_event_by_event(self, lab, name):
        gateway = await gateway_to(lab, anthropic=anthropics(name))
        async with client_of(gateway) as client:
            raw = await client.messages.with_raw_response.create(
                model="auto", max_tokens=50, messages=HELLO, stream=True
            )
            text = await raw.http_response.aread()
        passed = [orjson.loads(each.partition(b"data: ")[2]) for each in text.split(b"\n\n") if each]
        recorded = (WIRE / "anthropic" / f"{name}.sse").read_bytes().replace(b"\r\n", b"\n")
        events = [orjson.loads(each.partition(b"data: ")[2]) for each in recorded.split(b"\n\n") if b"data: " in each]
        events = [event for event in events if event["type"] != "ping"]
        events[0]["message"]["model"] = "anthropic-model"
        assert passed == events

    @pytest.mark.parametrize(
        ("name", "reason"), [("text", "end_turn"), ("function_call", "tool_use"), ("blocked", "refusal")]
    )
    async def test_of_gemini_are_whole_messages(self, lab, name, reason):
        gateway = await gateway_to(lab, gemini=geminis(name, streams=True))
        async with (
            client_of(gateway) as client,
            client.messages.stream(model="auto", max_tokens=50, messages=HELLO) as written,
        ):
            final = await written.get_final_message()
        assert final.stop_reason == reason
        assert final.content
        assert final.usage.output_tokens >= 0

    @pytest.mark.parametrize("kind", ["anthropic", "openai"])
    async def test_of_servers_that_answer_whole_are_streams_all_the_same(self, lab, kind):
        async def whole(exchange: Exchange) -> None:
            exchange.reply(200, MESSAGE if kind == "anthropic" else completion())

        gateway = await gateway_to(lab, **{kind: whole})
        async with (
            client_of(gateway) as client,
            client.messages.stream(model="auto", max_tokens=50, messages=HELLO) as written,
        ):
            final = await written.get_final_message()
        if kind == "openai":
            assert final.content[0].text == TEXT
        else:
            assert (final.content[0].signature, final.content[1].text) == (THOUGHT["signature"], "Bonjour")
            assert (final.stop_reason, final.stop_sequence) == ("stop_sequence", "!")
            assert (final.usage.input_tokens, final.usage.cache_read_input_tokens) == (10, 7)
            assert final.usage.output_tokens == 5
        await lab.at_rest(gateway.router)

    async def test_break_with_an_error_event_after_the_first_content(self, lab):
        gateway = await lab.gateway({"small": await lab.server("cut-after-token")})
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.APIStatusError, match="broke after"):
                async with client.messages.stream(model="auto", max_tokens=50, messages=HELLO) as written:
                    _ = [text async for text in written.text_stream]
        await lab.at_rest(gateway.router)

    async def test_say_so_where_pieces_of_two_calls_come_mixed(self, lab):
        pieces = [
            frame({"tool_calls": [{"index": 0, **CALL}]}),
            frame({"tool_calls": [{"index": 1, **CALL, "id": "call_2"}]}),
            frame({"tool_calls": [{"index": 0, "function": {"arguments": " "}}]}),
            STOP,
            DONE,
        ]
        gateway = await gateway_to(lab, openai=openais(stream=b"".join(pieces)))
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.APIStatusError, match="another block had begun"):
                async with client.messages.stream(model="auto", max_tokens=50, messages=HELLO) as written:
                    await written.get_final_message()
        await lab.at_rest(gateway.router)

    async def test_are_cancelled_and_settled_where_the_caller_leaves(self, lab):
        server = await lab.server("stall-between-tokens")
        gateway = await lab.gateway({"small": server}, timeouts={"between_chunks_s": 30.0, "total_s": 60.0})
        async with client_of(gateway) as client:
            raw = await client.messages.with_raw_response.create(
                model="auto", max_tokens=50, messages=HELLO, stream=True
            )
            await raw.http_response.aclose()
        await lab.at_rest(gateway.router)
        assert server.hung_up_on == 1


class TestWhatIsAsked:
    async def test_openais_is_asked_in_its_own_words(self, lab):
        seen, sampling = openais(), {"temperature": 0.5, "top_p": 0.9, "top_k": 4}
        gateway = await gateway_to(lab, openai=seen)
        async with client_of(gateway) as client:
            await ask(
                client,
                system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "What is it?"},
                            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                        ],
                    }
                ],
                tools=[{**WEATHER, "cache_control": {"type": "ephemeral"}}],
                tool_choice={"type": "any", "disable_parallel_tool_use": True},
                metadata={"user_id": "u" * 100},
                stop_sequences=["END"],
                thinking={"type": "adaptive"},
                extra_body={"banditroute": {"session_id": "s"}, "output_config": {"effort": "low"}, **sampling},
            )
        user = seen.body.pop("user")
        assert len(user) == 64
        assert seen.body == {
            "model": "up-openai",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    ],
                },
            ],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "weather",
                        "description": "of a city",
                        "parameters": WEATHER["input_schema"],
                    },
                }
            ],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "max_tokens": 50,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 4,
            "stop": ["END"],
            "reasoning_effort": "low",
        }

    async def test_anthropic_is_asked_as_the_caller_wrote_it(self, lab):
        seen = anthropics()
        gateway = await gateway_to(lab, anthropic=seen)
        asked = {
            "max_tokens": 2000,
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": "What is new?"},
                {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "Let me look."}]},
                {"role": "user", "content": [{"type": "text", "text": "Do.", "cache_control": {"type": "ephemeral"}}]},
            ],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}],
            "metadata": {"user_id": "u"},
        }
        async with client_of(gateway) as client:
            await client.beta.messages.create(
                model="auto", betas=["one-2025-01-01", "two-2025-01-01"], extra_body={"future": {"x": 1}}, **asked
            )
        assert seen.body == {"model": "up-anthropic", "future": {"x": 1}, **asked}
        assert seen.headers[0]["anthropic-beta"] == "one-2025-01-01,two-2025-01-01"

    @pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
    async def test_anthropic_hears_which_version_its_caller_speaks(self, lab, version):
        seen = anthropics()
        gateway = await gateway_to(lab, anthropic=seen)
        async with client_of(gateway, default_headers={"anthropic-version": version}) as client:
            await ask(client)
        assert seen.headers[0]["anthropic-version"] == version

    async def test_a_round_of_tools_crosses(self, lab):
        seen = openais()
        gateway = await gateway_to(lab, openai=seen)
        turns = [
            {"role": "user", "content": "Weather?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Looking."},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
                    {"type": "tool_use", "id": "t2", "name": "weather", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "Sun"},
                    {"type": "tool_result", "tool_use_id": "t2", "content": "no city", "is_error": True},
                    {"type": "text", "text": "And now?"},
                ],
            },
        ]
        async with client_of(gateway) as client:
            await ask(client, messages=turns, tools=[WEATHER])
        call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
        other = {"id": "t2", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
        assert seen.body["messages"] == [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "Looking.", "tool_calls": [call, other]},
            {"role": "tool", "tool_call_id": "t1", "content": "Sun"},
            {"role": "tool", "tool_call_id": "t2", "content": "Error: no city"},
            {"role": "user", "content": "And now?"},
        ]

    @pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini"])
    async def test_a_conversation_goes_on_with_what_the_client_was_given(self, lab, kind):
        """What one model answered is sent back to every other: as the client's objects, marks and all."""
        first = openais({"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [CALL]})
        seen = {"openai": first, "anthropic": anthropics(), "gemini": geminis()}
        gateway = await gateway_to(lab, **seen)
        async with client_of(gateway) as client:
            answer = await ask(client, model="openai-model", tools=[WEATHER])
            turns = [
                *HELLO,
                {"role": "assistant", "content": answer.content},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "Sun"}]},
            ]
            await ask(client, model=f"{kind}-model", messages=turns, tools=[WEATHER])
        sent = orjson.dumps(seen[kind].body)
        assert b"Hm." not in sent
        assert b"banditroute" not in sent
        assert b"Paris" in sent
        assert b"Sun" in sent

    async def test_what_gemini_wants_back_with_a_call_reaches_it(self, lab):
        seen, other = geminis("function_call"), anthropics()
        gateway = await gateway_to(lab, gemini=seen, anthropic=other)
        async with client_of(gateway) as client:
            answer = await ask(client, model="gemini-model", tools=[WEATHER])
            calls = [block for block in answer.content if block.type == "tool_use"]
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": "Sun"} for call in calls]
            turns = [*HELLO, {"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
            await ask(client, model="gemini-model", messages=turns, tools=[WEATHER])
            await ask(client, model="anthropic-model", messages=turns, tools=[WEATHER])
        signature = calls[0].extra_content["google"]["thought_signature"]
        assert signature.encode() in orjson.dumps(seen.body)
        assert b"extra_content" not in orjson.dumps(other.body)


CONFINED = [
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0]"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking"),
    ({"max_tokens": 0}, "fills a prompt cache"),
    ({"extra_body": {"mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}}, "mcp_servers"),
    ({"messages": [*HELLO, {"role": "assistant", "content": [THOUGHT]}, *HELLO]}, "thinking that is signed"),
    ({"messages": [*HELLO, {"role": "assistant", "content": "It is"}]}, "to be continued"),
    (
        {
            "messages": [
                {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://x"}}]}
            ]
        },
        "no PDF",
    ),
    ({"extra_body": {"tools": [{**WEATHER, "defer_loading": True}]}}, "tools[0].defer_loading"),
]


class TestWhatCannotCross:
    @pytest.mark.parametrize(("fields", "named"), CONFINED)
    @pytest.mark.parametrize("stream", [False, True])
    async def test_is_refused_by_name_where_no_anthropic_model_is(self, lab, fields, named, stream):
        gateway = await gateway_to(lab, openai=openais(), gemini=geminis())
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.BadRequestError) as caught:
                await ask(client, stream=stream, **fields)
        assert named in caught.value.message
        assert "does not speak anthropic" in caught.value.message
        assert [server.requests for server in lab.servers] == [0, 0]

    @pytest.mark.parametrize(("fields", "named"), CONFINED)
    async def test_is_for_anthropics_models_alone_where_there_are_some(self, lab, fields, named):
        gateway = await gateway_to(lab, openai=openais(), anthropic=anthropics())
        async with client_of(gateway) as client:
            for _ in range(4):
                raw = await client.messages.with_raw_response.create(
                    **{"model": "auto", "max_tokens": 50, "messages": HELLO, **fields}
                )
                assert raw.headers["x-banditroute-model"] == "anthropic-model"
        trail = await gateway.router.explain(raw.headers["x-banditroute-decision-id"])
        assert named in trail.decision.excluded["openai-model"]
        assert trail.decision.propensity == 1.0

    async def test_is_tried_nowhere_else_when_anthropics_fails(self, lab):
        gateway = await gateway_to(lab, openai=openais(), anthropic=Seen({"type": "error", "error": {"type": "x"}}))
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.InternalServerError):
                await ask(client, thinking={"type": "enabled", "budget_tokens": 1024})
        assert lab.servers[0].requests == 0


class TestErrors:
    @pytest.mark.parametrize(
        ("fault", "kind", "word"),
        [
            ("400", anthropic.BadRequestError, "invalid_request_error"),
            ("context-overflow", anthropic.BadRequestError, "invalid_request_error"),
            ("429-seconds", anthropic.RateLimitError, "rate_limit_error"),
            ("500", anthropic.InternalServerError, "api_error"),
            ("503", anthropic.InternalServerError, "overloaded_error"),
            ("hang-before-head", anthropic.InternalServerError, "timeout_error"),
        ],
    )
    async def test_of_providers_are_the_clients_own(self, lab, fault, kind, word):
        gateway = await lab.gateway({"small": await lab.server(fault)}, retry={"base_s": 0.01, "rounds": 0})
        async with client_of(gateway) as client:
            with pytest.raises(kind) as caught:
                await ask(client)
        assert caught.value.body["type"] == "error"
        assert caught.value.body["error"]["type"] == word
        await lab.at_rest(gateway.router)

    async def test_a_prompt_that_is_too_long_says_so_in_anthropics_words(self, lab):
        gateway = await lab.gateway({"small": lab.served(await lab.server(), context_window=10, max_output_tokens=5)})
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
                await ask(client, messages=[{"role": "user", "content": "word " * 100}])

    async def test_everything_cooling_down_says_when_to_come_back(self, lab):
        gateway = await lab.gateway({"small": await lab.server("500")}, breaker={"consecutive": 2, "knock_s": 0.0})
        async with client_of(gateway) as client:
            for _ in range(8):
                with pytest.raises(anthropic.APIStatusError) as caught:
                    await ask(client)
        assert caught.value.status_code == 429
        assert int(caught.value.response.headers["retry-after"]) >= 1
        assert caught.value.body["error"]["type"] == "rate_limit_error"

    async def test_a_gateway_that_shuts_down_is_overloaded_to_its_clients(self, lab):
        gateway = await gateway_to(lab, openai=openais())
        gateway.front.draining = True
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.InternalServerError) as caught:
                await ask(client)
        assert caught.value.status_code == 529
        assert caught.value.body["error"]["type"] == "overloaded_error"

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"extra_body": {"max_tokens": None}}, "max_tokens: field required"),
            ({"max_tokens": -1}, "max_tokens"),
            ({"messages": []}, "messages: no message"),
            ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
            ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content"),
            ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
            ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages[0].content[0].source"),
            ({"tools": [{"name": "x"}]}, "tools[0].input_schema"),
            ({"tool_choice": {"type": "some"}}, "tool_choice"),
            ({"tool_choice": {"type": ["auto"]}}, "tool_choice"),
            ({"stop_sequences": "END"}, "stop_sequences"),
            ({"metadata": "me"}, "metadata"),
            ({"system": 3}, "system"),
            ({"extra_body": {"banditroute": {"taks": "qa"}}}, "banditroute.taks"),
            ({"extra_headers": {"anthropic-version": "2023-01-01"}}, "anthropic-version"),
        ],
    )
    async def test_a_wrong_field_is_named(self, lab, fields, named):
        gateway = await gateway_to(lab, openai=openais())
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.BadRequestError) as caught:
                await ask(client, **fields)
        assert named in caught.value.body["error"]["message"]
        assert lab.servers[0].requests == 0

    async def test_an_unknown_model_is_not_found(self, lab):
        gateway = await gateway_to(lab, openai=openais())
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.NotFoundError, match="openai-model"):
                await ask(client, model="claude-sonnet")

    @pytest.mark.parametrize("how", ["api_key", "auth_token"])
    async def test_a_key_is_shown_either_way(self, lab, how):
        keys = [{"name": "app", "key_env": "APP_KEY"}]
        environ = {"LAB_KEY": "sk-main", "APP_KEY": "a-long-secret-of-the-app"}
        section = {"auth": "keys", "keys": keys}
        gateway = await lab.gateway({"small": await lab.server()}, environ=environ, gateway=section)
        async with anthropic.AsyncAnthropic(base_url=gateway.url, max_retries=0, **{how: environ["APP_KEY"]}) as client:
            assert (await ask(client)).content[0].text == TEXT
        async with anthropic.AsyncAnthropic(base_url=gateway.url, max_retries=0, **{how: "wrong"}) as client:
            with pytest.raises(anthropic.AuthenticationError) as caught:
                await ask(client)
        assert caught.value.body["error"]["type"] == "authentication_error"

    async def test_a_client_that_does_not_wait_is_settled(self, lab):
        server = await lab.server("hang-before-head")
        gateway = await lab.gateway({"small": server}, timeouts={"whole_s": 30.0, "total_s": 60.0})
        async with client_of(gateway, timeout=0.2) as client:
            with pytest.raises(anthropic.APITimeoutError):
                await ask(client)
        await lab.at_rest(gateway.router)


class TestCountTokens:
    async def test_is_the_routers_own_estimate_of_the_prompt(self, lab):
        gateway = await gateway_to(lab, openai=openais())
        turns = [{"role": "user", "content": "word " * 200}]
        async with client_of(gateway) as client:
            counted = await client.messages.count_tokens(model="auto", messages=turns, tools=[WEATHER])
            bare = await client.messages.count_tokens(model="auto", messages=turns)
            raw = await client.messages.with_raw_response.create(
                model="auto", max_tokens=5, messages=turns, tools=[WEATHER]
            )
        trail = await gateway.router.explain(raw.headers["x-banditroute-decision-id"])
        assert counted.input_tokens == trail.decision.context.input_tokens
        assert 200 < bare.input_tokens < counted.input_tokens
        assert lab.servers[0].requests == 1

    async def test_refuses_what_is_no_request(self, lab):
        gateway = await gateway_to(lab, openai=openais())
        async with client_of(gateway) as client:
            with pytest.raises(anthropic.BadRequestError, match="no message"):
                await client.messages.count_tokens(model="auto", messages=[])
            with pytest.raises(anthropic.NotFoundError):
                await client.messages.count_tokens(model="other", messages=HELLO)


async def test_openais_client_goes_through_a_round_of_tools_with_anthropic(lab):
    """The other way across, for which the gateway's own translation has no part to play."""
    seen = anthropics()
    gateway = await gateway_to(lab, anthropic=seen)
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER["input_schema"]}}
    said = [*HELLO, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
    said.append({"role": "tool", "tool_call_id": "call_1", "content": "Sun"})
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0) as client:
        answer = await client.chat.completions.create(model="auto", messages=said, tools=[tool], max_tokens=50)
    assert answer.choices[0].message.content == "Bonjour"
    assert answer.usage.prompt_tokens == 17
    assert answer.usage.prompt_tokens_details.cached_tokens == 7
    assert seen.body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "Sun"}]},
    ]
    assert seen.headers[0]["anthropic-version"] == "2023-06-01"


async def test_models_are_listed_to_anthropics_client_too(lab):
    gateway = await gateway_to(lab, openai=openais(), anthropic=anthropics())
    async with client_of(gateway) as client:
        listed = [model async for model in client.models.list()]
        one = await client.models.retrieve("openai-model")
    assert listed[0].id == "auto"
    assert [model.id for model in listed][-2:] == ["openai-model", "anthropic-model"]
    assert (one.type, one.display_name, one.created_at.year) == ("model", "openai-model", 1970)
