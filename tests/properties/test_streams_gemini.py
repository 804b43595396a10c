"""Laws of Gemini's streams: where the bytes are cut changes nothing, and no usage leaves a cached token out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import ProviderError, UnfitError
from banditroute.providers.gemini import Gemini
from banditroute.providers.gemini_reply import read_usage
from banditroute.providers.protocol import WireReply
from banditroute.records import ChatRequest, Completion
from banditroute.testing.stream_contract import check_every_cut, cut, hear

WIRE = Path(__file__).parents[1] / "data" / "wire" / "gemini"
RECORDED = {path.stem: path.read_bytes().replace(b"\r\n", b"\n") for path in sorted(WIRE.glob("*.sse"))}
STREAMS = [
    pytest.param(data.replace(b"\n", newline), id=f"{name}-{kind}")
    for name, data in RECORDED.items()
    for kind, newline in (("lf", b"\n"), ("crlf", b"\r\n"))
]
ANSWERED = ["text", "function_call", "thoughts", "blocked", "safety"]


PROVIDER = Gemini()


def test_there_are_recordings() -> None:
    assert {*ANSWERED, "error"} <= RECORDED.keys()


@pytest.mark.parametrize("stream", STREAMS)
def test_every_cut_tells_the_same(stream: bytes) -> None:
    whole = check_every_cut(PROVIDER, stream)
    assert whole.deltas


@given(
    st.sampled_from(sorted(RECORDED)), st.sampled_from([b"\n", b"\r\n"]), st.lists(st.integers(0, 2000), max_size=12)
)
@settings(max_examples=150, deadline=None)
def test_any_cuts_tell_the_same(name: str, newline: bytes, cuts: list[int]) -> None:
    stream = RECORDED[name].replace(b"\n", newline)
    assert hear(PROVIDER, cut(stream, cuts)) == hear(PROVIDER, [stream])


@pytest.mark.parametrize("name", ANSWERED)
def test_what_the_pieces_add_up_to_is_the_whole(name: str) -> None:
    heard = hear(PROVIDER, [RECORDED[name]])
    assert isinstance(heard.end, Completion)
    message = heard.end.body["choices"][0]["message"]
    assert "".join(delta.text for delta in heard.deltas) == heard.end.text
    assert "".join(delta.reasoning for delta in heard.deltas) == message.get("reasoning_content", "")
    calls = [{k: v for k, v in call.items() if k != "index"} for delta in heard.deltas for call in delta.tool_calls]
    assert calls == list(heard.end.tool_calls)
    assert [delta.finish_reason for delta in heard.deltas if delta.finish_reason] == [heard.end.finish_reason]


@pytest.mark.parametrize("name", ANSWERED)
def test_a_stream_that_is_cut_short_is_never_taken_for_whole(name: str) -> None:
    stream = RECORDED[name]
    for end in range(len(stream) - 1):
        assert not isinstance(hear(PROVIDER, [stream[:end]]).end, Completion), end


counts = st.one_of(st.none(), st.integers(-5, 10**12), st.floats(), st.booleans(), st.text(max_size=3))
FIELDS = (
    "promptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, counts)))
def test_usage_never_counts_fewer_tokens_than_its_parts(written: dict[str, object]) -> None:
    usage = read_usage({"usageMetadata": written})
    assert usage is not None
    assert usage.input_tokens >= usage.cached_input_tokens + usage.cache_write_tokens >= 0
    assert usage.output_tokens >= usage.reasoning_tokens >= 0


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


WORDS = words(
    "candidates content parts text thought functionCall name args id thoughtSignature finishReason STOP "
    "index promptFeedback blockReason usageMetadata promptTokenCount error code status details violations "
    "quotaId retryDelay responseId modelVersion message embeddings embedding values"
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


@given(st.lists(objects(WORDS), max_size=3))
@settings(max_examples=120, deadline=None)
def test_whatever_a_stream_holds_only_provider_errors_are_raised(events: list[dict[str, object]]) -> None:
    lines = [b"data: " + orjson.dumps(event) + b"\n\n" for event in events]
    heard = hear(PROVIDER, lines)
    assert isinstance(heard.partial, Completion)


@given(objects(WORDS), st.sampled_from([200, 400, 429, 500]))
@settings(max_examples=120, deadline=None)
def test_whatever_a_reply_holds_only_provider_errors_are_raised(body: dict[str, object], status: int) -> None:
    reply = WireReply(status, {}, orjson.dumps(body))
    with suppress(ProviderError):
        assert isinstance(Gemini().completion(reply, 0.0), Completion)
    assert isinstance(Gemini().failure(WireReply(429, {}, orjson.dumps({"error": body})), 0.0), ProviderError)


@given(st.lists(objects(ASKED), max_size=3), st.sampled_from(["user", "assistant", "tool", "system"]), objects(ASKED))
@settings(max_examples=120, deadline=None)
def test_whatever_is_asked_is_sent_or_found_unfit(
    messages: list[dict[str, object]], role: str, params: dict[str, object]
) -> None:
    request = ChatRequest(tuple({**message, "role": role} for message in messages), params)
    with suppress(UnfitError):
        asked = Gemini().chat(request, model="gemini-3", key=None, stream=False)
        assert isinstance(orjson.loads(asked.body), dict)
