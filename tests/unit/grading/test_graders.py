"""Graders that need nobody else: what each says of answers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import ConfigError, UngradableError
from banditroute.grading.make import KINDS, grader_of
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion

SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}, {"type": "web_search"}]
FENCE = "```"


def item(text: str, expected: str | None = None, params: dict[str, Any] | None = None, **completion: Any) -> Item:
    request = ChatRequest(({"role": "user", "content": "?"},), params or {})
    return Item("d", "qa", request, Completion({}, text, None, **completion), expected)


def call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("kind", "options", "answer", "quality"),
    [
        ("exact", {}, item("  Paris. ", "paris"), 1.0),
        ("exact", {}, item("Paris, France", "paris"), 0.0),
        ("exact", {"ignore_case": False}, item("Paris", "paris"), 0.0),
        ("exact", {}, item("anything"), None),
        ("number", {}, item("so the total is 1,234.50 euro", "1234.5"), 1.0),
        ("number", {}, item(r"we get 7, no: \boxed{12} apples, not 3", "12"), 1.0),
        ("number", {}, item("step 1: 4\n#### 18", "18"), 1.0),
        ("number", {}, item("three quarters, 3/4", "0.75"), 1.0),
        ("number", {}, item("it is 50%", "0.5"), 1.0),
        ("number", {}, item("0.5", "50 %"), 1.0),
        ("number", {}, item("3,5", "3.5"), 1.0),
        ("number", {}, item("-7", "7"), 0.0),
        ("number", {"absolute": 0.5}, item("about 3.1", "3.4"), 1.0),
        ("number", {}, item("41"), None),
        ("choice", {}, item("The answer is (B).", "B"), 1.0),
        ("choice", {}, item(r"\boxed{C}", "C"), 1.0),
        ("choice", {}, item("D. because the others are wrong", "D"), 1.0),
        ("choice", {}, item("I first thought A. Answer: B", "A"), 0.0),
        ("regex", {"pattern": r"^\d{4}$"}, item("2026"), 1.0),
        ("regex", {"pattern": r"(?i)as an ai", "present": False}, item("As an AI, I"), 0.0),
        ("regex", {"pattern": r"(a+)+$"}, item("a" * 100_000 + "!"), 0.0),
        ("contains", {"all": ["one", "TWO", "three", "four"]}, item("one two"), 0.5),
        ("contains", {"any": ["x", "y"], "none": ["z"]}, item("has y"), 1.0),
        ("contains", {"any": ["x", "y"], "none": ["z"]}, item("y and z"), 0.0),
        ("length", {"least": 2, "most": 4}, item("one two three"), 1.0),
        ("length", {"most": 4, "margin": 0.5}, item("1 2 3 4 5"), 0.5),
        ("length", {"most": 3, "unit": "characters"}, item("four"), 0.0),
        ("json", {}, item('{"a": 1}'), 1.0),
        ("json", {}, item(f'Here:\n{FENCE}json\n{{"a": 1}}\n{FENCE}\nbye'), 1.0),
        ("json", {"fenced": False}, item(f"{FENCE}json\n[1]\n{FENCE}"), 0.0),
        ("json", {}, item("{'a': 1}"), 0.0),
        ("json_schema", {"json_schema": SCHEMA}, item('{"a": 1}'), 1.0),
        ("json_schema", {"json_schema": SCHEMA}, item('{"a": "1"}'), 0.0),
        (
            "json_schema",
            {},
            item('{"a": 1, "b": 2}', None, {"response_format": {"json_schema": {"schema": SCHEMA}}}),
            0.0,
        ),
        ("json_schema", {}, item("no schema anywhere"), None),
        ("json_schema", {"json_schema": {"type": "string", "pattern": "(a+)+$"}}, item('"' + "a" * 50_000 + '!"'), 0.0),
        ("code", {}, item(f"{FENCE}python\ndef f():\n    return 1\n{FENCE}\n{FENCE}py\ndef f(\n{FENCE}"), 0.5),
        ("code", {}, item(f"{FENCE}toml\na = 1\n{FENCE}"), 1.0),
        ("code", {}, item(f"{FENCE}rust\nfn main() {{}}\n{FENCE}"), None),
        ("code", {"language": "python"}, item("print(1"), 0.0),
        ("code", {}, item("no code at all"), None),
        ("refusal", {}, item("I'm sorry, but I can't help with that."), 0.0),
        ("refusal", {}, item("抱歉，我无法提供该信息。"), 0.0),
        ("refusal", {}, item("", refused=True), 0.0),
        ("refusal", {"otherwise": 1.0}, item("Of course: you cannot divide by zero."), 1.0),
        ("refusal", {}, item("Sure."), None),
        ("finished", {}, item("and so on and", finish_reason="length"), 0.0),
        ("finished", {}, item("done", finish_reason="stop"), None),
        ("tool_calls", {}, item("", None, {"tools": TOOLS}, tool_calls=(call("weather", '{"a": 1}'),)), 1.0),
        ("tool_calls", {}, item("", None, {"tools": TOOLS}, tool_calls=(call("weather", '{"a": "x"}'),)), 0.0),
        ("tool_calls", {}, item("", None, {"tools": TOOLS}, tool_calls=(call("weather", "{"),)), 0.0),
        ("tool_calls", {}, item("", None, {"tools": TOOLS}, tool_calls=(call("wether", "{}"),)), 0.0),
        ("tool_calls", {}, item("hi", None, {"tools": TOOLS, "tool_choice": "required"}), 0.0),
        ("tool_calls", {}, item("hi", None, {"tools": TOOLS}), None),
    ],
)
def test_what_a_grader_says(kind: str, options: dict[str, Any], answer: Item, quality: float | None) -> None:
    assert grader_of(kind, "g", options).grade(answer) == quality


@pytest.mark.parametrize(
    ("kind", "options", "answer"),
    [
        ("number", {}, item("no number", "3")),
        ("choice", {}, item("I would rather not say", "B")),
        ("json", {}, item("x" * (2 << 20))),
        ("code", {"language": "python"}, item("x = 1\n" * 50_000)),
        ("tool_calls", {}, item("", None, {"tools": [7]}, tool_calls=(call("f", "{}"),))),
        ("json_schema", {}, item("{}", None, {"response_format": {"json_schema": {"schema": {"type": 7}}}})),
        ("json_schema", {"json_schema": {"$ref": "http://nowhere.example/s.json"}}, item("{}")),
    ],
)
def test_what_cannot_be_told_is_no_quality(kind: str, options: dict[str, Any], answer: Item) -> None:
    with pytest.raises(UngradableError) as caught:
        grader_of(kind, "g", options).grade(answer)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("exactly", {}, "unknown kind of grader 'exactly'; did you mean 'exact'?"),
        ("regex", {}, "pattern: missing"),
        ("regex", {"pattern": "("}, "no regular expression"),
        ("regex", {"pattern": "x", "presnt": True}, "presnt: unknown option; did you mean 'present'?"),
        ("length", {"most": "9"}, "most: expected"),
        ("length", {}, "no bound"),
        ("contains", {}, "nothing to look for"),
        ("json_schema", {"json_schema": {"type": "objekt"}}, "no JSON Schema"),
    ],
)
def test_wrong_options_are_one_line(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        grader_of(kind, "g", options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


USABLE: dict[str, dict[str, Any]] = {
    "regex": {"pattern": r"(\w+\s?)+$"},
    "contains": {"all": ["a", "b"]},
    "length": {"least": 3, "most": 9, "margin": 1.0},
    "code": {"language": "python"},
    "json_schema": {"json_schema": SCHEMA},
}


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.text(alphabet="(){}[]\"'`\\\n0123456789.,%-+eE/ABans:# ", max_size=300),
        st.sampled_from(
            ["", "\x00", "\ud800", "(" * 3000, "-" * 20_000 + "1", "[" * 50_000, "9" * 400 + "/0", "1e999"]
        ),
    ),
    st.one_of(st.none(), st.text(max_size=20)),
)
def test_whatever_was_written_a_grade_is_a_quality_or_none(text: str, expected: str | None) -> None:
    for kind in KINDS:
        try:
            quality = grader_of(kind, "g", USABLE.get(kind, {})).grade(item(text, expected))
        except UngradableError:
            continue
        assert quality is None or 0.0 <= quality <= 1.0
