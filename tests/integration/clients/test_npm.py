"""The npm packages `openai` and `@anthropic-ai/sdk` against the gateway: unmodified, their base URL set."""

from types import MappingProxyType

import pytest

from banditroute.testing.faulty_exchange import TOKENS, USAGE

HELLO = [{"role": "user", "content": "hello"}]
TEXT = "".join(TOKENS)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
ANTHROPIC_WEATHER = {"name": "weather", "input_schema": PARAMETERS}
PATIENT = {"whole_s": 30.0, "first_token_s": 30.0, "between_chunks_s": 30.0, "total_s": 60.0}


class OpenAI:
    """What differs between the packages: where a method is, what it is given and where its answer says what."""

    library = "openai"
    chat, streamed, final = "chat.completions.create", "chat.completions.stream", "finalChatCompletion"
    body = MappingProxyType({"model": "auto", "messages": HELLO})
    tools = (WEATHER,)

    @staticmethod
    def base(gateway):
        return f"{gateway.url}/v1"

    @staticmethod
    def text(answer):
        return answer["choices"][0]["message"]["content"]

    @staticmethod
    def delta(chunk):
        return "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])

    @staticmethod
    def call(answer):
        """The name and the arguments of the one call, and why the answer ended."""
        (call,) = answer["choices"][0]["message"]["tool_calls"]
        return call["function"]["name"], call["function"]["arguments"], answer["choices"][0]["finish_reason"]

    @staticmethod
    def after(answer):
        """The messages once the tool has said its word."""
        result = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
        return [*HELLO, answer["choices"][0]["message"], result]


class Anthropic:
    library = "anthropic"
    chat, streamed, final = "messages.create", "messages.stream", "finalMessage"
    body = MappingProxyType({"model": "auto", "messages": HELLO, "max_tokens": 50})
    tools = (ANTHROPIC_WEATHER,)

    @staticmethod
    def base(gateway):
        return gateway.url

    @staticmethod
    def text(answer):
        return answer["content"][0]["text"]

    @staticmethod
    def delta(chunk):
        return chunk["delta"].get("text", "") if chunk["type"] == "content_block_delta" else ""

    @staticmethod
    def call(answer):
        (block,) = answer["content"]
        assert block["input"] == {"city": "Paris"}
        return block["name"], '{"city":"Paris"}', {"tool_use": "tool_calls"}[answer["stop_reason"]]

    @staticmethod
    def after(answer):
        result = {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"}
        return [*HELLO, {"role": "assistant", "content": answer["content"]}, {"role": "user", "content": [result]}]


async def ask(npm, gateway, package=OpenAI, *, method=None, key="any", options=None, awaited=None, leave=None, **body):
    return await npm.ask(
        library=package.library,
        options={"baseURL": package.base(gateway), "apiKey": key, "maxRetries": 0, **(options or {})},
        method=method or package.chat,
        body={**package.body, **body},
        awaited=awaited,
        leave=leave,
    )


@pytest.mark.parametrize("package", [OpenAI, Anthropic])
class TestBothPackages:
    async def test_chat(self, lab, npm, package):
        gateway = await lab.gateway({"small": await lab.server()})
        told = await ask(npm, gateway, package)
        assert told.error == {}
        assert (package.text(told.value), told.value["model"]) == (TEXT, "small")
        await lab.at_rest(gateway.router)

    async def test_streams(self, lab, npm, package):
        gateway = await lab.gateway({"small": await lab.server()})
        told = await ask(npm, gateway, package, stream=True)
        assert told.error == {}
        assert [piece for chunk in told.chunks if (piece := package.delta(chunk))] == list(TOKENS)

    async def test_tools_and_their_results(self, lab, npm, package, calling):
        gateway = await lab.gateway({"small": await lab.server(calling)})
        told = await ask(npm, gateway, package, tools=package.tools)
        assert package.call(told.value) == ("weather", '{"city":"Paris"}', "tool_calls")
        told = await ask(npm, gateway, package, tools=package.tools, messages=package.after(told.value))
        assert told.error == {}
        assert package.text(told.value) == TEXT

    async def test_tools_in_streams_are_pieced_together(self, lab, npm, package, calling):
        gateway = await lab.gateway({"small": await lab.server(calling)})
        told = await ask(npm, gateway, package, method=package.streamed, awaited=package.final, tools=package.tools)
        assert told.error == {}
        assert package.call(told.value) == ("weather", '{"city":"Paris"}', "tool_calls")

    @pytest.mark.parametrize(
        ("fault", "kind", "status"),
        [
            ("400", "BadRequestError", 400),
            ("context-overflow", "BadRequestError", 400),
            ("429-bare", "RateLimitError", 429),
            ("500", "InternalServerError", 502),
        ],
    )
    async def test_errors_of_providers_are_their_own_classes(self, lab, npm, package, fault, kind, status):
        gateway = await lab.gateway({"small": await lab.server(fault)})
        told = await ask(npm, gateway, package)
        assert (told.error["kinds"][0], told.error["status"]) == (kind, status)
        await lab.at_rest(gateway.router)

    async def test_a_wrong_key_is_an_authentication_error(self, lab, npm, package):
        keys = [{"name": "app", "key_env": "APP"}]
        gateway = await lab.gateway(
            {"small": await lab.server()},
            environ={"LAB_KEY": "sk-main", "APP": "key-of-app"},
            **{"gateway": {"auth": "keys"}, "gateway.keys": keys},
        )
        assert (await ask(npm, gateway, package, key="wrong")).error["kinds"][0] == "AuthenticationError"
        assert package.text((await ask(npm, gateway, package, key="key-of-app")).value) == TEXT

    async def test_an_unknown_model_is_not_found(self, lab, npm, package):
        gateway = await lab.gateway({"small": await lab.server()})
        told = await ask(npm, gateway, package, model="smal")
        assert told.error["kinds"][0] == "NotFoundError"
        assert "did you mean 'small'" in told.error["message"]

    async def test_a_time_limit_of_the_callers_ends_the_call_here_too(self, lab, npm, package):
        server = await lab.server("hang-before-head")
        gateway = await lab.gateway({"small": server}, timeouts=PATIENT)
        told = await ask(npm, gateway, package, options={"timeout": 800})
        assert told.error["kinds"][0] == "APIConnectionTimeoutError"
        await lab.at_rest(gateway.router)
        assert server.hung_up_on == 1

    async def test_leaving_a_stream_ends_it_here_too(self, lab, npm, package):
        server = await lab.server("stall-between-tokens")
        gateway = await lab.gateway({"small": server}, timeouts=PATIENT)
        told = await ask(npm, gateway, package, stream=True, leave=2)
        assert (told.error, len(told.chunks)) == ({}, 2)
        await lab.at_rest(gateway.router)
        assert server.hung_up_on == 1

    async def test_a_stream_that_breaks_is_an_error_after_what_had_come(self, lab, npm, package):
        gateway = await lab.gateway({"small": await lab.server("cut-after-token")})
        told = await ask(npm, gateway, package, stream=True)
        assert "".join(map(package.delta, told.chunks)) == TOKENS[0]
        assert "APIError" in told.error["kinds"]
        await lab.at_rest(gateway.router)

    async def test_asks_again_by_itself_when_told_to(self, lab, npm, package):
        server = await lab.server(script=["503"])
        gateway = await lab.gateway({"small": server}, retry={"same_model": 0, "rounds": 1})
        told = await ask(npm, gateway, package, options={"maxRetries": 2})
        assert (told.error, server.requests) == ({}, 2)


async def test_usage_comes_once_where_asked_for(lab, npm):
    gateway = await lab.gateway({"small": await lab.server()})
    told = await ask(npm, gateway, stream=True, stream_options={"include_usage": True})
    usages = [chunk["usage"] for chunk in told.chunks if chunk.get("usage")]
    assert [usage["total_tokens"] for usage in usages] == [USAGE["total_tokens"]]


async def test_embeddings_in_base64_as_the_package_asks_for_by_itself(lab, npm, vectors):
    server = await lab.server(vectors)
    gateway = await lab.gateway({"vec": server})
    told = await npm.ask(
        library="openai",
        options={"baseURL": f"{gateway.url}/v1", "apiKey": "any", "maxRetries": 0},
        method="embeddings.create",
        body={"model": "vec", "input": ["hello"]},
    )
    assert told.error == {}
    assert told.value["data"][0]["embedding"] == [0.25, -1.5, 3.0]


async def test_tokens_are_counted(lab, npm):
    gateway = await lab.gateway({"small": await lab.server()})
    told = await npm.ask(
        library="anthropic",
        options={"baseURL": gateway.url, "apiKey": "any", "maxRetries": 0},
        method="messages.countTokens",
        body={"model": "auto", "messages": HELLO},
    )
    assert told.error == {}
    assert told.value["input_tokens"] > 0
