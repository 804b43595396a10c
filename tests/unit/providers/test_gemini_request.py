"""What Gemini is sent of a request in OpenAI's shape."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from banditroute.errors import UnfitError
from banditroute.providers.gemini import Gemini
from banditroute.providers.protocol import Provider, WireRequest
from banditroute.records import ChatRequest, EmbeddingRequest

HELLO = ({"role": "user", "content": "Hello"},)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Looks", "parameters": SCHEMA}}
STRICT = {"type": "function", "function": {"name": "now", "strict": True}}
PNG = base64.b64encode(b"\x89PNG").decode()


def wire(
    messages: Any = HELLO,
    *,
    model: str = "gemini-2.5-flash",
    stream: bool = False,
    key: str | None = "AIza",
    **params: Any,
) -> WireRequest:
    provider: Provider = Gemini()
    return provider.chat(ChatRequest(tuple(messages), params), model=model, key=key, stream=stream)


def body(messages: Any = HELLO, **params: Any) -> dict[str, Any]:
    return orjson.loads(wire(messages, **params).body)


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def call(call_id: str, name: str, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def test_the_least_request() -> None:
    asked = wire()
    assert asked.path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert asked.headers == {"content-type": "application/json", "x-goog-api-key": "AIza"}
    assert orjson.loads(asked.body) == {"contents": [user({"text": "Hello"})]}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-3-pro", "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"),
        ("models/gemma-3-27b-it", "/v1beta/models/gemma-3-27b-it:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", "/v1beta/tunedModels/mine:streamGenerateContent?alt=sse"),
        ("a b?", "/v1beta/models/a%20b%3F:streamGenerateContent?alt=sse"),
    ],
)
def test_paths_of_streams(model: str, path: str) -> None:
    assert wire(model=model, stream=True).path == path


def test_options_of_the_constructor() -> None:
    asked = Gemini(version="v1", headers={"x-team": "t"}).chat(ChatRequest(HELLO), model="m", key=None, stream=False)
    assert asked.path == "/v1/models/m:generateContent"
    assert asked.headers == {"content-type": "application/json", "x-team": "t"}


def test_system_messages_come_first() -> None:
    sent = body(
        [{"role": "system", "content": "Rules"}, *HELLO, {"role": "developer", "content": "Be brief"}],
        systemInstruction={"parts": [{"text": "Before all"}]},
    )
    assert sent["systemInstruction"] == {"parts": [{"text": "Before all"}, {"text": "Rules"}, {"text": "Be brief"}]}
    assert sent["contents"] == [user({"text": "Hello"})]


@pytest.mark.parametrize(
    ("params", "config"),
    [
        ({"max_tokens": 9}, {"maxOutputTokens": 9}),
        ({"max_completion_tokens": 8, "max_tokens": 9}, {"maxOutputTokens": 8}),
        ({"temperature": 1.5, "top_p": 0.9, "top_k": 4}, {"temperature": 1.5, "topP": 0.9, "topK": 4}),
        ({"stop": "END"}, {"stopSequences": ["END"]}),
        ({"seed": 7, "n": 2}, {"seed": 7, "candidateCount": 2}),
        ({"presence_penalty": 0.1, "frequency_penalty": 0.2}, {"presencePenalty": 0.1, "frequencyPenalty": 0.2}),
        ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        ),
        ({"reasoning_effort": "none"}, {"thinkingConfig": {"thinkingBudget": 0}}),
        ({"reasoning_effort": "medium"}, {"thinkingConfig": {"thinkingBudget": 8192}}),
        ({"reasoning_effort": "low", "model": "gemini-3-pro"}, {"thinkingConfig": {"thinkingLevel": "low"}}),
        ({"reasoning_effort": "high", "model": "gemini-flash-latest"}, {"thinkingConfig": {"thinkingLevel": "high"}}),
        (
            {"temperature": 0.5, "generationConfig": {"temperature": 0.7, "mediaResolution": "X"}},
            {"temperature": 0.7, "mediaResolution": "X"},
        ),
    ],
)
def test_generation_config(params: dict[str, Any], config: dict[str, Any]) -> None:
    assert body(**params) == {**body(), "generationConfig": config}


def test_what_is_not_known_passes_through() -> None:
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    sent = body(safetySettings=safety, cachedContent="cachedContents/1", something_new={"a": 1})
    assert sent["safetySettings"] == safety
    assert (sent["cachedContent"], sent["something_new"]) == ("cachedContents/1", {"a": 1})


def test_what_asks_for_nothing_is_left_out() -> None:
    neutral = {
        "n": 1,
        "logprobs": False,
        "frequency_penalty": 0,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "text"},
        "user": "u1",
        "metadata": {"job": "nightly"},
        "service_tier": "auto",
        "store": False,
        "parallel_tool_calls": True,
        "tool_choice": None,
    }
    assert body(**neutral) == body()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"prediction": {}}, "prediction"),
        ({"verbosity": "low"}, "verbosity"),
        ({"store": True}, "store"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"tools": [WEATHER], "parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"reasoning_effort": "xhigh"}, "reasoning_effort"),
        ({"reasoning_effort": "none", "model": "gemini-3-pro"}, "reasoning_effort"),
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
        ({"response_format": "json"}, "response_format"),
        ({"tools": [WEATHER], "tool_choice": "often"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].custom"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 7}}]}, "tools[0].function.parameters"),
    ],
)
def test_what_gemini_cannot_do_is_refused_by_name(params: dict[str, Any], field: str) -> None:
    with pytest.raises(UnfitError) as refused:
        body(**params)
    assert refused.value.problem.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"role": "user", "content": "x", "name": "Ann"}, "messages[1].name"),
        ({"role": "critic", "content": "x"}, "messages[1].role"),
        ({"role": "tool", "tool_call_id": "unheard", "content": "x"}, "messages[1].tool_call_id"),
        ({"role": "user", "content": [{"type": "image", "source": {}}]}, "messages[1].content[0]"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": "ftp://x"}]},
            "messages[1].content[0].image_url.url",
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"format": "mid"}}]},
            "messages[1].content[0].input_audio.format",
        ),
        ({"role": "assistant", "tool_calls": [{"id": "c", "custom": {}}]}, "messages[1].tool_calls[0].function"),
        (
            {"role": "assistant", "tool_calls": [call("c", "f", "{oops")]},
            "messages[1].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_a_message_cannot_say_is_refused_by_its_place(message: dict[str, Any], place: str) -> None:
    with pytest.raises(UnfitError) as refused:
        body([*HELLO, message])
    assert refused.value.problem.startswith(f"{place}: ")


def test_tools() -> None:
    own = {"googleSearch": {}}
    sent = body(tools=[WEATHER, own, {"type": "function", "function": {"name": "now"}}])
    declared = [
        {"name": "get_weather", "description": "Looks", "parametersJsonSchema": SCHEMA},
        {"name": "now"},
    ]
    assert sent["tools"] == [{"functionDeclarations": declared}, own]
    assert "toolConfig" not in sent


ALLOWED = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "get_weather"}}]}


@pytest.mark.parametrize(
    ("params", "calling"),
    [
        ({"tool_choice": "auto"}, {"mode": "AUTO"}),
        ({"tool_choice": "none"}, {"mode": "NONE"}),
        ({"tool_choice": "required"}, {"mode": "ANY"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
            {"mode": "ANY", "allowedFunctionNames": ["get_weather"]},
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": ALLOWED}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["get_weather"]},
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {**ALLOWED, "mode": "required"}}},
            {"mode": "ANY", "allowedFunctionNames": ["get_weather"]},
        ),
        ({"tools": [STRICT]}, {"mode": "VALIDATED"}),
        ({"tools": [STRICT], "tool_choice": "auto"}, {"mode": "VALIDATED"}),
        ({"tools": [STRICT], "tool_choice": "required"}, {"mode": "ANY"}),
    ],
)
def test_tool_choice(params: dict[str, Any], calling: dict[str, Any]) -> None:
    assert body(**{"tools": [WEATHER], **params})["toolConfig"] == {"functionCallingConfig": calling}


def test_a_conversation_with_tools() -> None:
    signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    sent = body(
        [
            {"role": "user", "content": "Paris and Rome?"},
            {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [call("c1", "get_weather", '{"city": "Paris"}', **signed), call("c2", "get_time")],
            },
            {"role": "tool", "tool_call_id": "c1", "content": '{"sky": "rain"}'},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "007"}]},
            {"role": "user", "content": "And?"},
            {"role": "assistant", "content": "Take an umbrella."},
        ],
        model="gemini-3-pro",
    )
    assert sent["contents"] == [
        user({"text": "Paris and Rome?"}),
        {
            "role": "model",
            "parts": [
                {"text": "Let me look."},
                {
                    "functionCall": {"name": "get_weather", "args": {"city": "Paris"}, "id": "c1"},
                    "thoughtSignature": "c2ln",
                },
                {"functionCall": {"name": "get_time", "args": {}, "id": "c2"}},
            ],
        },
        user(
            {"functionResponse": {"name": "get_weather", "response": {"sky": "rain"}, "id": "c1"}},
            {"functionResponse": {"name": "get_time", "response": {"output": "007"}, "id": "c2"}},
            {"text": "And?"},
        ),
        {"role": "model", "parts": [{"text": "Take an umbrella."}]},
    ]


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("sunny", {"output": "sunny"}),
        ("", {"output": ""}),
        ("1e3", {"output": "1e3"}),
        ('["a"]', {"output": '["a"]'}),
        ('{"a": 1}', {"a": 1}),
        ('{"error": "x"}', {"output": {"error": "x"}}),
    ],
)
def test_results_of_tools(content: str, response: dict[str, Any]) -> None:
    asked = {"role": "assistant", "content": None, "tool_calls": [call("c", "f")]}
    sent = body([*HELLO, asked, {"role": "tool", "tool_call_id": "c", "content": content}])
    assert sent["contents"][-1]["parts"][0]["functionResponse"]["response"] == response


@pytest.mark.parametrize(
    ("model", "signature"),
    [
        ("gemini-3-flash", "skip_thought_signature_validator"),
        ("gemini-2.5-pro", None),
        ("models/gemini-2.0-flash", None),
    ],
)
def test_a_call_that_another_model_made_is_said_to_be_foreign(model: str, signature: str | None) -> None:
    made = {"role": "assistant", "tool_calls": [call("a", "f"), call("b", "f")]}
    first, second = body([*HELLO, made], model=model)["contents"][1]["parts"]
    assert first.get("thoughtSignature") == signature
    assert "thoughtSignature" not in second


def test_functions_from_before_there_were_tools() -> None:
    sent = body(
        [
            *HELLO,
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a": 1}'}},
            {"role": "function", "name": "f", "content": "2"},
        ],
        functions=[{"name": "f"}],
        function_call="auto",
    )
    assert sent["contents"][1:] == [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
        user({"functionResponse": {"name": "f", "response": {"output": "2"}}}),
    ]
    assert sent["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}


def test_images_sounds_and_files() -> None:
    own = {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}}
    sent = body(
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                    {"type": "image_url", "image_url": {"url": "https://x.org/a.jpg?size=1"}},
                    {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                    {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PNG}", "filename": "a.pdf"}},
                    own,
                ],
            }
        ]
    )
    assert sent["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"fileData": {"fileUri": "https://x.org/a.jpg?size=1", "mimeType": "image/jpeg"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        {"inlineData": {"mimeType": "application/pdf", "data": PNG}},
        own,
    ]


def test_the_callers_request_is_left_as_it_was() -> None:
    messages = [*HELLO, {"role": "assistant", "tool_calls": [call("a", "f")]}, {"role": "user", "content": "x"}]
    params = {"tools": [WEATHER], "stop": "x", "generationConfig": {}, "toolConfig": {}, "temperature": 1}
    before = orjson.dumps([messages, params])
    body(messages, model="gemini-3-pro", **params)
    assert orjson.dumps([messages, params]) == before


def test_embedding_one_text() -> None:
    request = EmbeddingRequest("a", {"dimensions": 8, "encoding_format": "base64", "user": "u", "taskType": "T"})
    asked = Gemini().embed(request, model="gemini-embedding-001", key="k")
    assert asked.path == "/v1beta/models/gemini-embedding-001:embedContent"
    assert asked.headers["x-goog-api-key"] == "k"
    assert orjson.loads(asked.body) == {
        "model": "models/gemini-embedding-001",
        "content": {"parts": [{"text": "a"}]},
        "outputDimensionality": 8,
        "taskType": "T",
    }


def test_embedding_several_texts() -> None:
    asked = Gemini().embed(EmbeddingRequest(["a", "b"]), model="e", key=None)
    assert asked.path == "/v1beta/models/e:batchEmbedContents"
    assert [one["content"]["parts"][0]["text"] for one in orjson.loads(asked.body)["requests"]] == ["a", "b"]


@pytest.mark.parametrize("inputs", [[1, 2], [[1, 2], [3]], [], None])
def test_embedding_tokens_is_refused_by_name(inputs: Any) -> None:
    with pytest.raises(UnfitError, match=r"^input: "):
        Gemini().embed(EmbeddingRequest(inputs), model="e", key=None)
