"""However a stream's bytes are cut, it reads the same: every server's recording, every cut."""

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import ProviderError, ServerFailedError
from banditroute.providers.edenai import EdenAI
from banditroute.providers.openai import OpenAI
from banditroute.providers.protocol import Provider
from banditroute.providers.sse import EventParser
from banditroute.records import Completion, Delta, Usage

WIRE = Path(__file__).parents[1] / "data" / "wire"
OPENAI, EDENAI = OpenAI(), EdenAI()


class Heard(NamedTuple):
    deltas: list[Delta]
    completion: Completion | None
    failure: tuple[type[ProviderError], str] | None


def hear(provider: Provider, reads: list[bytes]) -> Heard:
    """What a caller gets who reads until the reader has finished or the bytes end."""
    reader = provider.reader()
    deltas: list[Delta] = []
    try:
        for data in reads:
            deltas += reader.feed(data)
            if reader.finished:
                break
        return Heard(deltas, reader.close(), None)
    except ProviderError as error:
        return Heard(deltas, None, (type(error), str(error)))


def recordings(directory: str) -> list[Path]:
    return sorted((WIRE / directory).glob("*.sse"))


STREAMS = [(OPENAI, path) for path in recordings("openai")] + [(EDENAI, path) for path in recordings("edenai")]
every_stream = pytest.mark.parametrize(
    ("provider", "stream"),
    [pytest.param(provider, path.read_bytes(), id=f"{path.parent.name}/{path.stem}") for provider, path in STREAMS],
)
NEWLINES = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}


@every_stream
@pytest.mark.parametrize("newline", NEWLINES.values(), ids=NEWLINES)
def test_every_cut_in_two_reads_the_same(provider: Provider, stream: bytes, newline: bytes) -> None:
    stream = stream.replace(b"\n", newline)
    whole = hear(provider, [stream])
    assert len(whole.deltas) > 1
    for cut in range(len(stream) + 1):
        assert hear(provider, [stream[:cut], stream[cut:]]) == whole, cut


@every_stream
@pytest.mark.parametrize("newline", NEWLINES.values(), ids=NEWLINES)
def test_byte_by_byte_reads_the_same_and_newlines_do_not_matter(
    provider: Provider, stream: bytes, newline: bytes
) -> None:
    spelled = stream.replace(b"\n", newline)
    assert hear(provider, [bytes([byte]) for byte in spelled]) == hear(provider, [stream])


@every_stream
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_cuts_read_the_same(provider: Provider, stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=40)))
    reads = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert hear(provider, reads) == hear(provider, [stream])


@every_stream
def test_what_has_arrived_is_always_a_beginning_of_the_answer(provider: Provider, stream: bytes) -> None:
    reader, text = provider.reader(), ""
    whole = hear(provider, [stream])
    said = "".join(delta.text for delta in whole.deltas)
    for start in range(0, len(stream), 7):
        try:
            text += "".join(delta.text for delta in reader.feed(stream[start : start + 7]))
        except ProviderError:
            assert whole.failure is not None
            break
        partial = reader.partial()
        assert partial.text == text
        assert said.startswith(text)
    assert text == said


@given(
    st.lists(
        st.binary(max_size=20) | st.sampled_from([b"data: x", b"\r", b"\n", b"\r\n", b"\n\n", b": c", b"event: e"])
    )
)
def test_no_bytes_at_all_upset_the_frames(pieces: list[bytes]) -> None:
    whole, cut = EventParser(), EventParser()
    stream = b"".join(pieces)
    events = whole.feed(stream)
    assert [event for piece in pieces for event in cut.feed(piece)] == events
    assert cut.rest() == whole.rest()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(max_size=30) | st.sampled_from([b'data: {"choices":[]}\n\n', b"data: [DONE]\n\n", b"data: {"]))
)
def test_garbage_ends_in_one_typed_error_or_an_answer(pieces: list[bytes]) -> None:
    heard = hear(OPENAI, pieces)
    assert (heard.completion is None) != (heard.failure is None)


def whole(provider: Provider, name: str) -> Completion:
    heard = hear(provider, [(WIRE / f"{name}.sse").read_bytes()])
    assert heard.completion is not None
    assert "".join(delta.text for delta in heard.deltas) == heard.completion.text
    return heard.completion


@pytest.mark.parametrize(
    ("name", "text", "finish", "usage", "reasoning"),
    [
        ("openai_text", "Crème brûlée 🍮\n\ndata: [DONE]", "stop", Usage(1219, 9, cached_input_tokens=1152), None),
        ("openai_tools", "", "tool_calls", Usage(84, 41), None),
        ("deepseek_reasoning", "9.9.", "stop", Usage(18, 72, reasoning_tokens=66), "9.9 is 9.90 > 9.11."),
        ("openrouter_text", "Yes.", "stop", Usage(14, 4, 8, 6, 1), "Thinking"),
        ("vllm_tools", "", "tool_calls", Usage(31, 16), "Look it up."),
        ("azure_text", "Ja, bitte.", "stop", Usage(12, 5), None),
        ("mistral_thinking", "Zwölf", "stop", Usage(9, 6), "Hmm"),
        ("llamacpp", "1. Red: This", "length", Usage(34, 5), None),
    ],
)
def test_each_server_is_understood(name: str, text: str, finish: str, usage: Usage, reasoning: str | None) -> None:
    completion = whole(OPENAI, f"openai/{name}")
    assert completion.text == text
    assert completion.finish_reason == finish
    assert completion.usage == usage
    message = completion.body["choices"][0]["message"]
    assert (message.get("reasoning_content") or message.get("reasoning")) == reasoning
    assert completion.body["object"] == "chat.completion"
    assert completion.body["id"]
    assert completion.body["model"]
    assert completion.body["usage"]["prompt_tokens"] == usage.input_tokens


def test_parallel_tool_calls_are_pieced_together() -> None:
    completion = whole(OPENAI, "openai/openai_tools")
    assert [(call["id"], call["function"]) for call in completion.tool_calls] == [
        ("call_Vq1", {"name": "get_weather", "arguments": '{"city":"Köln"}'}),
        ("call_8sT", {"name": "get_time", "arguments": '{"zone":"東京"}'}),
    ]
    assert completion.body["choices"][0]["message"]["tool_calls"] == list(completion.tool_calls)
    assert completion.body["choices"][0]["message"]["content"] is None


def test_fragments_that_make_up_an_id_each_stay_one_call() -> None:
    (call,) = whole(OPENAI, "openai/vllm_tools").tool_calls
    assert call["function"] == {"name": "search", "arguments": '{"q": "vllm"}'}


def test_dollars_are_read_where_each_provider_states_them() -> None:
    assert whole(OPENAI, "openai/openrouter_text").cost_usd == 4.2e-06
    assert whole(OPENAI, "openai/openai_text").cost_usd is None
    assert whole(EDENAI, "edenai/text").cost_usd == 3.3e-06


def test_a_cached_reply_is_known_from_its_missing_metadata() -> None:
    assert whole(EDENAI, "edenai/cached").from_cache
    assert not whole(EDENAI, "edenai/text").from_cache


def test_an_error_comes_after_what_was_said_before_it() -> None:
    heard = hear(OPENAI, [(WIRE / "openai/openrouter_error.sse").read_bytes()])
    assert "".join(delta.text for delta in heard.deltas) == "The answer is"
    assert heard.failure == (ServerFailedError, "HTTP 502: Provider returned error: upstream connect error")
