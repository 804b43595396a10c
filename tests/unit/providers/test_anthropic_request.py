"""What Anthropic is sent of a request in OpenAI's shape."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from banditroute.errors import UnfitError
from banditroute.providers.anthropic import Anthropic
from banditroute.providers.protocol import Provider, WireRequest
from banditroute.records import ChatRequest, EmbeddingRequest

HELLO = ({"role": "user", "content": "Hello"},)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Looks out of the window",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PNG = base64.b64encode(b"\x89PNG").decode()


def wire(messages: Any = HELLO, *, stream: bool = False, key: str | None = "sk-test", **params: Any) -> WireRequest:
    provider: Provider = Anthropic()
    return provider.chat(ChatRequest(tuple(messages), params), model="claude-sonnet-4-5", key=key, stream=stream)


def body(messages: Any = HELLO, **params: Any) -> dict[str, Any]:
    return orjson.loads(wire(messages, **params).body)


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def test_the_least_request() -> None:
    asked = wire()
    assert asked.path == "/v1/messages"
    assert asked.headers == {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-test",
    }
    assert orjson.loads(asked.body) == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [text("Hello")]}],
    }


def test_no_key_no_header() -> None:
    assert "x-api-key" not in wire(key=None).headers


def test_options_of_the_constructor() -> None:
    provider = Anthropic(default_max_tokens=7, betas=("a", "b"), headers={"x-team": "t"}, path="/anthropic/v1/messages")
    asked = provider.chat(ChatRequest(HELLO), model="m", key=None, stream=True)
    assert asked.path == "/anthropic/v1/messages"
    assert asked.headers["anthropic-beta"] == "a,b"
    assert asked.headers["x-team"] == "t"
    sent = orjson.loads(asked.body)
    assert (sent["max_tokens"], sent["stream"]) == (7, True)


def test_system_messages_come_first_and_keep_their_cache_marks() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    sent = body(
        [
            {"role": "system", "content": [text("Rules", cache_control=mark)]},
            *HELLO,
            {"role": "developer", "content": "Be brief"},
        ],
        system="Before all",
    )
    assert sent["system"] == [text("Before all"), text("Rules", cache_control=mark), text("Be brief")]
    assert sent["messages"] == [{"role": "user", "content": [text("Hello")]}]


def test_a_cache_mark_beside_a_messages_content_goes_to_its_last_block() -> None:
    mark = {"type": "ephemeral"}
    sent = body([{"role": "user", "content": [text("a"), text("b")], "cache_control": mark}])
    assert sent["messages"][0]["content"] == [text("a"), text("b", cache_control=mark)]


@pytest.mark.parametrize(
    ("params", "field", "value"),
    [
        ({"max_tokens": 9}, "max_tokens", 9),
        ({"max_completion_tokens": 8, "max_tokens": 9}, "max_tokens", 8),
        ({"stop": "END"}, "stop_sequences", ["END"]),
        ({"stop": ["a", "b"]}, "stop_sequences", ["a", "b"]),
        ({"temperature": 0.5}, "temperature", 0.5),
        ({"top_p": 0.9}, "top_p", 0.9),
        ({"top_k": 5}, "top_k", 5),
        ({"user": "u1"}, "metadata", {"user_id": "u1"}),
        ({"user": "u1", "safety_identifier": "s1"}, "metadata", {"user_id": "s1"}),
        ({"metadata": {"user_id": "m1"}, "user": "u1"}, "metadata", {"user_id": "m1"}),
        ({"service_tier": "auto"}, "service_tier", "auto"),
        ({"service_tier": "default"}, "service_tier", "standard_only"),
        ({"reasoning_effort": "low"}, "output_config", {"effort": "low"}),
        ({"reasoning_effort": "none"}, "thinking", {"type": "disabled"}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            "thinking",
            {"type": "enabled", "budget_tokens": 2048},
        ),
        ({"mcp_servers": [{"url": "https://x"}]}, "mcp_servers", [{"url": "https://x"}]),
        ({"something_new": {"a": [1]}}, "something_new", {"a": [1]}),
        ({"tool_choice": {"type": "any"}, "tools": [WEATHER]}, "tool_choice", {"type": "any"}),
    ],
)
def test_parameters(params: dict[str, Any], field: str, value: Any) -> None:
    assert body(**params)[field] == value


def test_what_asks_for_nothing_is_left_out() -> None:
    neutral = {
        "n": 1,
        "logprobs": False,
        "top_logprobs": None,
        "logit_bias": {},
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "store": False,
        "modalities": ["text"],
        "stream_options": {"include_usage": True},
        "response_format": {"type": "text"},
        "seed": None,
        "prompt_cache_key": "k",
        "metadata": {"job": "nightly"},
        "parallel_tool_calls": True,
    }
    assert body(**neutral) == body()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"seed": 1}, "seed"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -0.5}, "presence_penalty"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"prediction": {"type": "content"}}, "prediction"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"verbosity": "low"}, "verbosity"),
        ({"store": True}, "store"),
        ({"temperature": 1.5}, "temperature"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"reasoning_effort": "minimal"}, "reasoning_effort"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"tools": [WEATHER], "tool_choice": "often"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].custom"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": ["x"]}, "tools[0]"),
    ],
)
def test_what_anthropic_cannot_do_is_refused_by_name(params: dict[str, Any], field: str) -> None:
    with pytest.raises(UnfitError) as refused:
        body(**params)
    assert refused.value.problem.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "messages[1].content[0]"),
        ({"role": "user", "content": 7}, "messages[1].content"),
        ({"role": "user", "content": [7]}, "messages[1].content[0]"),
        ({"role": "user", "content": "x", "name": "Ann"}, "messages[1].name"),
        ({"role": "assistant", "content": None, "audio": {"id": "a"}}, "messages[1].audio"),
        ({"role": "critic", "content": "x"}, "messages[1].role"),
        ({"role": "tool", "content": "x"}, "messages[1].tool_call_id"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
            "messages[1].content[0].image_url.url",
        ),
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}, "messages[1].content[0].file"),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{oops"}}]},
            "messages[1].tool_calls[0].function.arguments",
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1]"}}]},
            "messages[1].tool_calls[0].function.arguments",
        ),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}, "messages[1].tool_calls[0].id"),
        ({"role": "assistant", "tool_calls": [{"id": "c", "custom": {}}]}, "messages[1].tool_calls[0].function"),
    ],
)
def test_what_a_message_cannot_say_is_refused_by_its_place(message: dict[str, Any], place: str) -> None:
    with pytest.raises(UnfitError) as refused:
        body([*HELLO, message])
    assert refused.value.problem.startswith(f"{place}: ")


def test_tools() -> None:
    mark = {"type": "ephemeral"}
    own = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    strict = {"type": "function", "function": {"name": "now", "strict": True}, "cache_control": mark}
    sent = body(tools=[WEATHER, strict, own])
    assert sent["tools"] == [
        {
            "name": "get_weather",
            "description": "Looks out of the window",
            "input_schema": WEATHER["function"]["parameters"],
        },
        {
            "name": "now",
            "input_schema": {"type": "object", "properties": {}},
            "strict": True,
            "cache_control": mark,
        },
        own,
    ]
    assert "tool_choice" not in sent


@pytest.mark.parametrize(
    ("params", "choice"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, {"type": "tool", "name": "f"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {"parallel_tool_calls": False, "tool_choice": "required"},
            {"type": "any", "disable_parallel_tool_use": True},
        ),
        ({"parallel_tool_calls": False, "tool_choice": "none"}, {"type": "none"}),
    ],
)
def test_tool_choice(params: dict[str, Any], choice: dict[str, Any]) -> None:
    assert body(tools=[WEATHER], **params)["tool_choice"] == choice


def test_functions_from_before_there_were_tools() -> None:
    sent = body(
        [
            *HELLO,
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}},
            {"role": "function", "name": "f", "content": "2"},
        ],
        functions=[{"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}],
        function_call={"name": "f"},
    )
    call, result = sent["messages"][1]["content"][0], sent["messages"][2]["content"][0]
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "f", {"a": 1})
    assert (result["type"], result["tool_use_id"], result["content"]) == ("tool_result", call["id"], "2")
    assert sent["tool_choice"] == {"type": "tool", "name": "f"}
    assert sent["tools"][0]["name"] == "f"


def test_a_conversation_with_tools() -> None:
    def call(call_id: str, city: str) -> dict[str, Any]:
        return {
            "id": call_id,
            "type": "function",
            "function": {"name": "get_weather", "arguments": orjson.dumps({"city": city}).decode()},
        }

    sent = body(
        [
            {"role": "user", "content": "Paris and Rome?"},
            {"role": "assistant", "content": "Let me look.", "tool_calls": [call("c1", "Paris"), call("c2", "Rome")]},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            {"role": "tool", "tool_call_id": "c2", "content": [text("sun")], "is_error": False},
            {"role": "user", "content": "And?"},
            {"role": "assistant", "content": "", "tool_calls": []},
            {"role": "assistant", "content": "Take an umbrella."},
            {"role": "user", "content": "Thanks"},
        ]
    )
    assert sent["messages"] == [
        {"role": "user", "content": [text("Paris and Rome?")]},
        {
            "role": "assistant",
            "content": [
                text("Let me look."),
                {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}},
                {"type": "tool_use", "id": "c2", "name": "get_weather", "input": {"city": "Rome"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "c2", "content": [text("sun")], "is_error": False},
                text("And?"),
            ],
        },
        {"role": "assistant", "content": [text("Take an umbrella.")]},
        {"role": "user", "content": [text("Thanks")]},
    ]


def test_signed_thinking_goes_back_before_the_call_that_it_led_to() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    said = {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [call]}
    sent = body([*HELLO, {**said, "thinking_blocks": [thinking]}])
    assert sent["messages"][1]["content"] == [thinking, {"type": "tool_use", "id": "c1", "name": "f", "input": {}}]


def test_images_and_documents() -> None:
    own = {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
    result = {"type": "tool_result", "tool_use_id": "c", "content": "x"}
    pdf = {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"}
    sent = body(
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://x.org/a.jpg"}, "cache_control": {"type": "e"}},
                    {"type": "file", "file": pdf},
                    own,
                    result,
                    text(""),
                ],
            }
        ]
    )
    assert sent["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source": {"type": "url", "url": "https://x.org/a.jpg"}, "cache_control": {"type": "e"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PNG},
            "title": "a.pdf",
        },
        own,
        result,
    ]


def test_a_schema_is_anthropics_own_structured_output() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}
    sent = body(response_format=wanted, reasoning_effort="high", output_config={"effort": "max"})
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": schema}, "effort": "max"}


def test_the_callers_request_is_left_as_it_was() -> None:
    messages = [*HELLO, {"role": "user", "content": [text("b")], "cache_control": {"type": "ephemeral"}}]
    params = {"tools": [WEATHER], "stop": "x", "output_config": {}, "reasoning_effort": "low", "system": "s"}
    before = orjson.dumps([messages, params])
    body(messages, **params)
    assert orjson.dumps([messages, params]) == before


def test_there_are_no_embeddings() -> None:
    with pytest.raises(UnfitError, match="no embeddings"):
        Anthropic().embed(EmbeddingRequest("x"), model="m", key=None)
