"""How commands end, as a shell sees it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from banditroute._version import __version__
from banditroute.cli import replay
from banditroute.cli.app import run
from banditroute.errors import InputError, MissingExtraError

MAIN = "from banditroute.cli import main; main()"


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def failing(error: BaseException) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("extra", ["typer", "rich"])
def test_without_the_extra_one_line_says_what_to_install(extra: str) -> None:
    done = python(f"import sys; sys.modules[{extra!r}] = None; {MAIN}", "demo")
    assert done.returncode == 2
    assert done.stderr == "the command line needs the 'cli' extra; run: pip install 'banditroute[cli]'\n"
    assert done.stdout == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"banditroute {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("simulate", "demo", "prices"))
    assert "completion" not in out


def test_help_needs_neither_numpy_nor_the_simulator() -> None:
    code = (
        "import sys; from banditroute.cli.app import run; code = run(['simulate', '--help']); "
        "sys.exit(code or any(name in sys.modules for name in ('numpy', 'scipy', 'banditroute.simulation')))"
    )
    assert python(code).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["simulat"], "No such command 'simulat'"),
        (["simulate"], "Missing argument 'TABLE'"),
        (["simulate", "t.jsonl", "--seed", "x"], "Invalid value for '--seed'"),
        (["demo", "--bogus"], "No such option"),
    ],
)
def test_usage_errors_are_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert " --help" in err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            InputError("is odd", path="t.jsonl", line=3, field="id", remedy="mend it"),
            "t.jsonl:3: id: is odd; mend it\n",
        ),
        (MissingExtraError("this", "plots"), "this needs the 'plots' extra; run: pip install 'banditroute[plots]'\n"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    error: Exception, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replay, "load_table", failing(error))
    assert run(["demo", "--replay"]) == 2
    assert capsys.readouterr().err == line


def test_what_is_our_own_fault_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "load_table", failing(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError, match="ours"):
        run(["demo", "--replay"])


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(replay, "load_table", failing(KeyboardInterrupt()))
    assert run(["demo", "--replay"]) == 130
    assert capsys.readouterr().out == ""


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-c", MAIN, "simulate", "--help"]
    reading, writing = os.pipe()
    os.close(reading)  # before the first word, so that no word can be faster
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", MAIN, "simulate", "--help"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("standard output: cannot be read or written: no space left")


@pytest.mark.parametrize("group", ["config", "prices"])
def test_a_group_without_a_command_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([group]) == 2
    said = capsys.readouterr()
    assert len((said.out + said.err).splitlines()) > 5
