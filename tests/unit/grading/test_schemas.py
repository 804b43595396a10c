"""JSON Schemas from anybody: what they say, and that they cannot keep us busy."""

import sys

import pytest

from banditroute.errors import MissingExtraError, UngradableError
from banditroute.grading.make import grader_of
from banditroute.grading.schemas import checker


@pytest.mark.parametrize(
    ("schema", "value", "allowed"),
    [
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}], True),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}], False),
        ({"uniqueItems": False}, [1, 1], True),
        ({"const": {"a": [1]}}, {"a": [1.0]}, True),
        ({"const": 1}, True, False),
        ({"enum": [0, "a", None]}, None, True),
        ({"enum": [0, "a"]}, False, False),
        ({"pattern": "^a+$"}, "aab", False),
        ({"pattern": "^a+$"}, 7, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}, "1", False),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}, ["a"], False),
    ],
)
def test_what_a_schema_allows(schema: dict[str, object], value: object, allowed: bool) -> None:
    assert checker(schema).allows(value) is allowed


def doubling(levels: int, last: dict[str, object]) -> dict[str, object]:
    """A schema that applies its last part 2^levels times."""
    parts = {f"x{i}": {"allOf": [{"$ref": f"#/$defs/x{i + 1}"}] * 2} for i in range(levels)}
    return {"$defs": {**parts, f"x{levels}": last}, "$ref": "#/$defs/x0"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (doubling(60, {"type": "object"}), {}),
        (doubling(60, {"const": list(range(2_000))}), list(range(2_000))),
        ({"pattern": "|".join([".{0,300}x"] * 10)}, "a" * 500_000),
        ({"$ref": "#"}, {}),
        ({"pattern": "(?=a)b"}, "b"),
        ({"$ref": "https://example.org/schema.json"}, {}),
    ],
    ids=["doubling", "doubling const", "counted pattern", "endless", "look-ahead", "elsewhere"],
)
def test_what_cannot_be_applied_in_time_is_no_quality(schema: dict[str, object], value: object) -> None:
    with pytest.raises(UngradableError, match=r"^the schema"):
        checker(schema).allows(value)


def test_many_items_that_have_to_differ_are_quick_to_compare() -> None:
    assert checker({"uniqueItems": True}).allows([{"a": i} for i in range(40_000)])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 7},
        {"patternProperties": {"(a+)+$": {}}},
        {"unevaluatedProperties": False},
        {"description": "x" * 200_000},
        {"const": object()},
        {"const": "\ud800"},
    ],
    ids=["wrong", "patternProperties", "unevaluated", "large", "no JSON", "no Unicode"],
)
def test_what_is_no_schema_to_be_checked(schema: dict[str, object]) -> None:
    with pytest.raises(UngradableError) as caught:
        checker(schema)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["json_schema", "tool_calls"])
def test_without_the_extra_it_says_which_to_install(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(MissingExtraError, match=r"banditroute\[grading\]"):
        grader_of(kind, "g", {})
