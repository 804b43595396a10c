"""What is read in Anthropic's replies: answers, streams, failures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute import errors
from banditroute.errors import BrokenReplyError, CutStreamError, OverloadedError, ProviderError
from banditroute.providers.anthropic import Anthropic
from banditroute.providers.protocol import WireReply
from banditroute.records import ChatRequest, Completion, Delta, Usage

WIRE = Path(__file__).parents[2] / "data" / "wire" / "anthropic"
NOW = 1_700_000_000.0


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> WireReply:
    return WireReply(status, headers or {}, body if isinstance(body, bytes) else orjson.dumps(body))


def message(content: list[Any], stop_reason: str = "end_turn", **usage: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 20, **usage},
    }


def read(body: Any) -> Completion:
    return Anthropic().completion(reply(body), NOW)


def stream(name: str) -> tuple[list[Delta], Completion]:
    reader = Anthropic().reader()
    deltas = reader.feed((WIRE / f"{name}.sse").read_bytes())
    return deltas, reader.close()


def test_an_answer_in_openais_shape() -> None:
    answer = read(message([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo", "citations": None}]))
    assert answer.text == "Hello"
    assert (answer.finish_reason, answer.refused, answer.tool_calls) == ("stop", False, ())
    assert answer.body == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": int(NOW),
        "model": "claude-sonnet-4-5-20250929",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
                "native_finish_reason": "end_turn",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 20,
            "total_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_cached_tokens_are_part_of_the_prompt() -> None:
    usage = {
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 1000,
        "output_tokens_details": {"thinking_tokens": 15},
    }
    assert read(message([], **usage)).usage == Usage(1110, 20, 1000, 100, 15)


def test_calls_and_thinking() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "é"}}
    answer = read(message([thinking, call], "tool_use"))
    wanted = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a":"é"}'}}
    assert answer.tool_calls == (wanted,)
    assert answer.body["choices"][0]["message"] == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hm",
        "tool_calls": [wanted],
        "thinking_blocks": [thinking],
    }


def said_back(answer: Completion) -> list[Any]:
    request = ChatRequest(({"role": "user", "content": "?"}, answer.body["choices"][0]["message"]))
    sent = orjson.loads(Anthropic().chat(request, model="m", key=None, stream=False).body)
    return sent["messages"][1]["content"]


@pytest.mark.parametrize("name", ["text", "tool_use", "thinking"])
def test_an_answer_said_back_is_what_anthropic_had_said(name: str) -> None:
    """The message of a reply, sent in the next turn, becomes the blocks that it came from, signatures and all."""
    _, answer = stream(name)
    blocks = said_back(answer)
    again = read(message(blocks))
    assert said_back(again) == blocks
    assert again.text == answer.text
    assert [block["type"] for block in blocks] == {
        "text": ["text"],
        "tool_use": ["text", "tool_use", "tool_use"],
        "thinking": ["thinking", "redacted_thinking", "text"],
    }[name]


@pytest.mark.parametrize(
    ("native", "reason", "refused"),
    [
        ("end_turn", "stop", False),
        ("stop_sequence", "stop", False),
        ("pause_turn", "stop", False),
        ("max_tokens", "length", False),
        ("model_context_window_exceeded", "length", False),
        ("tool_use", "tool_calls", False),
        ("refusal", "content_filter", True),
        ("something_new", "stop", False),
    ],
)
def test_why_it_ended(native: str, reason: str, refused: bool) -> None:
    answer = read(message([{"type": "text", "text": "x"}], native))
    assert (answer.finish_reason, answer.refused) == (reason, refused)
    assert answer.body["choices"][0]["native_finish_reason"] == native


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"content": "text"}', b"\xff\xfe"])
def test_garbage_is_a_broken_reply(body: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        read(body)


def test_an_error_inside_a_200() -> None:
    with pytest.raises(OverloadedError, match="Overloaded"):
        read({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def test_a_stream_of_text() -> None:
    deltas, answer = stream("text")
    assert [delta.text for delta in deltas if delta.content] == ["Grüß", " Gott", ", 世界! 🙂"]
    assert deltas[0].chunk["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert not deltas[0].content
    assert deltas[-2].finish_reason == "stop"
    assert deltas[-1].chunk["choices"] == []
    assert deltas[-1].chunk["usage"]["total_tokens"] == 40
    assert {delta.chunk["object"] for delta in deltas} == {"chat.completion.chunk"}
    assert {delta.chunk["id"] for delta in deltas} == {answer.body["id"]} == {"msg_01XFDUDYJgAACzvnptvVoYEL"}
    assert answer.text == "Grüß Gott, 世界! 🙂"
    assert answer.usage == Usage(25, 15)


def test_a_stream_of_calls() -> None:
    deltas, answer = stream("tool_use")
    fragments = [call for delta in deltas for call in delta.tool_calls]
    assert fragments[0] == {
        "index": 0,
        "id": "toolu_01T1x1fJ34qAmk2tNTrN7Up6",
        "type": "function",
        "function": {"name": "get_weather", "arguments": ""},
    }
    assert fragments[1] == {"index": 0, "function": {"arguments": '{"location":'}}
    assert fragments[-2]["index"] == fragments[-1]["index"] == 1
    assert fragments[-1]["function"]["arguments"] == "{}"  # a call without arguments still has to be JSON
    assert [orjson.loads(call["function"]["arguments"]) for call in answer.tool_calls] == [
        {"location": "San Francisco, CA", "unit": "fahrenheit"},
        {},
    ]
    assert answer.finish_reason == deltas[-2].finish_reason == "tool_calls"


def test_a_stream_of_thoughts() -> None:
    deltas, answer = stream("thinking")
    assert "".join(delta.reasoning for delta in deltas).endswith("147")
    assert answer.usage == Usage(12 + 1024 + 4096, 240, 4096, 1024, 200)
    pieces = [choice["delta"] for delta in deltas for choice in delta.chunk["choices"]]
    blocks = [block for piece in pieces for block in piece.get("thinking_blocks", ())]
    assert blocks == answer.body["choices"][0]["message"]["thinking_blocks"]
    assert blocks[0]["signature"].startswith("EqQB")
    assert blocks[1] == {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}


def test_a_stream_that_refuses() -> None:
    _, answer = stream("refusal")
    assert (answer.finish_reason, answer.refused, answer.text) == ("content_filter", True, "Hello..")


def test_an_error_in_a_stream_comes_behind_what_came_before_it() -> None:
    reader = Anthropic().reader()
    deltas = reader.feed((WIRE / "error.sse").read_bytes())
    assert "".join(delta.text for delta in deltas) == "Once upon a time"
    assert reader.finished
    with pytest.raises(OverloadedError) as failed:
        reader.close()
    assert failed.value.code == "overloaded_error"
    with pytest.raises(OverloadedError):
        reader.feed(b"")
    assert reader.partial().text == "Once upon a time"


def test_a_stream_without_its_end() -> None:
    reader = Anthropic().reader()
    data = (WIRE / "text.sse").read_bytes()
    reader.feed(data[: data.index(b"event: message_delta")])
    assert not reader.finished
    with pytest.raises(CutStreamError):
        reader.close()
    partial = reader.partial()
    assert (partial.text, partial.finish_reason, partial.usage) == ("Grüß Gott, 世界! 🙂", None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"data: nonsense\n\n",
        b"data: []\n\n",
        b'data: {"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": "x"}}\n\n',
        b'data: {"type": "content_block_start", "content_block": {"type": "text"}}\n\n',
    ],
)
def test_a_stream_that_is_not_anthropics(data: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        Anthropic().reader().feed(data)


def test_later_usage_replaces_earlier_and_nulls_do_not() -> None:
    reader = Anthropic().reader()
    for event in (
        {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 7, "input_tokens": None}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ):
        reader.feed(b"data: " + orjson.dumps(event) + b"\n\n")
    assert reader.close().usage == Usage(5, 9)


BAD = "invalid_request_error"


@pytest.mark.parametrize(
    ("status", "kind", "words", "error"),
    [
        (400, BAD, "prompt is too long: 208310 tokens > 200000 maximum", errors.ContextOverflowError),
        (400, BAD, "input length and `max_tokens` exceed context limit: 9 + 9 > 10", errors.ContextOverflowError),
        (400, BAD, "Your credit balance is too low to access the Anthropic API.", errors.QuotaSpentError),
        (400, BAD, "You have reached your specified API usage limits.", errors.QuotaSpentError),
        (400, BAD, "This organization has been disabled.", errors.KeyRefusedError),
        (400, BAD, "This model does not support the effort parameter.", errors.UnfitError),
        (400, BAD, "max_tokens: 9 > 8, which is the maximum allowed number of output tokens", errors.UnfitError),
        (400, BAD, "foo: Extra inputs are not permitted", errors.UnfitError),
        (400, BAD, "Output blocked by content filtering policy", errors.UnfitError),
        (400, BAD, "messages: roles must alternate", errors.RejectedError),
        (422, BAD, "messages: field required", errors.RejectedError),
        (401, "authentication_error", "invalid x-api-key", errors.KeyRefusedError),
        (402, "billing_error", "no money", errors.QuotaSpentError),
        (403, "permission_error", "not yours", errors.KeyRefusedError),
        (404, "not_found_error", "model: claude-9", errors.UnfitError),
        (413, "request_too_large", "Request exceeds the maximum size", errors.ContextOverflowError),
        (429, "rate_limit_error", "Number of request tokens has exceeded", errors.RateLimitedError),
        (500, "api_error", "Internal server error", errors.ServerFailedError),
        (504, "timeout_error", "timed out", errors.ServerFailedError),
        (503, "", "", errors.OverloadedError),
        (529, "overloaded_error", "Overloaded", errors.OverloadedError),
        (502, "", "", errors.ServerFailedError),
        (418, "", "", errors.RejectedError),
        (429, "", "", errors.RateLimitedError),
    ],
)
def test_failures(status: int, kind: str, words: str, error: type[ProviderError]) -> None:
    body = {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"} if kind else b"<html>"
    failure = Anthropic().failure(reply(body, status), NOW)
    assert type(failure) is error
    assert failure.status == status
    assert failure.code == (kind or None)
    assert words in failure.problem
    with pytest.raises(error):
        Anthropic().completion(reply(body, status), NOW)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "17"}, 17.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after-ms": "2500"}, 2.5),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    failure = Anthropic().failure(reply(b"", 429, {**headers, "x-should-retry": "true"}), NOW)
    assert failure.retry_after_s == wait_s
    assert failure.retry is True


def test_rate_limits() -> None:
    limits = Anthropic().rate_limits(
        {
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2023-11-14T22:14:20Z",
        },
        NOW,
    )
    assert limits is not None
    assert (limits.remaining_requests, limits.reset_requests_at) == (49, NOW + 60)
