from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from banditroute.errors import (
    BrokenReplyError,
    CutStreamError,
    InvalidRequestError,
    OverloadedError,
    ProviderError,
    RateLimitedError,
    ServerFailedError,
)
from banditroute.providers.openai import OpenAI
from banditroute.providers.protocol import StreamReader, WireReply
from banditroute.providers.ratelimits import RateLimits
from banditroute.records import ChatRequest, Completion, Delta, EmbeddingRequest, Usage

BODIES = Path(__file__).parents[2] / "data" / "wire" / "openai" / "client_bodies.jsonl"
OPENAI = OpenAI()
HELLO = ChatRequest(({"role": "user", "content": "Hello"},))


def sent(request: ChatRequest = HELLO, provider: OpenAI = OPENAI, *, stream: bool = False) -> dict[str, Any]:
    return orjson.loads(provider.chat(request, model="up", key="k", stream=stream).body)


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> WireReply:
    return WireReply(status, headers or {}, body if isinstance(body, bytes) else orjson.dumps(body))


def answer(**fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hi"} | fields.pop("message", {})
    choice = {"index": 0, "message": message, "finish_reason": fields.pop("finish_reason", "stop")}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]} | fields


def read(body: Any, headers: Mapping[str, str] | None = None) -> Completion:
    return OPENAI.completion(reply(body, headers=headers), 0.0)


class TestAsking:
    def test_where_and_with_what_key(self) -> None:
        call = OPENAI.chat(HELLO, model="up", key="secret", stream=False)
        assert call.path == "/chat/completions"
        assert dict(call.headers) == {"Content-Type": "application/json", "Authorization": "Bearer secret"}

    def test_no_key_sends_none(self) -> None:
        assert dict(OPENAI.chat(HELLO, model="up", key=None, stream=False).headers) == {
            "Content-Type": "application/json"
        }

    def test_azure_has_a_header_of_its_own(self) -> None:
        headers = OpenAI(key_header="api-key").chat(HELLO, model="up", key="secret", stream=False).headers
        assert headers["api-key"] == "secret"
        assert "Authorization" not in headers

    def test_the_upstream_model_is_asked_whatever_the_params_say(self) -> None:
        assert sent(ChatRequest(HELLO.messages, {"model": "other"}))["model"] == "up"

    def test_a_stream_is_asked_for_usage(self) -> None:
        assert sent(stream=True) == {
            "model": "up",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def test_the_callers_stream_options_stay(self) -> None:
        request = ChatRequest(
            HELLO.messages, {"stream_options": {"include_usage": False, "include_obfuscation": False}}
        )
        assert sent(request, stream=True)["stream_options"] == {"include_usage": True, "include_obfuscation": False}
        assert sent(request, OpenAI(ask_usage=False), stream=True)["stream_options"]["include_usage"] is False

    def test_servers_that_refuse_the_question_are_not_asked(self) -> None:
        assert "stream_options" not in sent(provider=OpenAI(ask_usage=False), stream=True)

    def test_a_whole_reply_is_asked_without_stream_options(self) -> None:
        request = ChatRequest(HELLO.messages, {"stream": True, "stream_options": {"include_usage": True}})
        assert sent(request).keys() == {"model", "messages"}

    @pytest.mark.parametrize(
        ("field", "given", "expected"),
        [
            ("as_given", {"max_tokens": 5}, {"max_tokens": 5}),
            ("as_given", {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
            ("max_completion_tokens", {"max_tokens": 5}, {"max_completion_tokens": 5}),
            ("max_tokens", {"max_completion_tokens": 5}, {"max_tokens": 5}),
            ("max_tokens", {"max_completion_tokens": 5, "max_tokens": 4}, {"max_tokens": 4}),
            ("max_tokens", {}, {}),
        ],
    )
    def test_the_limit_is_named_as_the_server_knows_it(
        self, field: Any, given: dict[str, int], expected: dict[str, int]
    ) -> None:
        body = sent(ChatRequest(HELLO.messages, given), OpenAI(token_limit_field=field))
        assert {name: value for name, value in body.items() if name.startswith("max")} == expected

    def test_read_only_mappings_are_written_and_nothing_is_changed(self) -> None:
        params = MappingProxyType({"metadata": MappingProxyType({"a": "b"}), "max_tokens": 1})
        request = ChatRequest((MappingProxyType({"role": "user", "content": "x"}),), params)
        body = sent(request, OpenAI(token_limit_field="max_completion_tokens"), stream=True)
        assert body["metadata"] == {"a": "b"}
        assert dict(params) == {"metadata": {"a": "b"}, "max_tokens": 1}

    @pytest.mark.parametrize("value", [{1, 2}, b"x", "\ud800", 2**70, {1: 2}])
    def test_what_is_not_json_is_told(self, value: object) -> None:
        with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
            sent(ChatRequest(HELLO.messages, {"extra": value}))


RECORDED = [orjson.loads(line) for line in BODIES.read_bytes().splitlines()]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["case"])
def test_what_the_official_client_sends_goes_out_untouched(recorded: dict[str, Any]) -> None:
    body = recorded["body"]
    if recorded["path"].endswith("/embeddings"):
        params = {name: value for name, value in body.items() if name not in ("model", "input")}
        call = OPENAI.embed(EmbeddingRequest(body["input"], params), model="up", key=None)
        assert recorded["path"] == f"/v1{call.path}"
        assert orjson.loads(call.body) == body | {"model": "up"}
        return
    params = {name: value for name, value in body.items() if name not in ("model", "messages", "stream")}
    request = ChatRequest(tuple(body["messages"]), params)
    call = OPENAI.chat(request, model="up", key=None, stream=body.get("stream", False))
    forwarded = orjson.loads(call.body)
    assert recorded["path"] == f"/v1{call.path}"
    assert forwarded["messages"] == body["messages"]
    ours = {"model", "stream", "stream_options"}
    assert {k: v for k, v in forwarded.items() if k not in ours} == {k: v for k, v in body.items() if k not in ours}
    assert forwarded.get("stream", False) == body.get("stream", False)


def test_the_recordings_cover_what_callers_send() -> None:
    fields = {field for recorded in RECORDED for field in recorded["body"]}
    assert fields >= {"stream_options", "tools", "response_format", "reasoning_effort", "encoding_format", "top_k", "n"}


class TestAnswers:
    def test_a_whole_answer(self) -> None:
        body = answer(usage={"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})
        assert read(body) == Completion(body, "Hi", Usage(5, 2), "stop")

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (None, ""),
            ("", ""),
            (
                [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": []}, {"type": "text", "text": "b"}],
                "ab",
            ),
            ([None, 3, {}], ""),
        ],
    )
    def test_content_may_be_nothing_or_parts(self, content: Any, text: str) -> None:
        assert read(answer(message={"content": content})).text == text

    @pytest.mark.parametrize("calls", [None, [], 7, "f", [7]])
    def test_odd_tool_calls_are_none(self, calls: Any) -> None:
        assert read(answer(message={"tool_calls": calls})).tool_calls == ()

    def test_tool_calls_are_kept(self) -> None:
        call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        completion = read(answer(message={"content": None, "tool_calls": [call]}, finish_reason="tool_calls"))
        assert completion.tool_calls == (call,)
        assert completion.text == ""

    @pytest.mark.parametrize(
        ("fields", "refused"),
        [
            ({"message": {"refusal": "No.", "content": None}}, True),
            ({"finish_reason": "content_filter"}, True),
            ({"message": {"refusal": None}}, False),
        ],
    )
    def test_refusals(self, fields: dict[str, Any], refused: bool) -> None:
        assert read(answer(**fields)).refused is refused

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b"\xff",
            b"[]",
            b"null",
            {},
            answer(choices=None),
            answer(choices=[]),
            answer(choices={}),
            answer(choices=[None]),
            answer(choices=[{"index": 0}]),
            answer(choices=[{"message": "Hi"}]),
            answer(message={"content": 7}),
        ],
    )
    def test_garbage_is_a_broken_reply(self, body: Any) -> None:
        with pytest.raises(BrokenReplyError):
            read(body)

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            ({"error": {"code": 502, "message": "down"}}, ServerFailedError, 502),
            ({"error": {"code": 429, "message": "slow"}}, RateLimitedError, 429),
            ({"error": {"code": "503", "message": "busy"}}, OverloadedError, 503),
            ({"error": {"type": "overloaded_error", "message": "busy"}}, OverloadedError, 529),
            ({"error": "it broke"}, ServerFailedError, 500),
            ({"object": "error", "message": "it broke", "code": 500}, ServerFailedError, 500),
            (answer(choices=[{"error": {"code": 502, "message": "down"}, "message": {}}]), ServerFailedError, 502),
            (answer(finish_reason="error"), ServerFailedError, 500),
        ],
    )
    def test_errors_inside_a_200_are_errors(self, body: Any, kind: type[ProviderError], status: int) -> None:
        with pytest.raises(kind) as caught:
            read(body, {"retry-after": "2"})
        assert caught.value.status == status
        assert caught.value.retry_after_s == 2.0

    def test_an_error_of_null_is_none(self) -> None:
        assert read(answer(error=None)).text == "Hi"

    def test_a_failed_status_is_a_failure(self) -> None:
        with pytest.raises(RateLimitedError):
            OPENAI.completion(reply({"error": {"message": "slow"}}, 429), 0.0)

    @pytest.mark.parametrize(
        ("headers", "cached"),
        [({"X-OpenRouter-Cache-Status": "HIT"}, True), ({"X-Cache": "miss"}, False), ({}, False)],
    )
    def test_cached_replies_are_marked(self, headers: dict[str, str], cached: bool) -> None:
        assert read(answer(), CIMultiDictProxy(CIMultiDict(headers))).from_cache is cached


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ("many", None),
        ({}, None),
        ({"prompt_tokens": 5}, None),
        ({"prompt_tokens": -5, "completion_tokens": 2}, None),
        ({"prompt_tokens": 5, "completion_tokens": -2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": "5", "completion_tokens": 2}, None),
        ({"prompt_tokens": 5.0, "completion_tokens": 2.0}, Usage(5, 2)),
        ({"prompt_tokens": 5.5, "completion_tokens": 2}, None),
        ({"prompt_tokens": 5, "total_tokens": 7}, Usage(5, 2)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": None}, Usage(5, 2)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": [1]}, Usage(5, 2)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": None}}, Usage(5, 2)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": -1}}, Usage(5, 2)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}}, Usage(5, 2, 5)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}, Usage(5, 2, 4)),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}},
            Usage(5, 2, reasoning_tokens=1),
        ),
        (  # xAI: reasoning is in the total only
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            Usage(32, 103, reasoning_tokens=94),
        ),
    ],
)
def test_usage_is_read_or_not_known(usage: Any, expected: Usage | None) -> None:
    assert read(answer(usage=usage)).usage == expected


@pytest.mark.parametrize(
    ("cost", "cost_usd"), [(0.25, 0.25), (0, 0.0), (-1, None), ("0.25", None), (None, None), ({"total": 1}, None)]
)
def test_dollars_are_read_or_not_known(cost: Any, cost_usd: float | None) -> None:
    assert read(answer(usage={"cost": cost})).cost_usd == cost_usd


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + (e if isinstance(e, bytes) else orjson.dumps(e)) + b"\n\n" for e in events)


def chunk(delta: Any = None, finish_reason: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "s1", "created": 3, "model": "m", "choices": [choice]} | fields


def reader(*events: Any) -> tuple[StreamReader, list[Delta]]:
    stream = OPENAI.reader()
    return stream, stream.feed(sse(*events))


class TestStreams:
    def test_a_role_is_not_content_and_usage_is_handed_on(self) -> None:
        usage = {"id": "s1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        stream, deltas = reader(chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), usage)
        assert [delta.content for delta in deltas] == [False, True, False]
        assert deltas[-1].chunk == usage
        assert not stream.finished

    def test_done_ends_it_and_what_follows_is_ignored(self) -> None:
        stream, deltas = reader(chunk({"content": "Hi"}, "stop"), b"[DONE]", chunk({"content": "more"}))
        assert stream.finished
        assert len(deltas) == 1
        assert stream.feed(sse(chunk({"content": "more"}))) == []
        assert stream.close().text == "Hi"

    def test_a_server_that_leaves_out_done_has_still_ended(self) -> None:
        stream, _ = reader(chunk({"content": "Hi"}), chunk({}, "stop"))
        assert not stream.finished
        assert stream.close().finish_reason == "stop"

    def test_one_that_stops_before_is_cut(self) -> None:
        stream, _ = reader(chunk({"content": "Hi"}))
        with pytest.raises(CutStreamError):
            stream.close()
        assert stream.partial().text == "Hi"
        assert stream.partial().usage is None

    @pytest.mark.parametrize("events", [(), (b"[DONE]",), ({"choices": []}, b"[DONE]")])
    def test_a_stream_without_an_answer_is_broken_or_cut(self, events: tuple[Any, ...]) -> None:
        stream, _ = reader(*events)
        with pytest.raises(BrokenReplyError if events else CutStreamError):
            stream.close()

    @pytest.mark.parametrize(
        "event", [b"{", b"[]", b"7", {"choices": 7}, {"choices": [7]}, chunk({"content": 7}), b"\xff"]
    )
    def test_garbage_is_a_broken_reply(self, event: Any) -> None:
        with pytest.raises(BrokenReplyError):
            reader(event)

    @pytest.mark.parametrize("delta", [None, [], "x", {}, {"content": None, "tool_calls": None}, {"tool_calls": "x"}])
    def test_odd_deltas_are_empty(self, delta: Any) -> None:
        stream, deltas = reader(chunk(delta), chunk({"content": "Hi"}, "stop"), b"[DONE]")
        assert not deltas[0].content
        assert stream.close().text == "Hi"

    @pytest.mark.parametrize(
        "event",
        [
            {"error": {"code": 503, "message": "busy"}},
            {"object": "error", "message": "busy", "code": 503},
            chunk({"content": ""}, "error", error={"code": 503, "message": "busy"}),
            {"choices": [{"index": 0, "delta": {}, "error": {"code": 503, "message": "busy"}}]},
        ],
    )
    def test_an_error_is_raised_once_the_pieces_before_it_are_out(self, event: Any) -> None:
        stream, deltas = reader(chunk({"content": "Hi"}), event)
        assert [delta.text for delta in deltas] == ["Hi"]
        assert stream.finished
        with pytest.raises(OverloadedError, match="busy"):
            stream.feed(b"")
        with pytest.raises(OverloadedError, match="busy"):
            stream.close()
        assert stream.partial().text == "Hi"

    def test_an_error_alone_is_raised_at_once(self) -> None:
        with pytest.raises(ServerFailedError, match="it broke"):
            reader({"error": "it broke"})

    def test_an_event_named_error_is_one(self) -> None:
        with pytest.raises(ServerFailedError, match="it broke"):
            OPENAI.reader().feed(b'event: error\ndata: {"message": "it broke"}\n\n')

    def test_an_error_that_is_no_event_is_found_at_the_end(self) -> None:
        stream = OPENAI.reader()
        assert stream.feed(b'{"error": {"code": 429, "message": "slow down"}}') == []
        with pytest.raises(RateLimitedError, match="slow down"):
            stream.close()

    def test_an_answer_that_is_no_stream_is_broken(self) -> None:
        stream = OPENAI.reader()
        stream.feed(orjson.dumps(answer()))
        with pytest.raises(BrokenReplyError, match="not a stream"):
            stream.close()

    def test_several_answers_are_kept_apart(self) -> None:
        stream, deltas = reader(
            chunk({"content": "a"}),
            chunk({"content": "b"}, index=1),
            chunk({}, "stop"),
            chunk({}, "length", index=1),
            b"[DONE]",
        )
        assert [delta.text for delta in deltas] == ["a", "", "", ""]
        completion = stream.close()
        assert completion.text == "a"
        assert [choice["message"]["content"] for choice in completion.body["choices"]] == ["a", "b"]
        assert [choice["finish_reason"] for choice in completion.body["choices"]] == ["stop", "length"]

    def test_the_body_is_that_of_a_whole_answer(self) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        logprob = {"token": "Hi", "logprob": -0.1}
        stream, _ = reader(
            {**chunk({"role": "assistant", "content": "Hi"}), "system_fingerprint": "fp"} | {"service_tier": "flex"},
            {"id": "s1", "choices": [{"delta": {"annotations": [1]}, "logprobs": {"content": [logprob]}}]},
            chunk({"annotations": [2], "refusal": None}, "stop", usage=usage),
            b"[DONE]",
        )
        assert stream.close().body == {
            "id": "s1",
            "object": "chat.completion",
            "created": 3,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hi", "annotations": [1, 2]},
                    "logprobs": {"content": [logprob]},
                    "finish_reason": "stop",
                }
            ],
            "usage": usage,
            "system_fingerprint": "fp",
            "service_tier": "flex",
        }

    def test_a_refusal_is_pieced_together(self) -> None:
        stream, _ = reader(chunk({"refusal": "I can"}), chunk({"refusal": "not."}, "stop"), b"[DONE]")
        completion = stream.close()
        assert completion.refused
        assert completion.body["choices"][0]["message"]["refusal"] == "I cannot."

    def test_empty_events_are_skipped(self) -> None:
        stream, deltas = reader(b"", b" ", chunk({"content": "Hi"}, "stop"))
        assert len(deltas) == 1
        assert stream.close().text == "Hi"

    def test_the_last_usage_counts(self) -> None:
        first, last = {"prompt_tokens": 9, "completion_tokens": 1}, {"prompt_tokens": 9, "completion_tokens": 4}
        stream, _ = reader(chunk({"content": "x"}, usage=first), chunk({}, "stop", usage=last), chunk({}, usage=None))
        assert stream.partial().usage == Usage(9, 4)


def call(arguments: Any = None, index: int | None = None, call_id: str | None = None, name: str | None = None) -> Any:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    fragment: dict[str, Any] = {"function": function}
    return fragment | {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        pytest.param([call("", 0, "a", "f"), call('{"x":', 0), call("1}", 0)], [("a", "f", '{"x":1}')], id="openai"),
        pytest.param(
            [call("", 0, "a", "f"), call("", 1, "b", "g"), call("{1}", 0), call("{2}", 1)],
            [("a", "f", "{1}"), ("b", "g", "{2}")],
            id="interleaved",
        ),
        pytest.param(
            [call("{", call_id="a", name="f"), call("}"), call("[", call_id="b", name="g"), call("]")],
            [("a", "f", "{}"), ("b", "g", "[]")],
            id="no index",
        ),
        pytest.param(
            [call("{1}", 0, "a", "f"), call("{2}", 0, "b", "f")],
            [("a", "f", "{1}"), ("b", "f", "{2}")],
            id="whole calls that share an index",
        ),
        pytest.param([call("{", 0, "a", "f"), call("}", 0, "z")], [("a", "f", "{}")], id="an id for every fragment"),
        pytest.param([call("{", 0, "a", "f"), call("}", 0, "a", "f")], [("a", "f", "{}")], id="a name every time"),
        pytest.param([call({"x": 1}, 0, "a", "f")], [("a", "f", '{"x":1}')], id="arguments as an object"),
        pytest.param([call(None, 0, "a", "f")], [("a", "f", "")], id="no arguments"),
        pytest.param([None, "x", {"index": 0, "function": None}], [("", "", "")], id="garbage"),
    ],
)
def test_tool_calls_are_pieced_together_however_they_come(
    fragments: list[Any], expected: list[tuple[str, str, str]]
) -> None:
    stream, deltas = reader(*(chunk({"tool_calls": [fragment]}) for fragment in fragments), chunk({}, "tool_calls"))
    completion = stream.close()
    found = [(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in completion.tool_calls]
    assert found == expected
    shown = [fragment for delta in deltas for fragment in delta.tool_calls]
    assert shown == [fragment for fragment in fragments if isinstance(fragment, dict)]


def test_pieces_of_fields_that_are_not_known_are_joined() -> None:
    stream, _ = reader(
        chunk(
            {"audio": {"id": "a", "data": "AA", "expires_at": None}, "function_call": {"name": "f", "arguments": "{"}}
        ),
        chunk({"audio": {"data": "BB", "expires_at": 9}, "function_call": {"arguments": "}"}}, "function_call"),
        b"[DONE] ",
    )
    message = stream.close().body["choices"][0]["message"]
    assert message["audio"] == {"id": "a", "data": "AABB", "expires_at": 9}
    assert message["function_call"] == {"name": "f", "arguments": "{}"}


def test_custom_tools_have_inputs() -> None:
    stream, _ = reader(
        chunk({"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "sql", "input": "sel"}}]}),
        chunk({"tool_calls": [{"index": 0, "custom": {"input": "ect 1"}}]}),
        chunk({}, "tool_calls"),
    )
    assert stream.close().tool_calls == ({"id": "a", "type": "custom", "custom": {"name": "sql", "input": "select 1"}},)


class TestEmbeddings:
    def test_vectors_stay_as_the_caller_asked_for_them(self) -> None:
        body = {"object": "list", "data": [{"embedding": "AACAPw=="}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
        found = OPENAI.embeddings(reply(body), 0.0)
        assert found.body == body
        assert found.usage == Usage(3, 0)

    @pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -1}])
    def test_usage_may_be_missing(self, usage: Any) -> None:
        assert OPENAI.embeddings(reply({"data": [], "usage": usage}), 0.0).usage is None

    @pytest.mark.parametrize("body", [b"x", b"[]", {}, {"data": None}])
    def test_garbage_is_a_broken_reply(self, body: Any) -> None:
        with pytest.raises(BrokenReplyError):
            OPENAI.embeddings(reply(body), 0.0)

    def test_errors_are_errors(self) -> None:
        with pytest.raises(RateLimitedError):
            OPENAI.embeddings(reply({"error": {"message": "slow"}}, 429), 0.0)


def test_rate_limits_are_read_from_headers() -> None:
    assert OPENAI.rate_limits({"x-ratelimit-remaining-requests": "3"}, 0.0) == RateLimits(3, None, None, None)
