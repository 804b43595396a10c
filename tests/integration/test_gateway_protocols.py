"""OpenAI's client in front, other protocols behind: answers cross whole, and what cannot cross is refused by name."""

from pathlib import Path

import openai
import pytest

from banditroute.testing.faulty_exchange import Exchange

WIRE = Path(__file__).parents[1] / "data" / "wire"
HELLO = [{"role": "user", "content": "hello"}]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Bonjour"}, {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 10, "output_tokens": 5},
}
CONFIG = """
[[providers]]
name = "host"
kind = "{kind}"
base_url = "{url}"
[[models]]
name = "small"
provider = "host"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
max_output_tokens = 100
[store]
kind = "memory"
[gateway]
auth = "none"
"""


def recorded(name: str):
    """A server that plays a recorded stream, or answers whole."""

    async def play(exchange: Exchange) -> None:
        if not exchange.stream and name.startswith("anthropic"):
            return exchange.reply(200, MESSAGE)
        exchange.begin_stream()
        exchange.piece((WIRE / name).read_bytes())
        return exchange.end_stream()

    return play


async def gateway_to(lab, kind, name):
    server = await lab.server(recorded(name))
    path = lab.folder / "router.toml"
    path.write_text(CONFIG.format(kind=kind, url=server.base_url), encoding="utf-8")
    return await lab.gateway_of(path)


def client_of(gateway):
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0)


async def test_a_whole_answer_of_anthropic_is_openais(lab):
    gateway = await gateway_to(lab, "anthropic", "anthropic/text.sse")
    async with client_of(gateway) as client:
        answer = await client.chat.completions.create(model="auto", messages=HELLO)
    choice = answer.choices[0]
    assert (answer.model, answer.object, choice.finish_reason) == ("small", "chat.completion", "tool_calls")
    assert choice.message.content == "Bonjour"
    assert choice.message.tool_calls[0].function.arguments == '{"a":1}'
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)
    assert answer.created > 1_700_000_000


@pytest.mark.parametrize(
    ("kind", "name", "calls"),
    [
        ("anthropic", "anthropic/text.sse", False),
        ("anthropic", "anthropic/tool_use.sse", True),
        ("gemini", "gemini/text.sse", False),
        ("gemini", "gemini/function_call.sse", True),
    ],
)
async def test_a_stream_is_openais_whoever_writes_it(lab, kind, name, calls):
    gateway = await gateway_to(lab, kind, name)
    async with client_of(gateway) as client:
        stream = await client.chat.completions.create(
            model="small", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.id for chunk in chunks)
    assert min(chunk.created for chunk in chunks) > 1_700_000_000
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert reasons == ["tool_calls" if calls else "stop"]
    assert sum(chunk.usage is not None for chunk in chunks) == 1
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.parametrize(
    ("field", "value"), [("logprobs", True), ("seed", 7), ("n", 2), ("response_format", {"type": "json_object"})]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_cannot_cross_is_refused_by_name(lab, field, value, stream):
    gateway = await gateway_to(lab, "anthropic", "anthropic/text.sse")
    async with client_of(gateway) as client:
        with pytest.raises(openai.BadRequestError, match=field) as caught:
            await client.chat.completions.create(model="auto", messages=HELLO, stream=stream, **{field: value})
    assert caught.value.code == "unsupported_field"
    assert lab.servers[0].requests == 0
    await lab.at_rest(gateway.router)
