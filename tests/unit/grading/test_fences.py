"""Fenced blocks, and the graders that read them."""

import pytest

from banditroute.grading.code import CodeCompiles
from banditroute.grading.fences import blocks
from banditroute.grading.protocol import Item
from banditroute.grading.structured import parsed
from banditroute.records import ChatRequest, Completion

MIXED = "```python\nx = 1\n```\nand then\n```json\n{}\n```\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MIXED, [("python", "x = 1"), ("json", "{}")]),
        ("````md\n```\nnested\n```\n````", [("md", "```\nnested\n```")]),
        ("~~~ TOML title\na = 1\n~~~", [("toml", "a = 1")]),
        ("```py\ncut off", [("py", "cut off")]),
        ("inline ```code``` is none", []),
        ("```\r\n1\r\n```\r\n", [("", "1\r")]),
        ("", []),
    ],
)
def test_blocks_of_a_text(text: str, found: list[tuple[str, str]]) -> None:
    assert list(blocks(text)) == found


def test_json_is_found_behind_a_block_of_another_language() -> None:
    assert parsed(MIXED) == {}


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        ("1. do\n\n   ```python\n   def f():\n       return 1\n   ```\n", 1.0),
        ("```python\nprint('\\d')\n```", 1.0),
        ("```python\nx = '\x00'\n```", 0.0),
        ("```python\nx = '\ud800'\n```", 0.0),
    ],
)
def test_code_of_a_block(code: str, quality: float) -> None:
    item = Item("d", "code", ChatRequest(()), Completion({}, code, None))
    assert CodeCompiles().grade(item) == quality
