"""Rules that name task classes."""

from typing import Any

import pytest

from banditroute.prompts.rules import Rule, RuledClassifier
from banditroute.records import ChatRequest
from banditroute.routing.tasks import OneTask, Task


def request(text: str = "hello", **params: Any) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},), params)


@pytest.mark.parametrize(
    ("rule", "params", "matches"),
    [
        (Rule("t", tools=True), {"tools": [{"type": "function"}]}, True),
        (Rule("t", tools=True), {"functions": [{}]}, True),
        (Rule("t", tools=True), {}, False),
        (Rule("t", tools=False), {}, True),
        (Rule("t", response_format="json_schema"), {"response_format": {"type": "json_schema"}}, True),
        (Rule("t", response_format="json_schema"), {"response_format": {"type": "text"}}, False),
        (Rule("t", response_format="json_schema"), {"response_format": "json_schema"}, False),
        (Rule("t", metadata={"app": "ide"}), {"metadata": {"app": "ide", "user": "u"}}, True),
        (Rule("t", metadata={"app": "ide"}), {"metadata": {"app": "web"}}, False),
        (Rule("t", metadata={"app": "ide"}), {"metadata": "ide"}, False),
        (Rule("t", found=lambda text: "ell" in text), {}, True),
        (Rule("t", found=lambda text: "xyz" in text), {}, False),
        (Rule("t", found=lambda text: "ell" in text, tools=True), {}, False),
    ],
)
def test_a_rule_matches_where_all_its_signs_are_there(rule: Rule, params: dict[str, Any], matches: bool) -> None:
    assert rule.matches(request(**params)) is matches


def test_the_first_rule_decides_and_without_one_the_classifier() -> None:
    rules = [Rule("first", tools=True), Rule("second", found=lambda text: "hello" in text)]
    ruled = RuledClassifier(rules, OneTask("other"))
    assert ruled.classify(request(tools=[{}])) == Task("first")
    assert ruled.classify(request()) == Task("second")
    assert ruled.classify(request("bye")) == Task("other")
