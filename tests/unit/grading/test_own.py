"""Graders of users' own, as a configuration names them."""

import math
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from banditroute.errors import ConfigError, UngradableError
from banditroute.grading.asking import quality_of
from banditroute.grading.blend import Blend
from banditroute.grading.make import grader_of
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion

ITEM = Item("d", "qa", ChatRequest(({"role": "user", "content": "secret?"},)), Completion({}, "four", None))


class Polite:
    def __init__(self, name: str, word: str = "please") -> None:
        if not word:
            raise ValueError("no word")
        self.name, self.word = name, word

    def grade(self, item: Item) -> float | None:
        return float(self.word in item.completion.text)


def brief(item: Item, most: int = 3) -> float:
    return float(len(item.completion.text) <= most)


async def slow(item: Item) -> float:
    return 1.0


def fails(item: Item) -> float:
    raise KeyError(item.request.messages[0]["content"])


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("my_graders")
    for name, each in {
        "Polite": Polite,
        "brief": brief,
        "slow": slow,
        "fails": fails,
        "number": 7,
        "Bare": int,
    }.items():
        setattr(module, name, each)
    module.ready = Polite("another name", "four")
    monkeypatch.setitem(sys.modules, "my_graders", module)
    return module


@pytest.mark.parametrize(
    ("kind", "options", "quality"),
    [
        ("Polite", {}, 0.0),
        ("Polite", {"word": "four"}, 1.0),
        ("brief", {}, 0.0),
        ("brief", {"most": 4}, 1.0),
        ("ready", {}, 1.0),
        ("ready.grade", {}, 1.0),
    ],
)
def test_a_class_a_function_or_an_object_is_a_grader(kind: str, options: dict[str, Any], quality: float) -> None:
    grader = grader_of(f"my_graders:{kind}", "mine", options)
    assert grader.grade(ITEM) == quality
    assert grader.name == "mine"


def test_its_writing_is_the_same_in_every_process() -> None:
    """A bench that goes on knows its graders by it."""
    one, again = (grader_of("my_graders:brief", "mine", {"most": 4}) for _ in range(2))
    assert repr(one) == repr(again) == "OwnGrader(name='mine', kind='my_graders:brief', options={'most': 4})"
    assert one == again != grader_of("my_graders:brief", "mine", {"most": 5})


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("my_graders:absent", {}, "the grader 'my_graders:absent' is not found"),
        ("my_graders:", {}, "is no grader"),
        ("my_graders:number", {}, "is no grader"),
        ("my_graders:slow", {}, "is no grader"),
        ("my_graders:Bare", {}, "cannot be called"),
        ("my_graders:Polite", {"wrod": "x"}, "cannot be called: got an unexpected keyword argument 'wrod'"),
        ("my_graders:Polite", {"name": "x"}, "multiple values for keyword argument 'name'"),
        ("my_graders:Polite", {"word": ""}, "does not take these options: no word"),
        ("my_graders:brief", {"least": 1}, "cannot be called: got an unexpected keyword argument 'least'"),
        ("my_graders:ready", {"word": "x"}, "cannot be called"),
    ],
)
def test_what_is_none_is_refused_in_one_line(kind: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        grader_of(kind, "mine", options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_that_fails_cannot_tell_and_does_not_tell_the_prompt() -> None:
    with pytest.raises(UngradableError, match="the grader failed: KeyError") as caught:
        grader_of("my_graders:fails", "mine", {}).grade(ITEM)
    assert "secret" not in str(caught.value)


def test_in_a_blend_it_leaves_the_others_theirs() -> None:
    parts = ((grader_of("my_graders:fails", "a", {}), 1.0), (grader_of("my_graders:brief", "b", {"most": 4}), 1.0))
    assert Blend("both", parts).grade(ITEM) == 1.0


@pytest.mark.parametrize(("said", "quality"), [(None, None), (1, 1.0), (True, 1.0), (np.float32(0.5), 0.5)])
def test_numbers_of_any_make_are_qualities(said: object, quality: float | None) -> None:
    found = quality_of(lambda _: said, ITEM)
    assert found == quality
    assert found is None or type(found) is float


@pytest.mark.parametrize("said", [1.01, -0.1, math.nan, math.inf, np.float64(2), "secret", [0.5], np.ones(3)])
def test_all_else_is_none_and_no_text_is_quoted(said: object) -> None:
    with pytest.raises(UngradableError, match=r"which is not a quality|the grader failed: TypeError") as caught:
        quality_of(lambda _: said, ITEM)
    assert "secret" not in str(caught.value)


def test_a_grader_may_say_itself_why_it_cannot_tell() -> None:
    def unsure(item: Item) -> float:
        raise UngradableError("no sum to check")

    with pytest.raises(UngradableError, match=r"^no sum to check$"):
        quality_of(unsure, ITEM)


def test_who_stops_the_program_is_not_held_up() -> None:
    def leaves(item: Item) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quality_of(leaves, ITEM)
