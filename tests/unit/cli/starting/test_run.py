"""`banditroute init`: what it is told, and what it refuses."""

import math
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from banditroute.cli.app import run
from banditroute.cli.services import SERVICES
from banditroute.cli.starting import questions
from banditroute.cli.starting import run as starting
from banditroute.cli.starting.local_servers import Address
from banditroute.testing.threaded_server import threaded_server

KEY = "sk-live-1234567890abcdefghijklmnop"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory on a machine where nothing listens and no key is set."""
    monkeypatch.chdir(tmp_path)
    for variable in (name for service in SERVICES for name in service.variables):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(starting, "addresses", lambda *_: [])
    return tmp_path


def test_without_anything_one_line_says_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "export OPENAI_API_KEY" in line
    assert "banditroute demo" in line
    assert list(folder.iterdir()) == []


def test_the_key_itself_is_written_nowhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert run(["init", "--budget-usd", "2"]) == 0
    said = capsys.readouterr()
    text = (folder / "router.toml").read_text()
    assert KEY not in text + said.out + said.err
    assert 'api_key_env = "OPENAI_API_KEY"' in text
    assert said.out.splitlines()[-2:] == [
        "wrote router.toml: 3 models, at most $2.00 a day",
        "next: banditroute doctor",
    ]


def test_a_file_that_is_there_is_left_alone_unless_forced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "router.toml"
    file.write_text("mine")
    assert run(["init", "--provider", "groq"]) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert run(["init", "--provider", "groq", "--force"]) == 0
    assert tomllib.loads(file.read_text())["providers"][0]["name"] == "groq"


def test_a_name_that_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--provider", "grok"]) == 2
    assert "did you mean 'groq'?" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--budget-usd", "--local-usd-per-mtok"])
def test_an_amount_without_end(option: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--provider", "groq", option, "inf"]) == 2
    assert capsys.readouterr() == ("", f"{option}: inf is not an amount of dollars; give a number\n")
    assert list(folder.iterdir()) == []


def test_what_was_asked_for_and_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--provider", "groq", "--provider", "vllm", "--local", "127.0.0.1:9"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "left out vllm: no model to chat with answers there",
        "left out 127.0.0.1:9: no model to chat with answers there",
    ]


def test_a_servers_words_move_no_cursor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with threaded_server(models=("a\x1b[2Jb",)) as server:
        monkeypatch.setattr(starting, "addresses", lambda *_: [Address("ollama", server.base_url)])
        assert run(["init"]) == 0
        assert "a?[2Jb" in capsys.readouterr().out
        file = folder / "router.toml"
        file.write_text(file.read_text().replace('upstream = "a', 'upstream = "x'))
        assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "does not list x?[2Jb" in " ".join(said.split())
    assert "\x1b" not in said


def test_on_a_terminal_the_user_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    answers = iter([False, True])
    amounts = iter([-1.0, math.inf, math.nan, 0.5])
    monkeypatch.setattr(questions.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(questions.typer, "confirm", lambda *_, **__: next(answers))
    monkeypatch.setattr(questions.typer, "prompt", lambda *_, **__: next(amounts))
    assert run(["init"]) == 0
    written = tomllib.loads((folder / "router.toml").read_text())
    assert [provider["name"] for provider in written["providers"]] == ["groq"]
    assert written["budgets"][0]["usd"] == 0.5
    assert run(["init", "--yes", "--force"]) == 0
    assert "2 providers" not in capsys.readouterr().err


def test_help_needs_neither_numpy_nor_the_network() -> None:
    code = (
        "import sys; from banditroute.cli.app import run; "
        "codes = [run([each, '--help']) for each in ('init', 'doctor', 'ask')]; "
        "sys.exit(any(codes) or any(name in sys.modules for name in ('numpy', 'aiohttp', 'banditroute.config')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0
