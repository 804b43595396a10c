"""The litellm client against the gateway: unmodified, its base URL set and nothing else.

It speaks both protocols: `openai/MODEL` goes to /v1/chat/completions, `anthropic/MODEL` to /v1/messages.
"""

import pytest

from banditroute.testing.faulty_exchange import TOKENS, USAGE

HELLO = [{"role": "user", "content": "hello"}]
TEXT = "".join(TOKENS)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
PROTOCOLS = ["openai", "anthropic"]


async def ask(litellm, gateway, protocol="openai", *, method="completion", key="any", model="auto", **fields):
    base = f"{gateway.url}/v1" if protocol == "openai" else gateway.url
    usual = {"messages": HELLO, "max_tokens": 50, "num_retries": 0, "max_retries": 0}
    place = {"model": f"{protocol}/{model}", "api_base": base, "api_key": key}
    return await litellm.ask(method=method, arguments={**usual, **place, **fields})


def text_of(chunks):
    return "".join(choice["delta"]["content"] or "" for chunk in chunks for choice in chunk["choices"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
class TestBothProtocols:
    @pytest.mark.parametrize("method", ["completion", "acompletion"])
    async def test_chat(self, lab, litellm, protocol, method):
        gateway = await lab.gateway({"small": await lab.server()})
        told = await ask(litellm, gateway, protocol, method=method)
        assert told.error == {}
        (choice,) = told.value["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (TEXT, "stop")
        assert told.value["usage"]["total_tokens"] == USAGE["total_tokens"]
        await lab.at_rest(gateway.router)

    @pytest.mark.parametrize("method", ["completion", "acompletion"])
    async def test_streams(self, lab, litellm, protocol, method):
        gateway = await lab.gateway({"small": await lab.server()})
        wanted = {"stream": True, "stream_options": {"include_usage": True}}
        told = await ask(litellm, gateway, protocol, method=method, **wanted)
        assert told.error == {}
        assert text_of(told.chunks) == TEXT
        assert len(told.chunks) > len(TOKENS)
        assert [chunk["usage"]["total_tokens"] for chunk in told.chunks if chunk.get("usage")] == [
            USAGE["total_tokens"]
        ]

    async def test_tools_and_their_results(self, lab, litellm, protocol, calling):
        gateway = await lab.gateway({"small": await lab.server(calling)})
        told = await ask(litellm, gateway, protocol, tools=[WEATHER])
        (choice,) = told.value["choices"]
        (call,) = choice["message"]["tool_calls"]
        assert choice["finish_reason"] == "tool_calls"
        assert (call["id"], call["function"]["name"]) == ("call_1", "weather")
        assert call["function"]["arguments"].replace(" ", "") == '{"city":"Paris"}'
        said = [choice["message"], {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}]
        told = await ask(litellm, gateway, protocol, tools=[WEATHER], messages=[*HELLO, *said])
        assert told.error == {}
        assert told.value["choices"][0]["message"]["content"] == TEXT

    async def test_tools_in_streams(self, lab, litellm, protocol, calling):
        gateway = await lab.gateway({"small": await lab.server(calling)})
        told = await ask(litellm, gateway, protocol, tools=[WEATHER], stream=True)
        assert told.error == {}
        deltas = [choice["delta"] for chunk in told.chunks for choice in chunk["choices"]]
        calls = [call["function"] for delta in deltas for call in delta.get("tool_calls") or ()]
        assert "".join(call["name"] or "" for call in calls) == "weather"
        assert "".join(call["arguments"] or "" for call in calls) == '{"city":"Paris"}'
        assert told.chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("400", "BadRequestError"),
            ("context-overflow", "ContextWindowExceededError"),
            ("429-bare", "RateLimitError"),
            ("500", "BadGatewayError"),
        ],
    )
    async def test_errors_of_providers_are_its_own_classes(self, lab, litellm, protocol, fault, kind):
        gateway = await lab.gateway({"small": await lab.server(fault)})
        told = await ask(litellm, gateway, protocol)
        assert kind in told.error["kinds"], told.error
        await lab.at_rest(gateway.router)

    async def test_what_no_model_has_room_for_is_a_context_window_exceeded(self, lab, litellm, protocol):
        server = await lab.server()
        gateway = await lab.gateway({"small": lab.served(server, context_window=60)})
        told = await ask(litellm, gateway, protocol, messages=[{"role": "user", "content": "hello " * 100}])
        assert "ContextWindowExceededError" in told.error["kinds"], told.error
        assert server.requests == 0

    async def test_a_wrong_key_is_an_authentication_error(self, lab, litellm, protocol):
        keys = [{"name": "app", "key_env": "APP"}]
        gateway = await lab.gateway(
            {"small": await lab.server()},
            environ={"LAB_KEY": "sk-main", "APP": "key-of-app"},
            **{"gateway": {"auth": "keys"}, "gateway.keys": keys},
        )
        told = await ask(litellm, gateway, protocol, key="wrong")
        assert "AuthenticationError" in told.error["kinds"], told.error
        told = await ask(litellm, gateway, protocol, key="key-of-app")
        assert told.error == {}

    async def test_an_unknown_model_is_not_found(self, lab, litellm, protocol):
        gateway = await lab.gateway({"small": await lab.server()})
        told = await ask(litellm, gateway, protocol, model="smal")
        assert "NotFoundError" in told.error["kinds"], told.error
        assert "did you mean 'small'" in told.error["message"]

    async def test_a_time_limit_of_the_callers_ends_the_call_here_too(self, lab, litellm, protocol):
        server = await lab.server("hang-before-head")
        gateway = await lab.gateway({"small": server}, timeouts={"whole_s": 30.0, "total_s": 60.0})
        told = await ask(litellm, gateway, protocol, timeout=1.0)
        assert "Timeout" in told.error["kinds"], told.error
        await lab.at_rest(gateway.router)
        assert server.hung_up_on == 1

    async def test_a_stream_that_breaks_is_an_error_after_what_had_come(self, lab, litellm, protocol):
        gateway = await lab.gateway({"small": await lab.server("cut-after-token")})
        told = await ask(litellm, gateway, protocol, stream=True)
        assert text_of(told.chunks) == TOKENS[0]
        assert "APIError" in told.error["kinds"], told.error
        await lab.at_rest(gateway.router)


async def test_the_model_that_served_is_named(lab, litellm):
    gateway = await lab.gateway({"bad": await lab.server("500"), "good": await lab.server()})
    assert [(await ask(litellm, gateway)).value["model"] for _ in range(3)] == ["good"] * 3


async def test_embeddings(lab, litellm, vectors):
    gateway = await lab.gateway({"vec": await lab.server(vectors)})
    told = await ask(litellm, gateway, method="embedding", model="vec", messages=None, max_tokens=None, input=["hello"])
    assert told.error == {}
    assert told.value["data"][0]["embedding"] == [0.25, -1.5, 3.0]
    assert told.value["usage"]["prompt_tokens"] == 3


async def test_nothing_left_this_machine(lab, litellm):
    await ask(litellm, await lab.gateway({"small": await lab.server()}))
    assert (await litellm.ask(method="strayed")).value == []
