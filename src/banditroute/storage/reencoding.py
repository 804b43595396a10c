"""Giving a store's decisions the features of another encoder, where their prompts were kept."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import orjson

from banditroute.errors import StoreError
from banditroute.records import ChatRequest, Decision

from .codec import dispatch_json, dispatch_of
from .connecting import transaction
from .faults import explained
from .folding import rebuilt_of
from .folding import replace as put_in_place
from .protocol import Dispatch
from .rebuilding import alone
from .schema import check_version

Encode = Callable[[ChatRequest, Decision], tuple[float, ...]]
"""The features of a request, of which a decision was made."""

_PAGE = 500
_ROWS = "SELECT seq, dispatch, prompt FROM decision WHERE seq > ? ORDER BY seq LIMIT ?"
_WRITE = "UPDATE decision SET dispatch = ? WHERE seq = ?"


class Reencoded(NamedTuple):
    """What became of the decisions that another encoder had seen.

    Attributes:
        encoded: those whose prompt was kept: they teach the new encoder now.
        left: those whose prompt was not: they teach it nothing.
    """

    encoded: int
    left: int


def reencode(path: str | os.PathLike[str], encode: Encode, version: str) -> Reencoded:
    """Encodes kept prompts anew and makes the state what the log amounts to then, all or nothing.

    What was drawn and with which probabilities stays on record as it was: only what is learned from changes.

    Raises:
        StoreError: another connection has the file open; or it cannot be written, or a row is damaged. Nothing is
            changed then.
    """
    where = os.fspath(path)
    with explained(where, "encode the store's prompts"):
        connection = alone(where)
        try:
            with transaction(connection):
                check_version(connection, where)
                done = _rewritten(connection, encode, version)
                put_in_place(connection, rebuilt_of(connection))
            return done
        finally:
            connection.close()


def _rewritten(connection: sqlite3.Connection, encode: Encode, version: str) -> Reencoded:
    encoded = left = 0
    for seq, dispatch in _other(connection, version):
        if dispatch.prompt is None:
            left += 1
            continue
        decision = dispatch.decision
        features = encode(_request(dispatch.prompt), decision)
        context = replace(decision.context, features=features, encoder_version=version)
        anew = replace(dispatch, decision=replace(decision, context=context))
        connection.execute(_WRITE, (dispatch_json(anew), seq))
        encoded += 1
    return Reencoded(encoded, left)


def _other(connection: sqlite3.Connection, version: str) -> Iterator[tuple[int, Dispatch]]:
    """Decisions that another encoder saw, with their numbers; page by page, for they are changed meanwhile."""
    last = -1
    while rows := connection.execute(_ROWS, (last, _PAGE)).fetchall():
        for seq, text, prompt in rows:
            dispatch = dispatch_of(text, prompt)
            if dispatch.decision.context.encoder_version != version:
                yield seq, dispatch
        last = rows[-1][0]


def _request(prompt: bytes) -> ChatRequest:
    try:
        return ChatRequest(tuple(orjson.loads(prompt)))
    except (ValueError, TypeError) as error:
        raise StoreError(f"a prompt that was kept cannot be read: {error}; the store is damaged") from error
