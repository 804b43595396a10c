"""Answers of OpenAI's Responses API: what is read of them, however the bytes are cut."""

from types import SimpleNamespace

import orjson
import pytest

from banditroute.errors import BrokenReplyError, CutStreamError, RateLimitedError
from banditroute.providers.openai_responses import ResponsesReader, read_response, read_usage
from banditroute.records import Usage
from banditroute.testing.stream_contract import check_every_cut, hear

MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "Hé"}, {"type": "output_text", "text": "!"}]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'}
REASONING = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
USAGE = {"input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 5}}
PROVIDER = SimpleNamespace(reader=ResponsesReader)


def response(*output, **changes):
    whole = {"id": "r", "object": "response", "status": "completed", "error": None, "output": list(output)}
    return {**whole, "usage": USAGE, **changes}


def stream(*events):
    return b"".join(b"event: x\ndata: " + orjson.dumps(event) + b"\n\n" for event in events)


WHOLE = stream(
    {"type": "response.created", "response": {}},
    {"type": "response.reasoning_summary_text.delta", "delta": "Hm."},
    {"type": "response.output_text.delta", "delta": "H\u00e9"},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": '{"a":1}'},
    {"type": "response.completed", "response": response(REASONING, MESSAGE, CALL)},
)


def test_texts_calls_and_reasoning_are_read():
    read = read_response(response(REASONING, MESSAGE, CALL))
    assert (read.text, read.finish_reason, read.refused) == ("H\u00e9!", "tool_calls", False)
    assert read.tool_calls[0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert read.body["choices"][0]["message"]["reasoning_content"] == "Hm."
    assert read.usage == Usage(9, 4, 5)
    assert read.native == response(REASONING, MESSAGE, CALL)


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter"), (None, "length")]
)
def test_an_answer_that_is_cut_short_says_why(reason, finish):
    cut = response(MESSAGE, status="incomplete", incomplete_details={"reason": reason})
    assert read_response(cut).finish_reason == finish


def test_a_refusal_is_an_answer():
    said = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    assert (read_response(response(said)).text, read_response(response(said)).refused) == ("No.", True)


@pytest.mark.parametrize("changes", [{"status": "queued"}, {"status": "in_progress"}, {"object": "list"}])
def test_what_is_no_whole_answer_is_broken(changes):
    with pytest.raises(BrokenReplyError):
        read_response(response(MESSAGE, **changes))


def test_usage_that_is_not_reported_is_none():
    assert read_usage(None) is None
    assert read_usage({"input_tokens": 1}) is None


def test_every_cut_of_a_stream_tells_the_same():
    heard = check_every_cut(PROVIDER, WHOLE)
    assert heard.end == read_response(response(REASONING, MESSAGE, CALL))
    assert [len(delta.native) for delta in heard.deltas] == [1] * 5
    assert [delta.content for delta in heard.deltas] == [False, True, True, True, False]


def test_a_stream_without_its_end_is_cut_and_what_came_is_kept():
    heard = hear(PROVIDER, [WHOLE[: WHOLE.rindex(b"event: x")]])
    assert heard.end == (CutStreamError, "the stream ended before response.completed")
    assert (heard.partial.text, heard.partial.usage) == ("H\u00e9", None)


def test_an_event_of_no_known_kind_is_handed_on_as_it_is():
    odd = [{"type": ["x"]}, {"type": {}}, {}, {"type": "response.new"}]
    assert [delta.native for delta in ResponsesReader().feed(stream(*odd))] == [(event,) for event in odd]


def test_a_failure_comes_behind_the_pieces_before_it():
    failed = {"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded", "message": "slow"}}}
    reader = ResponsesReader()
    pieces = reader.feed(stream({"type": "response.output_text.delta", "delta": "H"}, failed))
    assert [piece.text for piece in pieces] == ["H"]
    assert reader.finished
    with pytest.raises(RateLimitedError, match="slow"):
        reader.close()


@pytest.mark.parametrize(
    ("last", "text"),
    [
        ({}, "H"),
        ({"object": "response", "status": "failed", "usage": USAGE}, "H"),
        (response(MESSAGE, object="x"), "Hé!"),
    ],
)
def test_an_end_that_is_broken_leaves_what_came_before_it_readable(last, text):
    events = [{"type": "response.output_text.delta", "delta": "H"}, {"type": "response.completed", "response": last}]
    heard = check_every_cut(PROVIDER, stream(*events))
    assert heard.end[0] is BrokenReplyError
    assert heard.finished
    assert (heard.partial.text, heard.partial.usage) == (text, read_usage(last.get("usage")))
