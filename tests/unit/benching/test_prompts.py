import gzip
from pathlib import Path

import pytest

from banditroute.benching.prompts import read_prompts
from banditroute.errors import InputError


def read(tmp_path: Path, text: str, name: str = "p.jsonl") -> Path:
    path = tmp_path / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz"])
def test_prompts_are_read_with_all_that_is_sent_along(tmp_path: Path, name: str) -> None:
    text = (
        '{"prompt": "One?", "max_tokens": 9, "temperature": 0}\n\n'
        '{"id": 7, "messages": [{"role": "user", "content": "Two?"}], "task": "qa", "expected": 42}\n'
    )
    found = read_prompts(read(tmp_path, text, name))
    first, second = found.rows
    assert found.name == "p"
    assert (first.id, first.task, first.expected) == ("line-1", None, None)
    assert dict(first.request.params) == {"max_tokens": 9, "temperature": 0}
    assert first.request.messages == ({"role": "user", "content": "One?"},)
    assert (second.id, second.task, second.expected) == ("7", "qa", "42")
    assert not second.request.params


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is"),
        ("{}", "prompt: is missing; write"),
        ('{"prompt": "a", "messages": []}', "prompt: stands beside messages"),
        ('{"prompt": ""}', "prompt: is empty"),
        ('{"prompt": 3}', "prompt: is 3, not text"),
        ('{"messages": []}', "messages: no message"),
        ('{"messages": [{"role": "boss", "content": "x"}]}', "messages[0].role: 'boss' is not a role"),
        ('{"prompt": "a", "max_tokens": 0}', "max_tokens: 0 is not a number from 1 up"),
        ('{"prompt": "a", "model": "x"}', "model: is not for a prompt to say; leave it out"),
        ('{"prompt": "a", "max_cost_usd": 1}', "max_cost_usd: is not for a prompt to say"),
        ('{"prompt": "a", "task": "judge:x"}', "task: begins with judge:"),
        ('{"prompt": "a", "id": true}', "id: "),
        ('{"prompt": "a", "id": "ok"}', "id: 'ok' stands on line 1 already"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path: Path, line: str, words: str) -> None:
    path = read(tmp_path, f'{{"id": "ok", "prompt": "fine"}}\n{line}\n')
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    problem = str(caught.value)
    assert problem.startswith(f"{path}:2: ")
    assert words in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("p.txt", "x", "not a file of JSON lines"), ("p.jsonl", "\n", "has no prompts")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_prompts(read(tmp_path, text, name))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_prompts(tmp_path / "none.jsonl")
