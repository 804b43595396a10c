"""Bodies that no schema has in mind: good ones with something changed, wrong shapes, and what is hardly JSON."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TURNS = [
    {
        "role": "user",
        "content": [{"type": "text", "text": "hello"}, {"type": "image", "source": {"type": "url", "url": "u"}}],
    },
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x"}]}],
    },
]
OPTIONS = {
    "task": "qa",
    "session_id": "s",
    "max_cost_usd": 1.0,
    "timeout_s": 9.0,
    "allowed": ["small"],
    "expected": "x",
}
GOOD: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "hello"}, {"type": "image_url", "image_url": {"url": "u"}}],
            },
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c", "content": "x"},
            USER,
        ],
        "stream": False,
        "stream_options": {"include_usage": True},
        "max_tokens": 10,
        "max_completion_tokens": 10,
        "n": 1,
        "tools": [TOOL],
        "tool_choice": "auto",
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        "stop": ["x"],
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "banditroute": OPTIONS,
    },
    "/v1/responses": {
        "model": "auto",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "hello"}]}, {"type": "function_call"}],
        "stream": True,
        "max_output_tokens": 10,
        "tools": [TOOL],
        "text": {"format": {"type": "json_object"}},
        "banditroute": OPTIONS,
    },
    "/v1/embeddings": {"model": "vectors", "input": ["hello"], "encoding_format": "base64", "banditroute": {}},
    "/v1/messages": {
        "model": "auto",
        "max_tokens": 10,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": TURNS,
        "stream": True,
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
        "service_tier": "auto",
        "banditroute": OPTIONS,
    },
    "/v1/messages/count_tokens": {"model": "auto", "messages": TURNS},
    "/v1/feedback": {"decision_id": "x", "signal": {"kind": "edited", "before": "a", "after": "b"}, "source": "me"},
    "/dashboard/api/switch": {"model": "nobody"},
    "/dashboard/api/freeze": {"frozen": False},
}
"""A good body for every place that takes one and serves others still, as rich as can be."""

_ODD = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1.5, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), 1e308, -1e308, 5e-324, -0.0),
        *("", "x", "auto", "auto:", "fault:", "\x00", "\ufffe", "😀", "a" * 3000, [], {}, [[]], [{}], [None]),
        *({"": None}, {"type": None}, {"type": "text"}, {"role": "user"}, [{"type": "text", "text": 1}]),
        {"type": "json_schema"},
    ]
)
_BYTES = (
    (b'"hello"', b'"\\ud800"'),
    (b'"hello"', b'"\xff\xfe"'),
    (b'"hello"', b'"\xed\xa0\x80"'),
    (b'"hello"', b"NaN"),
    (b'"hello"', b"-Infinity"),
    (b'"hello"', b"1e999"),
    (b'"hello"', b"9" * 5000),
    (b'"hello"', b"[" * 900 + b"]" * 900),
    (b'"hello"', b"[" * 300 + b"1" + b"]" * 300),
    (b'"hello"', b'{"a":' * 500 + b"1" + b"}" * 500),
    (b'"hello"', b"[" * 100_000),
    (b'"hello"', b'"hello\x00"'),
    (b"{", b'{"model": 5, "model": "small", "messages": 1, "banditroute": {"task": 1, "task": "x"}, '),
    (b"{", b"\xef\xbb\xbf{"),
    (b"}", b"},"),
    (b"}", b""),
    (b'"', b"'"),
    (b":", b""),
)


@st.composite
def mutated(draw: st.DrawFn, path: str) -> bytes:
    """A good body with one to three of its values replaced, taken away or doubled."""
    body = copy.deepcopy(GOOD[path])
    for _ in range(draw(st.integers(1, 3))):
        _mutate(draw, body)
    return json.dumps(body).encode()


def _mutate(draw: st.DrawFn, body: Any) -> None:
    at = body
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        inner = at[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            at = inner
            continue
        if draw(st.booleans()):
            at[key] = copy.deepcopy(draw(_ODD))
        elif isinstance(at, dict):
            del at[key]
        else:
            at.append(copy.deepcopy(inner))
        return


@st.composite
def garbled(draw: st.DrawFn, path: str) -> bytes:
    """A good body whose bytes were changed: broken Unicode, numbers out of range, depth, doubled keys, half of it."""
    data = json.dumps(GOOD[path]).encode()
    old, new = draw(st.sampled_from(_BYTES))
    if draw(st.booleans()):
        return data.replace(old, new)
    if draw(st.booleans()):
        return data.replace(old, new, 1)
    cut = draw(st.integers(0, len(data)))
    return data[:cut] + draw(st.binary(max_size=4)) + data[cut + draw(st.integers(0, 3)) :]


def bodies(path: str) -> st.SearchStrategy[bytes]:
    """Anything of these, for a place."""
    wrong = st.recursive(_ODD.map(copy.deepcopy), lambda inner: st.lists(inner, max_size=3), max_leaves=4)
    return mutated(path) | garbled(path) | wrong.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)
