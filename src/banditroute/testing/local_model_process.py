"""The process of a local model: reads its settings from standard input, says where it listens, ends with the input."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve: `context_tokens` is the sum over all slots."""

    path: str
    name: str
    api_key: str | None
    context_tokens: int
    slots: int


def main() -> None:
    """Serves until standard input ends."""
    settings = Settings(**orjson.loads(sys.stdin.buffer.readline()))
    answers = _own_stdout()
    server = _serve(settings)
    os.write(answers, f"{server.listening_address}\n".encode())
    sys.stdin.buffer.read()
    # Without the interpreter's farewell: requests under way would hold up the server's threads.
    os._exit(0)


def _own_stdout() -> int:
    """A descriptor of standard output that llama.cpp does not know; what it writes goes to standard error."""
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def _serve(settings: Settings) -> Any:
    xllamacpp: Any = import_module("xllamacpp")  # has no types
    params = xllamacpp.CommonParams()
    params.model.path = settings.path
    params.model_alias = {settings.name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = settings.context_tokens
    params.n_parallel = settings.slots
    # A thread belongs to a connection for as long as it is kept alive; with few, new ones wait for seconds.
    params.n_threads_http = 64
    params.ui = False
    params.warmup = False
    params.verbosity = 1
    # One thread that sleeps while it waits: spinning ones would take the machine from whatever is being measured.
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads = 1
        threads.poll = 0
    if settings.api_key is not None:
        params.api_keys = [settings.api_key]
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
