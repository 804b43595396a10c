"""Laws of Anthropic's streams: where the bytes are cut changes nothing, and no usage leaves a cached token out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import ProviderError, UnfitError
from banditroute.providers.anthropic import Anthropic
from banditroute.providers.anthropic_reply import read_usage
from banditroute.providers.protocol import WireReply
from banditroute.records import ChatRequest, Completion
from banditroute.testing.stream_contract import Heard, check_every_cut, cut, hear

WIRE = Path(__file__).parents[1] / "data" / "wire" / "anthropic"
RECORDED = {path.stem: path.read_bytes() for path in sorted(WIRE.glob("*.sse"))}
STREAMS = [
    pytest.param(data.replace(b"\n", newline), id=f"{name}-{kind}")
    for name, data in RECORDED.items()
    for kind, newline in (("lf", b"\n"), ("crlf", b"\r\n"), ("cr", b"\r"))
]


PROVIDER = Anthropic()


def test_there_are_recordings() -> None:
    assert {"text", "tool_use", "thinking", "error", "refusal"} <= RECORDED.keys()


@pytest.mark.parametrize("stream", STREAMS)
def test_every_cut_tells_the_same(stream: bytes) -> None:
    whole = check_every_cut(PROVIDER, stream)
    assert any(delta.content for delta in whole.deltas)


@given(
    st.sampled_from(sorted(RECORDED)), st.sampled_from([b"\n", b"\r\n"]), st.lists(st.integers(0, 4000), max_size=12)
)
@settings(max_examples=150, deadline=None)
def test_any_cuts_tell_the_same(name: str, newline: bytes, cuts: list[int]) -> None:
    stream = RECORDED[name].replace(b"\n", newline)
    assert hear(PROVIDER, cut(stream, cuts)) == hear(PROVIDER, [stream])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_pings_and_comments_anywhere_between_events_change_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(RECORDED)))
    events = RECORDED[name].split(b"\n\n")
    noise = st.sampled_from(
        [b'event: ping\ndata: {"type": "ping"}', b": keep-alive", b'event: new\ndata: {"type":"new"}']
    )
    for at in sorted(data.draw(st.lists(st.integers(0, len(events) - 1), max_size=5)), reverse=True):
        events.insert(at, data.draw(noise))
    assert _canonical(hear(PROVIDER, [b"\n\n".join(events)])) == _canonical(hear(PROVIDER, [RECORDED[name]]))


def _canonical(heard: Heard) -> Heard:
    """What was heard but for events in the provider's own words, among which unknown ones are kept."""
    return heard._replace(deltas=[replace(delta, native=()) for delta in heard.deltas])


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_every_event_but_pings_is_kept_in_order_however_the_bytes_are_cut(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(set(RECORDED) - {"error"})))
    heard = hear(PROVIDER, cut(RECORDED[name], data.draw(st.lists(st.integers(0, 4000), max_size=12))))
    events = [
        orjson.loads(frame.partition(b"data: ")[2]) for frame in RECORDED[name].split(b"\n\n") if b"data: " in frame
    ]
    kept = [event for delta in heard.deltas for event in delta.native]
    assert kept == [event for event in events if event["type"] != "ping"]


@pytest.mark.parametrize("name", ["text", "tool_use", "thinking", "refusal"])
def test_what_the_pieces_add_up_to_is_the_whole(name: str) -> None:
    heard = hear(PROVIDER, [RECORDED[name]])
    assert isinstance(heard.end, Completion)
    message = heard.end.body["choices"][0]["message"]
    assert "".join(delta.text for delta in heard.deltas) == heard.end.text
    assert "".join(delta.reasoning for delta in heard.deltas) == message.get("reasoning_content", "")
    written: dict[int, str] = {}
    for delta in heard.deltas:
        for call in delta.tool_calls:
            written[call["index"]] = written.get(call["index"], "") + call["function"]["arguments"]
    assert list(written.values()) == [call["function"]["arguments"] for call in heard.end.tool_calls]


@pytest.mark.parametrize("name", ["text", "tool_use", "thinking", "refusal"])
def test_a_stream_that_is_cut_short_is_never_taken_for_whole(name: str) -> None:
    stream = RECORDED[name]
    text = hear(PROVIDER, [stream]).partial.text
    for end in range(len(stream) - 1):
        heard = hear(PROVIDER, [stream[:end]])
        assert not isinstance(heard.end, Completion), end
        assert text.startswith(heard.partial.text)


counts = st.one_of(st.none(), st.integers(-5, 10**12), st.floats(), st.booleans(), st.text(max_size=3))
FIELDS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


@given(st.fixed_dictionaries({}, optional={**dict.fromkeys(FIELDS, counts), "output_tokens_details": counts}))
def test_usage_never_counts_fewer_tokens_than_its_parts(written: dict[str, object]) -> None:
    usage = read_usage(written)
    if usage is None:
        assert "output_tokens" not in written
        return
    assert usage.input_tokens >= usage.cached_input_tokens + usage.cache_write_tokens >= 0
    assert usage.output_tokens >= usage.reasoning_tokens >= 0


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


WORDS = words(
    "type content text thinking tool_use input id name stop_reason usage output_tokens error message "
    "index delta text_delta content_block message_start content_block_start content_block_delta "
    "content_block_stop message_delta message_stop partial_json input_json_delta overloaded_error"
)
KINDS = words(
    "message_start content_block_start content_block_delta content_block_stop message_delta message_stop error"
)
ASKED = words(
    "role user assistant content type text image_url url file file_data input_audio tool_calls function "
    "name arguments id tool_call_id function_call tools tool_choice response_format json_schema schema "
    "reasoning_effort stop max_tokens temperature metadata system functions generationConfig toolConfig "
    "systemInstruction output_config thinking_blocks extra_content google cache_control auto "
    "allowed_tools service_tier"
)


def objects(names: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, object]]:
    """Objects that look a little like the protocol's, and mostly are not."""
    leaves = st.one_of(st.none(), st.booleans(), st.integers(-3, 5), st.floats(allow_nan=False), names)
    values = st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
        max_leaves=8,
    )
    return st.dictionaries(names, values, max_size=5)


@given(st.lists(st.tuples(objects(WORDS), KINDS), max_size=4))
@settings(max_examples=120, deadline=None)
def test_whatever_a_stream_holds_only_provider_errors_are_raised(
    events: list[tuple[dict[str, object], str]],
) -> None:
    lines = [b"data: " + orjson.dumps({**event, "type": kind}) + b"\n\n" for event, kind in events]
    heard = hear(PROVIDER, lines)
    assert isinstance(heard.partial, Completion)


@given(objects(WORDS), st.sampled_from([200, 400, 429, 500]))
@settings(max_examples=120, deadline=None)
def test_whatever_a_reply_holds_only_provider_errors_are_raised(body: dict[str, object], status: int) -> None:
    reply = WireReply(status, {}, orjson.dumps(body))
    with suppress(ProviderError):
        assert isinstance(Anthropic().completion(reply, 0.0), Completion)
    assert isinstance(Anthropic().failure(WireReply(429, {}, orjson.dumps({"error": body})), 0.0), ProviderError)


@given(st.lists(objects(ASKED), max_size=3), st.sampled_from(["user", "assistant", "tool", "system"]), objects(ASKED))
@settings(max_examples=120, deadline=None)
def test_whatever_is_asked_is_sent_or_found_unfit(
    messages: list[dict[str, object]], role: str, params: dict[str, object]
) -> None:
    request = ChatRequest(tuple({**message, "role": role} for message in messages), params)
    with suppress(UnfitError):
        asked = Anthropic().chat(request, model="gemini-3", key=None, stream=False)
        assert isinstance(orjson.loads(asked.body), dict)
