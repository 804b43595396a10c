"""Lines of several processes on one pipe stay lines."""

from __future__ import annotations

import io
import json
import sys

from hypothesis import given
from hypothesis import strategies as st

from banditroute.gateway.access_log import _PIECE, _pieces, log_of


@given(st.lists(st.integers(0, 3 * _PIECE), max_size=12), st.booleans())
def test_pieces_are_whole_lines_that_a_pipe_takes_at_once(lengths, is_ended):
    data = b"\n".join(b"x" * length for length in lengths) + b"\n" * is_ended
    pieces = list(_pieces(data))
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert all(len(piece) <= _PIECE or piece.count(b"\n", 0, -1) == 0 for piece in pieces)


async def test_every_line_tells_the_worker_where_there_are_several(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, write_through=True))
    for worker in (None, 2):
        log = log_of(None, worker)
        log.event("Some", {"model": "small"})
        await log.aclose()
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line.get("worker") for line in lines] == [None, 2]
