"""Laws of the Messages protocol in front: what crosses comes back as it was, and no body brings the gateway down."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import InvalidRequestError
from banditroute.gateway.anthropic.asked import message_request, stop_sequences
from banditroute.gateway.anthropic.blocks import event
from banditroute.gateway.anthropic.events import MessageEvents
from banditroute.gateway.anthropic.replies import message_body
from banditroute.gateway.anthropic.unfolding import events_of
from banditroute.prompts.excerpt import excerpt_of
from banditroute.providers.anthropic_reply import read_message
from banditroute.providers.anthropic_request import messages_body
from banditroute.providers.anthropic_stream import AnthropicReader
from banditroute.providers.canonical_reply import Choice, Chunks, completion
from banditroute.records import Answer, ChatRequest, Completion, Context, Decision, Json, Outcome, Usage
from banditroute.routing.requests import demand_of, input_tokens

NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)
TEXT_PARTS = TEXTS.map(lambda text: {"type": "text", "text": text})
IMAGES = st.sampled_from(["data:image/png;base64,iVBORw0K", "https://example.com/a.png"]).map(
    lambda url: {"type": "image_url", "image_url": {"url": url}}
)
FILES = TEXTS.map(
    lambda name: {"type": "file", "file": {"filename": name, "file_data": "data:application/pdf;base64,JVBERi0x"}}
)


def contents(parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Any]:
    """A text, or several parts; one text alone is a text."""
    several = st.lists(parts, min_size=1, max_size=3)
    return TEXTS | several.filter(lambda found: len(found) > 1 or found[0]["type"] != "text")


@st.composite
def calls(draw: st.DrawFn) -> list[Json]:
    ids = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    return [_call(each, draw(NAMES), orjson.dumps(draw(OBJECTS)).decode()) for each in ids]


def _call(call_id: str, name: str, arguments: str) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Json, ...]:
    said: list[Json] = []
    if draw(st.booleans()):
        said.append({"role": "system", "content": draw(contents(TEXT_PARTS))})
    for _ in range(draw(st.integers(1, 3))):
        said.append({"role": "user", "content": draw(contents(TEXT_PARTS | IMAGES | FILES))})
        made = draw(st.just([]) | calls())
        content = draw(contents(TEXT_PARTS)) if not made else draw(st.none() | contents(TEXT_PARTS))
        said.append({"role": "assistant", "content": content, **({"tool_calls": made} if made else {})})
        results = [{"role": "tool", "tool_call_id": call["id"], "content": draw(contents(TEXT_PARTS))} for call in made]
        said += results
    said.append({"role": "user", "content": draw(contents(TEXT_PARTS | IMAGES))})
    return tuple(said)


TOOLS = st.fixed_dictionaries(
    {"name": NAMES, "parameters": st.just({"type": "object", "properties": {"x": {"type": "string"}}})},
    optional={"description": TEXTS, "strict": st.just(True)},
).map(lambda function: {"type": "function", "function": function})
CHOICES = st.sampled_from(["auto", "required", "none"]) | NAMES.map(
    lambda name: {"type": "function", "function": {"name": name}}
)
FORMATS = st.just(
    {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True}}
)
PARAMS = st.fixed_dictionaries(
    {"max_tokens": st.integers(1, 10_000)},
    optional={
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 100),
        "stop": st.lists(TEXTS, min_size=1, max_size=3),
        "tools": st.lists(TOOLS, min_size=1, max_size=3),
        "tool_choice": CHOICES,
        "user": NAMES,
        "reasoning_effort": st.sampled_from(["low", "medium", "high"]),
        "response_format": FORMATS,
        "service_tier": st.just("default"),
    },
)


@given(conversations(), PARAMS)
@settings(max_examples=70, deadline=None)
def test_a_request_of_openais_comes_back_from_anthropics_words_as_it_was(
    messages: tuple[Json, ...], params: dict[str, Any]
) -> None:
    body = messages_body(ChatRequest(messages, params), model="m", stream=False, default_max_tokens=1)
    back = message_request(body)
    assert back.messages == messages
    assert back.params == params
    assert back.native is not None
    assert back.native.confined == ""


@given(conversations(), PARAMS)
@settings(max_examples=30, deadline=None)
def test_a_request_of_anthropics_reaches_anthropic_as_it_was(
    messages: tuple[Json, ...], params: dict[str, Any]
) -> None:
    body = messages_body(ChatRequest(messages, params), model="m", stream=True, default_max_tokens=1)
    native = message_request({**body, "banditroute": {"task": "qa"}}).native
    assert native is not None
    assert {**native.body, "model": "m", "stream": True} == body


USAGES = st.tuples(*[st.integers(0, 1000)] * 4).map(lambda n: Usage(n[0] + n[1] + n[2], n[3], n[1], n[2]))
ENDS = {"stop": "stop", "length": "length", "content_filter": "content_filter"}


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    made = tuple(draw(st.just([]) | calls()))
    text = draw(TEXTS) if not made else draw(st.just("") | TEXTS)
    ended = "tool_calls" if made else draw(st.sampled_from(sorted(ENDS)))
    choice = Choice(text, draw(st.just("") | TEXTS), made, ended, refused=ended == "content_filter")
    usage = draw(USAGES)
    said = completion([choice], usage, response_id="r", model="upstream", created=1)
    decision = Decision("d", 1.0, Context("qa", input_tokens=7), "small", 1.0, {"small": 1.0}, {}, {})
    outcome = Outcome("d", "small", 1.0, usage, 0.1, 1.0)
    return Answer("d", "small", text, "qa", usage, 0.1, 1.0, said, decision, outcome)


def check_same(back: Completion, answer: Answer) -> None:
    said = answer.completion
    assert back.text == said.text
    assert [_loaded(call) for call in back.tool_calls] == [_loaded(call) for call in said.tool_calls]
    assert back.finish_reason == said.finish_reason
    assert back.usage == said.usage
    assert _reasoning(back) == _reasoning(said)


def _loaded(call: Json) -> tuple[str, str, Any]:
    return call["id"], call["function"]["name"], orjson.loads(call["function"]["arguments"])


def _reasoning(said: Completion) -> Any:
    return said.body["choices"][0]["message"].get("reasoning_content")


@given(answers())
@settings(max_examples=40, deadline=None)
def test_an_answer_is_read_back_as_it_was(answer: Answer) -> None:
    message = orjson.loads(orjson.dumps(message_body(answer, ())))
    assert message["model"] == "small"
    check_same(read_message(message, created=1), answer)


@given(answers(), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_stream_is_read_back_as_it_was(answer: Answer, step: int) -> None:
    """Whatever the pieces' length: written as events, and read by what reads Anthropic's own streams."""
    events, chunks, said = MessageEvents(), Chunks("r", "upstream"), answer.completion
    events.begin(answer.decision, "small")
    deltas = [chunks.role()]
    deltas += [chunks.delta(reasoning_content=piece) for piece in _cut(_reasoning(said) or "", step)]
    deltas += [chunks.delta(piece) for piece in _cut(said.text, step)]
    for index, call in enumerate(said.tool_calls):
        deltas.append(chunks.delta(tool_calls=[{"index": index, **_call(call["id"], call["function"]["name"], "")}]))
        for piece in _cut(call["function"]["arguments"], step):
            deltas.append(chunks.delta(tool_calls=[{"index": index, "function": {"arguments": piece}}]))
    written = b"".join(map(events.piece, deltas)) + events.end(answer)
    reader = AnthropicReader()
    reader.feed(written)
    assert reader.finished
    check_same(reader.close(), answer)


@given(answers(), st.lists(st.fixed_dictionaries({"type": st.just("server_tool_use"), "input": OBJECTS}), max_size=2))
@settings(max_examples=30, deadline=None)
def test_a_whole_message_is_the_stream_that_it_would_have_been(answer: Answer, others: list[Json]) -> None:
    message = message_body(answer, ())
    message["content"] = [*others, *message["content"]]
    reader = AnthropicReader()
    deltas = reader.feed(b"".join(event(each) for each in events_of(message)))
    check_same(reader.close(), answer)
    begun = [each["content_block"] for delta in deltas for each in delta.native if "content_block" in each]
    assert [block for block in begun if block["type"] == "server_tool_use"] == others


def _cut(text: str, step: int) -> list[str]:
    return [text[at : at + step] for at in range(0, len(text), step)]


KINDS = ["text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"]
FIELDS = ["text", "source", "id", "name", "input", "tool_use_id", "content", "signature", "caller", "citations"]
ODD_BLOCKS = st.dictionaries(st.sampled_from([*FIELDS, "type"]), VALUES | st.sampled_from(KINDS), max_size=5)
BLOCKS = ODD_BLOCKS | st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from(KINDS),
    st.fixed_dictionaries(dict.fromkeys(FIELDS, VALUES | TEXTS | OBJECTS)),
)
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]) | VALUES, "content": st.lists(BLOCKS) | VALUES}
)
PARAM_NAMES = [
    "system",
    "tools",
    "tool_choice",
    "stop_sequences",
    "thinking",
    "metadata",
    "output_config",
    "max_tokens",
]
PARAM_NAMES += ["context_management", "service_tier", "output_format", "container", "top_k", "cache_control"]
BODIES = st.dictionaries(
    st.sampled_from(PARAM_NAMES),
    VALUES | OBJECTS | st.lists(OBJECTS | ODD_BLOCKS),
    max_size=4,
)


@given(BODIES, st.lists(TURNS, max_size=3) | VALUES)
@settings(max_examples=80, deadline=None)
def test_a_body_is_a_request_or_is_refused(body: dict[str, Any], turns: Any) -> None:
    """Nothing that is JSON ends in another error than the caller's; what is taken is counted and screened."""
    try:
        request = message_request({**body, "messages": turns})
        stop_sequences(body)
        demand_of(request, input_tokens(request))
        assert isinstance(excerpt_of(request), str)
        refusal = None
    except InvalidRequestError as error:
        refusal = error
    assert refusal is None or refusal.field
