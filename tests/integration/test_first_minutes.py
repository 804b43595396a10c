"""From an empty directory to the first routed call, as docs/first-minutes.md shows it and as a user types it."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from banditroute import open_router
from banditroute.cli.app import run
from banditroute.cli.services import SERVICES
from banditroute.cli.starting.local_servers import USUAL
from banditroute.testing.threaded_server import threaded_server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-minutes.md"
TRANSCRIPT = re.compile(r"test_first_minutes\.py.*?-->\n```console\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
VARIABLE = {variable for service in SERVICES for variable in service.variables}

CHANGING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\d+\.\d\d s\b"), "N s"),
    (re.compile(r"decision [0-9A-Z]{26}$", re.MULTILINE), "decision ID"),
    (re.compile(r"version \S+ with .*?(?=\n\d)", re.DOTALL), "version V with EXTRAS"),
    (re.compile(r" +$", re.MULTILINE), ""),
)
"""What differs from run to run and machine to machine, and what stands for it."""


@pytest.fixture(scope="module")
def ollama() -> Iterator[str]:
    """Host and port of a model server."""
    with threaded_server(models=("llama3.2:3b", "nomic-embed-text")) as server:
        yield server.base_url.removeprefix("http://").removesuffix("/v1")


def typed(command: str, folder: Path, host: str) -> subprocess.CompletedProcess[str]:
    """What a terminal of 80 columns shows of a command."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLE}
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = kept | {"PATH": scripts, "COLUMNS": "80", "NO_COLOR": "1", "OLLAMA_HOST": host}
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environ,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )


def alone() -> bool:
    """Whether nobody else listens where `init` looks for other model servers."""

    def listens(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return not any(listens(each.port) for each in USUAL if each.name != "ollama")


def plain(text: str) -> str:
    """The text without what changes."""
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return text


def test_the_transcript_is_what_happens(tmp_path: Path, ollama: str) -> None:
    found = TRANSCRIPT.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    shown = found["text"]
    commands = re.findall(r"^\$ (.*)$", shown, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["init", "doctor", "ask"]
    happened = ""
    for command in commands:
        to_run = command if alone() or command != "banditroute init" else f"{command} --provider ollama"
        done = typed(to_run, tmp_path, ollama)
        assert done.returncode == 0, done.stdout
        happened += f"$ {command}\n{done.stdout}"
    assert plain(happened) == plain(shown)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ollama: str) -> Path:
    """An empty directory to run commands in, in this process, which is quicker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", ollama)
    for variable in VARIABLE:
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_keys_and_prices_of_services_beside_the_local_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "sk-live-abcdefghijklmnopqrstuvwx"
    monkeypatch.setenv("GROQ_API_KEY", key)
    assert run(["init", "--provider", "groq", "--provider", "ollama", "--budget-usd", "0.5"]) == 0
    assert key not in (folder / "router.toml").read_text() + capsys.readouterr().out
    assert run(["prices", "diff"]) == 0
    capsys.readouterr()
    assert run(["ask", "hello", "--model", "llama3.2:3b", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["model"], answer["text"], answer["cost_usd"]) == (
        "llama3.2:3b",
        "Paris is the capital of France.",
        0,
    )
    assert run(["inspect", "--config", "router.toml", "--decision", answer["decision_id"]]) == 0
    assert answer["decision_id"] in capsys.readouterr().out
    monkeypatch.delenv("GROQ_API_KEY")
    assert run(["doctor"]) == 1
    assert "GROQ_API_KEY of provider groq is not set" in " ".join(capsys.readouterr().out.split())


def test_the_doctor_reads_the_store_that_ask_wrote(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--provider", "ollama"]) == 0
    assert run(["ask", "hello"]) == 0
    said = capsys.readouterr()
    assert said.out.endswith("Paris is the capital of France.\n")
    assert re.fullmatch(r"llama3\.2:3b for \w+: free, \d+\.\d\d s, decision [0-9A-Z]{26}\n", said.err)
    assert run(["doctor", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    (store,) = (line for line in lines if line["part"] == "store")
    assert store["told"].startswith("banditroute.db opens, its schema is this version's")
    assert "no decision yet" not in store["told"]
    assert (folder / "banditroute.db").exists()


def test_ask_without_an_answer_ends_with_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--provider", "ollama"]) == 0
    file = folder / "router.toml"
    file.write_text(f"{file.read_text()}\n[retry]\nbase_s = 0.01\ncap_s = 0.01\nrounds = 0\n")
    assert run(["ask", "fault:500"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no model answered (llama3.2:3b: HTTP 500")
    assert run(["ask", " "]) == 2
    assert capsys.readouterr().err == "TEXT: nothing to ask; give a text\n"
    file.unlink()
    assert run(["ask", "hello"]) == 2
    assert "banditroute init" in capsys.readouterr().err


async def test_ask_leaves_another_routers_calls_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(run, ["init", "--provider", "ollama"]) == 0
    async with open_router(folder / "router.toml") as router:
        decision = router.decide("hello")
        while not await router.learner.store.unsettled():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(run, ["ask", "hello"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("banditroute.db: calls of another router are on their way")
        router.record(decision, latency_s=0.1)
        while await router.learner.store.unsettled():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(run, ["ask", "hello"]) == 0
