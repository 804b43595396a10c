"""What is read in Gemini's replies: answers, streams, failures, embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from banditroute import errors
from banditroute.errors import BrokenReplyError, CutStreamError, OverloadedError, ProviderError
from banditroute.providers.gemini import Gemini
from banditroute.providers.protocol import WireReply
from banditroute.records import ChatRequest, Completion, Delta, Usage

WIRE = Path(__file__).parents[2] / "data" / "wire" / "gemini"
NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> WireReply:
    return WireReply(status, headers or {}, body if isinstance(body, bytes) else orjson.dumps(body))


def response(parts: list[Any] | None, finish: str = "STOP", **usage: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"finishReason": finish, "index": 0}
    if parts is not None:
        candidate["content"] = {"role": "model", "parts": parts}
    return {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 20, "totalTokenCount": 30, **usage},
        "modelVersion": "gemini-2.5-flash",
        "responseId": "r1",
    }


def read(body: Any) -> Completion:
    return Gemini().completion(reply(body), NOW)


def stream(name: str) -> tuple[list[Delta], Completion]:
    reader = Gemini().reader()
    deltas = reader.feed((WIRE / f"{name}.sse").read_bytes())
    assert reader.finished
    return deltas, reader.close()


def test_an_answer_in_openais_shape() -> None:
    answer = read(response([{"text": "Hel"}, {"text": "hm", "thought": True}, {"text": "lo"}]))
    assert (answer.text, answer.finish_reason, answer.refused) == ("Hello", "stop", False)
    assert answer.usage == Usage(10, 20)
    assert answer.body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "reasoning_content": "hm"},
            "finish_reason": "stop",
            "native_finish_reason": "STOP",
            "logprobs": None,
        }
    ]
    assert {name: answer.body[name] for name in ("id", "object", "created", "model")} == {
        "id": "r1",
        "object": "chat.completion",
        "created": int(NOW),
        "model": "gemini-2.5-flash",
    }


def test_cached_tokens_are_in_the_prompt_and_thoughts_are_billed_as_output() -> None:
    usage = {"cachedContentTokenCount": 4, "thoughtsTokenCount": 7, "toolUsePromptTokenCount": 3}
    assert read(response([{"text": "x"}], **usage)).usage == Usage(13, 27, 4, 0, 7)


def test_calls() -> None:
    parts = [
        {"functionCall": {"id": "given", "name": "f", "args": {"a": "é"}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "g"}},
        {"functionCall": {"name": "g"}},
    ]
    answer = read(response(parts))
    first, second, third = answer.tool_calls
    assert first == {
        "id": "given",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a":"é"}'},
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    assert second["function"] == {"name": "g", "arguments": "{}"}
    assert second["id"] != third["id"]
    assert answer.finish_reason == "tool_calls"
    assert read(response(parts)).tool_calls == answer.tool_calls


def test_ids_that_are_made_up_differ_between_replies() -> None:
    parts = [{"functionCall": {"name": "g"}}]
    one, other = read(response(parts)), read({**response(parts), "responseId": "r2"})
    assert one.tool_calls[0]["id"] != other.tool_calls[0]["id"]


def test_an_answer_said_back_is_what_gemini_had_said() -> None:
    """The message of a reply, sent in the next turn, becomes the parts that it came from, signatures and all."""
    _, answer = stream("function_call")
    request = ChatRequest(({"role": "user", "content": "?"}, answer.body["choices"][0]["message"]))
    sent = orjson.loads(Gemini().chat(request, model="gemini-3-pro", key=None, stream=False).body)["contents"][1]
    weather = {"location": "San Francisco, CA", "unit": "celsius"}
    assert sent["role"] == "model"
    assert sent["parts"][0] == {
        "functionCall": {"name": "get_weather", "args": weather, "id": "fc_8d1k"},
        "thoughtSignature": "CvQBAdHtim9sVGhvdWdodA==",
    }
    assert sent["parts"][1]["functionCall"]["name"] == "get_time"
    assert read(response(sent["parts"])).tool_calls == answer.tool_calls


@pytest.mark.parametrize(
    ("native", "reason", "refused"),
    [
        ("STOP", "stop", False),
        ("MAX_TOKENS", "length", False),
        ("SAFETY", "content_filter", True),
        ("RECITATION", "content_filter", True),
        ("BLOCKLIST", "content_filter", True),
        ("PROHIBITED_CONTENT", "content_filter", True),
        ("SPII", "content_filter", True),
        ("LANGUAGE", "content_filter", True),
        ("IMAGE_SAFETY", "content_filter", True),
        ("OTHER", "stop", False),
    ],
)
def test_why_it_ended(native: str, reason: str, refused: bool) -> None:
    answer = read(response([{"text": "x"}], native))
    assert (answer.finish_reason, answer.refused) == (reason, refused)
    assert answer.body["choices"][0]["native_finish_reason"] == native


@pytest.mark.parametrize("native", ["SAFETY", "MAX_TOKENS"])
def test_nothing_said_is_an_answer_where_the_reason_says_why(native: str) -> None:
    answer = read(response(None, native))
    assert (answer.text, answer.body["choices"][0]["message"]["content"]) == ("", None)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        {},
        {"candidates": []},
        {"candidates": ["x"]},
        response([], "STOP"),
        response([{"text": "only thought", "thought": True}], "STOP"),
        response([{"text": "x"}], "MALFORMED_FUNCTION_CALL"),
        response(None, "OTHER"),
    ],
)
def test_no_usable_answer_is_a_broken_reply(body: Any) -> None:
    with pytest.raises(BrokenReplyError):
        read(body)


def test_a_blocked_prompt_is_a_refusal() -> None:
    answer = read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 7}})
    assert (answer.refused, answer.finish_reason, answer.text) == (True, "content_filter", "")
    assert answer.usage == Usage(7, 0)
    assert "SAFETY" in answer.body["choices"][0]["message"]["refusal"]


def test_several_answers() -> None:
    body = response([{"text": "a"}])
    body["candidates"].append({"content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS", "index": 1})
    answer = read(body)
    assert answer.text == "a"
    said = [(choice["message"]["content"], choice["finish_reason"]) for choice in answer.body["choices"]]
    assert said == [("a", "stop"), ("b", "length")]


def test_a_stream_of_text() -> None:
    deltas, answer = stream("text")
    assert [delta.text for delta in deltas if delta.content] == ["Grüß", " Gott, 世界", "! 🙂\n"]
    assert deltas[0].chunk["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert not deltas[0].content
    assert deltas[-2].finish_reason == "stop"
    assert deltas[-1].chunk["choices"] == []
    assert deltas[-1].chunk["usage"]["total_tokens"] == 18
    assert {delta.chunk["id"] for delta in deltas} == {answer.body["id"]} == {"mLpYaIzLC8W6sfIP4b6h6AQ"}
    assert answer.usage == Usage(9, 9)


def test_a_stream_of_calls() -> None:
    deltas, answer = stream("function_call")
    calls = [call for delta in deltas for call in delta.tool_calls]
    assert [call["index"] for call in calls] == [0, 1]
    assert [call["function"]["name"] for call in answer.tool_calls] == ["get_weather", "get_time"]
    assert calls[0]["extra_content"]["google"]["thought_signature"].startswith("CvQB")
    assert answer.finish_reason == "tool_calls"
    assert answer.usage == Usage(81, 96, reasoning_tokens=55)


def test_a_stream_of_thoughts() -> None:
    deltas, answer = stream("thoughts")
    assert "".join(delta.reasoning for delta in deltas) == "**Weighing it up**\n\nThe key is symmetry.\n"
    assert answer.text == "Both doors are equal."
    assert answer.usage == Usage(2000, 68, 1500, 0, 61)


@pytest.mark.parametrize(("name", "text"), [("blocked", ""), ("safety", "First,")])
def test_a_stream_that_refuses(name: str, text: str) -> None:
    deltas, answer = stream(name)
    assert (answer.refused, answer.finish_reason, answer.text) == (True, "content_filter", text)
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["content_filter"]


def test_an_error_in_a_stream_comes_behind_what_came_before_it() -> None:
    reader = Gemini().reader()
    deltas = reader.feed((WIRE / "error.sse").read_bytes())
    assert "".join(delta.text for delta in deltas) == "Once upon"
    with pytest.raises(OverloadedError) as failed:
        reader.close()
    assert (failed.value.status, failed.value.code) == (503, "UNAVAILABLE")
    assert reader.partial().text == "Once upon"


def test_an_error_that_comes_as_plain_json_instead_of_an_event() -> None:
    reader = Gemini().reader()
    assert reader.feed(orjson.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})) == []
    with pytest.raises(errors.RateLimitedError):
        reader.close()


def test_a_stream_without_its_end() -> None:
    reader = Gemini().reader()
    reader.feed(b"".join((WIRE / "text.sse").read_bytes().splitlines(keepends=True)[:4]))
    assert not reader.finished
    with pytest.raises(CutStreamError):
        reader.close()
    partial = reader.partial()
    assert (partial.text, partial.finish_reason, partial.usage) == ("Grüß Gott, 世界", None, Usage(9, 5))


def test_a_stream_whose_usage_comes_last() -> None:
    def event(body: dict[str, Any]) -> bytes:
        return b"data: " + orjson.dumps(body) + b"\r\n\r\n"

    body = response([{"text": "x"}])
    usage = {"usageMetadata": body.pop("usageMetadata")}
    reader = Gemini().reader()
    assert [delta.finish_reason for delta in reader.feed(event(body))] == [None, None, "stop"]
    assert not reader.finished
    assert reader.close().usage is None
    assert [delta.chunk["usage"]["total_tokens"] for delta in reader.feed(event(usage))] == [30]
    assert reader.finished
    assert reader.close().usage == Usage(10, 20)


def test_a_stream_of_several_answers() -> None:
    body = response([{"text": "a"}])
    body["candidates"].append({"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP", "index": 1})
    reader = Gemini().reader()
    deltas = reader.feed(b"data: " + orjson.dumps(body) + b"\n\n")
    assert "".join(delta.text for delta in deltas) == "a"
    others = [choice for delta in deltas for choice in delta.chunk["choices"] if choice["index"] == 1]
    assert others[1]["delta"] == {"content": "b"}
    assert len(reader.close().body["choices"]) == 2


QUOTA = "type.googleapis.com/google.rpc.QuotaFailure"
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY = "type.googleapis.com/google.rpc.RetryInfo"


def error(code: int, status: str, message: str = "words", details: list[Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details or []}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), errors.RejectedError),
        (
            error(
                400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."
            ),
            errors.ContextOverflowError,
        ),
        (
            error(400, "INVALID_ARGUMENT", "API key expired.", [{"@type": INFO, "reason": "API_KEY_INVALID"}]),
            errors.KeyRefusedError,
        ),
        (error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), errors.KeyRefusedError),
        (error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), errors.KeyRefusedError),
        (error(400, "FAILED_PRECONDITION", "Precondition check failed."), errors.UnfitError),
        (error(400, "INVALID_ARGUMENT", 'Unknown name "foo": Cannot find field.'), errors.UnfitError),
        (error(400, "FAILED_PRECONDITION", "Please enable billing on your project."), errors.KeyRefusedError),
        (error(400, "INVALID_ARGUMENT", "Function calling is not enabled for models/gemma"), errors.UnfitError),
        (error(400, "INVALID_ARGUMENT", "Thinking level MEDIUM is not supported for this model."), errors.UnfitError),
        (error(401, "UNAUTHENTICATED"), errors.KeyRefusedError),
        (error(403, "PERMISSION_DENIED"), errors.KeyRefusedError),
        (error(404, "NOT_FOUND", "models/x is not found"), errors.UnfitError),
        (error(429, "RESOURCE_EXHAUSTED"), errors.RateLimitedError),
        (error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), errors.QuotaSpentError),
        (error(500, "INTERNAL"), errors.ServerFailedError),
        (error(503, "UNAVAILABLE"), errors.OverloadedError),
        (error(504, "DEADLINE_EXCEEDED"), errors.ServerFailedError),
    ],
)
def test_failures(body: dict[str, Any], kind: type[ProviderError]) -> None:
    said = body["error"]
    failure = Gemini().failure(reply(body, said["code"]), NOW)
    assert type(failure) is kind
    assert (failure.status, failure.code, failure.problem) == (said["code"], said["status"], said["message"])
    with pytest.raises(kind):
        read(body)  # the same inside a 200
    in_a_list = Gemini().failure(reply([body], said["code"]), NOW)
    assert type(in_a_list) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "problem"),
    [
        (502, b"<html>Bad gateway</html>", errors.ServerFailedError, "Bad Gateway"),
        (429, b"", errors.RateLimitedError, "Too Many Requests"),
        (503, b"upstream connect error", errors.OverloadedError, "upstream connect error"),
        (413, b"", errors.ContextOverflowError, "Request Entity Too Large"),
        (418, b"[]", errors.RejectedError, "I'm a Teapot"),
        (599, b"null", errors.ServerFailedError, "no reason given"),
    ],
)
def test_failures_that_are_not_geminis(status: int, body: bytes, kind: type[ProviderError], problem: str) -> None:
    failure = Gemini().failure(reply(body, status), NOW)
    assert type(failure) is kind
    assert failure.problem in (problem, "Content Too Large")


def daily(quota: str) -> dict[str, Any]:
    return {"@type": QUOTA, "violations": [{"quotaMetric": "m", "quotaId": quota}]}


TO_MIDNIGHT_PACIFIC_S = 9 * 3600 + 46 * 60 + 40  # 22:13:20 to 8:00 UTC


@pytest.mark.parametrize(
    ("details", "headers", "wait_s"),
    [
        ([{"@type": RETRY, "retryDelay": "17s"}], {}, 17.0),
        ([{"@type": RETRY, "retryDelay": "21599.5s"}], {}, 21599.5),
        ([{"@type": RETRY, "retryDelay": "17s"}], {"retry-after": "30"}, 30.0),
        ([{"@type": RETRY, "retryDelay": "17s"}], {"retry-after": "3"}, 17.0),
        ([{"@type": RETRY, "retryDelay": "soon"}], {}, None),
        ([daily("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")], {}, None),
        (
            [daily("GenerateRequestsPerDayPerProjectPerModel"), {"@type": RETRY, "retryDelay": "17s"}],
            {},
            TO_MIDNIGHT_PACIFIC_S,
        ),
        (["nonsense"], {}, None),
    ],
)
def test_how_long_to_wait(details: list[Any], headers: dict[str, str], wait_s: float | None) -> None:
    failure = Gemini().failure(reply(error(429, "RESOURCE_EXHAUSTED", details=details), 429, headers), NOW)
    assert isinstance(failure, errors.RateLimitedError)
    assert failure.retry_after_s == wait_s


def test_embeddings() -> None:
    one = Gemini().embeddings(reply({"embedding": {"values": [0.5, -1]}}), NOW)
    assert one.body["data"] == [{"object": "embedding", "index": 0, "embedding": [0.5, -1]}]
    assert one.usage is None
    assert "usage" not in one.body
    body = {"embeddings": [{"values": [1]}, {"values": [2]}], "usageMetadata": {"promptTokenCount": 6}}
    several = Gemini().embeddings(reply(body), NOW)
    assert [row["embedding"] for row in several.body["data"]] == [[1], [2]]
    assert several.usage == Usage(6, 0)
    assert several.body["usage"] == {"prompt_tokens": 6, "total_tokens": 6}


@pytest.mark.parametrize("body", [b"x", {}, {"embeddings": []}, {"embedding": {"values": []}}, {"embedding": 7}])
def test_no_embeddings_is_a_broken_reply(body: Any) -> None:
    with pytest.raises(BrokenReplyError):
        Gemini().embeddings(reply(body), NOW)


def test_a_failure_to_embed() -> None:
    with pytest.raises(errors.RateLimitedError):
        Gemini().embeddings(reply(error(429, "RESOURCE_EXHAUSTED"), 429), NOW)


def test_headers_say_nothing_of_rate_limits() -> None:
    assert Gemini().rate_limits({"x-ratelimit-remaining-requests": "1"}, NOW) is None
