"""Whatever a model wrote, a grader says in bounded time a quality, nothing, or that it cannot tell."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import UngradableError
from banditroute.grading.blend import Blend
from banditroute.grading.make import KINDS, grader_of
from banditroute.grading.protocol import Grader, Item
from banditroute.records import ChatRequest, Completion

OPTIONS: dict[str, dict[str, Any]] = {
    "regex": {"pattern": r"(\w+\s?)+$"},
    "contains": {"all": ["a", "b"]},
    "length": {"least": 3, "most": 9, "margin": 1.0},
    "code": {"language": "python"},
    "json_schema": {"json_schema": {"type": "array", "items": {"type": "integer"}}},
}
GRADERS: dict[str, Grader] = {kind: grader_of(kind, kind, OPTIONS.get(kind, {})) for kind in KINDS}
GRADERS["blend"] = Blend("blend", tuple((grader, 1.0) for grader in GRADERS.values()))
PIECES = ("```", "```json", "\n", "{", "}", "[", "]", '"', "\\boxed{", "####", "Answer: ", "B", "-", "1", ",", ".", "/")
LONG = {
    "10 MB": "a" * 10_000_000,
    "10 MB of digits": "1," * 5_000_000,
    "surrogates": "\ud800" * 200_000,
    "binary": "".join(map(chr, range(256))) * 2_000,
    "combining marks": "a" + "\u0301\u0323" * 250_000,
    "fences": "```\n" * 100_000,
    "boxes": "\\boxed{" * 100_000,
    "nested": "[" * 500_000,
    "dotted TOML": "```toml\na" + ".b" * 49_000 + "=1\n```",
    "nested Python": "-" * 90_000 + "1",
}
SECONDS = 5.0  # ten times what the slowest takes; what runs away takes minutes


def item(text: str, expected: str | None, calls: tuple[Any, ...] = ()) -> Item:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    request = ChatRequest(({"role": "user", "content": text[:100]},), {"tools": tools, "tool_choice": "required"})
    return Item("d", "qa", request, Completion({}, text, None, tool_calls=calls), expected)


def check(grader: Grader, graded: Item) -> None:
    try:
        quality = grader.grade(graded)
    except UngradableError:
        return
    assert quality is None or 0.0 <= quality <= 1.0


@pytest.mark.parametrize("kind", GRADERS)
@settings(max_examples=40, deadline=None)
@given(
    text=st.one_of(st.text(max_size=120), st.lists(st.sampled_from(PIECES), max_size=60).map("".join)),
    expected=st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["B", "3/4", "12 %"])),
    arguments=st.one_of(st.none(), st.text(max_size=8), st.just("{}"), st.integers()),
)
def test_a_grade_is_a_quality_or_nothing(kind: str, text: str, expected: str | None, arguments: Any) -> None:
    calls = ({"function": {"name": "f", "arguments": arguments}}, {"function": arguments}) if arguments else ()
    check(GRADERS[kind], item(text, expected, calls))


@pytest.mark.parametrize("kind", [kind for kind in GRADERS if kind != "blend"])
def test_long_and_hostile_answers_take_bounded_time(kind: str) -> None:
    for name, text in LONG.items():
        started = time.process_time()
        check(GRADERS[kind], item(text, "7"))
        assert time.process_time() - started < SECONDS, name
