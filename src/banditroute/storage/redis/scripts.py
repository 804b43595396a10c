"""The scripts that the server runs: each is atomic, and one command to send.

A script's file begins with the parts of the store that it touches, as `-- keys: a b`, which are its local names of
their keys, and with the files of common functions that it uses, as `-- uses: c d`.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import NamedTuple

from .namespace import Namespace
from .wording import Argument, bundle

Command = tuple[Argument, ...]
"""A command's words."""


class Script(NamedTuple):
    """One script.

    Attributes:
        source: in Lua.
        sha: what the server knows it by once it was loaded.
        parts: of the store, whose keys it is given, in their order.
    """

    source: str
    sha: str
    parts: tuple[str, ...]


NAMES = (
    "begin",
    "settle",
    "judge",
    "adjust",
    "replace",
    "prune",
    "exchange",
    "exchange_beside",
    "standing",
    "confirm",
    "renew",
    "mark",
    "gain",
    "beside",
    "drop",
    "keep",
    "note",
    "state",
    "retired",
    "trail",
    "named",
    "page",
    "naming",
    "newest",
)


@cache
def script(name: str) -> Script:
    """The script of that name."""
    text = _text(name)
    parts = _listed(text, "keys")
    local = f"local {', '.join(parts)} = unpack(KEYS)\n"
    source = "".join([local, *map(_text, _listed(text, "uses")), text])
    return Script(source, sha1(source.encode(), usedforsecurity=False).hexdigest(), parts)


def command(namespace: Namespace, name: str, *arguments: Argument, index: str = "") -> Command:
    """The command that has a script run.

    Args:
        namespace: whose keys it works on.
        name: which script.
        arguments: what it is given.
        index: the part of the store that a script takes which works on any of several.
    """
    return (*_beginning(namespace.name, name, index), *arguments)


def telling(namespace: Namespace, name: str, *parts: Argument) -> Command:
    """The command that has a script run which is told much, all of it in one argument."""
    return (*_beginning(namespace.name, name, ""), bundle(parts))


@cache
def _beginning(namespace: str, name: str, index: str) -> Command:
    _, sha, parts = script(name)
    key = Namespace(namespace).key
    keys = [key(index if part == "index" else part) for part in parts]
    return ("EVALSHA", *(word.encode() for word in (sha, str(len(keys)), *keys)))


def _text(name: str) -> str:
    return files("banditroute.storage.redis").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")


def _listed(text: str, what: str) -> tuple[str, ...]:
    heads = (line.removeprefix(f"-- {what}:") for line in text.splitlines() if line.startswith(f"-- {what}:"))
    return tuple(name for head in heads for name in head.split())
