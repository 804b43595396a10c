"""How edges, windows, lessons and rows are written as bytes that scripts can take apart, and read back.

Names stand as JSON: it has no line end and no tab, so that these can part what stands together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import orjson
from numpy.typing import NDArray

from banditroute.errors import UnknownDecisionError
from banditroute.routing.lessons import SIGNALS, Edge, Lesson
from banditroute.storage.codec import dispatch_of, feedback_of, pace_json, pace_of, settled_of
from banditroute.storage.packing import width_of
from banditroute.storage.protocol import Paid, Trail, Window
from banditroute.storage.reading import Logged
from banditroute.storage.tally import LoggedPace, Tally

Floats = NDArray[np.float64]

_HEAD, _LENGTH = struct.Struct("<H"), struct.Struct("<I")

Argument = str | bytes | int | float


def named(*names: str) -> bytes:
    """Names as one."""
    return orjson.dumps(names)


def edge_of(text: bytes) -> Edge:
    """The edge that was written."""
    return Edge(*orjson.loads(text))


def window_of(text: bytes) -> Window:
    """The window that was written."""
    return Window(*orjson.loads(text))


def lesson_bytes(lesson: Lesson) -> bytes:
    """A lesson: the edges that it tells something of, and its numbers."""
    seen = [value for value in lesson.values if value is not None]
    head = _head(lesson.task, lesson.model, lesson.encoder_version, tuple([each is not None for each in lesson.values]))
    numbers = (lesson.weight, *seen, *lesson.x)
    return _HEAD.pack(len(head)) + head + struct.pack(f"<{len(numbers)}d", *numbers)


@lru_cache(maxsize=4096)
def _head(task: str, model: str, version: str, seen: tuple[bool, ...]) -> bytes:
    signals = (signal for signal, is_seen in zip(SIGNALS, seen, strict=True) if is_seen)
    return b"\n".join(named(task, model, signal, version) for signal in signals)


def lesson_of(data: bytes) -> Lesson:
    """The lesson that was written."""
    (length,) = _HEAD.unpack_from(data)
    edges = [edge_of(line) for line in data[2 : 2 + length].split(b"\n")]
    numbers = np.frombuffer(data, dtype="<f8", offset=2 + length).tolist()
    weight, seen, x = numbers[0], numbers[1 : 1 + len(edges)], numbers[1 + len(edges) :]
    values = dict(zip((edge.signal for edge in edges), seen, strict=True))
    quality, tokens, latency, ttft = (values.get(signal) for signal in SIGNALS)
    task, model, _, version = edges[0]
    return Lesson(task, model, version, tuple(x), (quality, tokens, latency, ttft), weight)


def sums_of(data: bytes) -> Floats:
    """The vector of an edge's evidence.

    Raises:
        StoreError: it is none.
    """
    vector = np.frombuffer(data, dtype="<f8", count=len(data) // 8).astype(np.float64)
    width_of(vector)
    return vector


def settlement_text(row: bytes) -> str:
    """The settlement of an outcome's row."""
    return row.partition(b"\n")[2].decode()


def logged_of(seq: int, row: Sequence[bytes | None]) -> Logged:
    """What a script found of a decision.

    Raises:
        StoreError: it is damaged.
    """
    _, begun, prompt, settled, judged = row
    dispatch = dispatch_of((begun or b"").partition(b"\n")[2].decode(), prompt)
    lines = (judged or b"").splitlines()
    feedback = tuple(feedback_of(line.rpartition(b"\t")[2].decode()) for line in lines)
    if settled is None:
        return Logged(seq, Trail(dispatch, feedback=feedback), (), 0)
    outcome, charges, paces = settled_of(settlement_text(settled))
    return Logged(seq, Trail(dispatch, outcome, charges, feedback), paces, int(settled.split(b" ", 1)[0]))


def trail_of(decision_id: str, row: Sequence[bytes | None]) -> Trail:
    """The trail of what a script found.

    Raises:
        UnknownDecisionError: it found nothing.
        StoreError: it is damaged.
    """
    if row[1] is None:
        raise UnknownDecisionError(decision_id)
    return logged_of(0, row).trail


def logged_pace(text: bytes) -> LoggedPace:
    """The pace that was written, after its number."""
    number, _, record = text.partition(b"\n")
    return LoggedPace(int(number), pace_of(record.decode()))


def paid_of(flat: Sequence[bytes]) -> dict[str, Paid]:
    """What each budget has paid for, by the fields of its hash: one for requests, one for dollars."""
    found: dict[str, Paid] = {}
    for field, value in pairs(flat):
        what, _, name = field.partition(b" ")
        budget = orjson.loads(name)[0]
        known = found.get(budget, Paid())
        found[budget] = Paid(int(value), known.usd) if what == b"requests" else Paid(known.requests, float(value))
    return found


def evidence_parts(sums: Mapping[Edge, Floats]) -> list[Argument]:
    """Evidence, as scripts are told it."""
    return listed([(named(*edge), each.astype("<f8").tobytes()) for edge, each in sums.items()])


def tally_parts(tally: Tally) -> list[Argument]:
    """A tally, as scripts are told it."""
    paces = tally.paces.values()
    return [
        *evidence_parts(tally.evidence),
        *listed([(named(*window), float(usd)) for window, usd in tally.spent_usd.items()]),
        *listed([(named(pace.record.budget), f"{pace.number}\n{pace_json(pace.record)}") for pace in paces]),
        *listed([(named(budget), paid.requests, float(paid.usd)) for budget, paid in tally.paid.items()]),
    ]


def pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What a hash holds, by field, from the server's list of both in turn."""
    return zip(flat[::2], flat[1::2], strict=True)


def bundle(parts: Iterable[Argument]) -> bytes:
    """Parts as one argument: each after its length."""
    out: list[bytes] = []
    for part in parts:
        data = part if isinstance(part, bytes) else (part if isinstance(part, str) else repr(part)).encode()
        out += (_LENGTH.pack(len(data)), data)
    return b"".join(out)


def listed(items: Sequence[tuple[Argument, ...]]) -> list[Argument]:
    """The parts of items one after another, after the number of these."""
    return [len(items), *(part for item in items for part in item)]
