from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from banditroute.routing.lessons import SIGNALS, Edge, Lesson
from banditroute.storage.packing import packed
from banditroute.storage.protocol import Paid, StoredKey, Switch, Window
from banditroute.storage.redis.sundries import key_bytes, key_of, switch_bytes, switch_of
from banditroute.storage.redis.wording import (
    bundle,
    edge_of,
    lesson_bytes,
    lesson_of,
    listed,
    named,
    paid_of,
    sums_of,
    window_of,
)
from banditroute.storage.tally import Tally

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def lessons(draw: st.DrawFn) -> Lesson:
    values = draw(st.tuples(*[st.none() | NUMBER] * len(SIGNALS)).filter(lambda each: any(v is not None for v in each)))
    x = tuple(draw(st.lists(NUMBER, min_size=1, max_size=30)))
    return Lesson(draw(TEXT), draw(TEXT), draw(TEXT), x, values, draw(st.floats(0, 1)))


@given(lessons())
def test_a_lesson_comes_back_bit_for_bit(lesson: Lesson) -> None:
    assert lesson_of(lesson_bytes(lesson)) == lesson


@given(lessons())
def test_the_head_of_a_lesson_has_a_line_for_each_edge(lesson: Lesson) -> None:
    data = lesson_bytes(lesson)
    (length,) = struct.unpack_from("<H", data)
    edges = [edge_of(line) for line in data[2 : 2 + length].split(b"\n")]
    seen = [signal for signal, value in zip(SIGNALS, lesson.values, strict=True) if value is not None]
    assert edges == [Edge(lesson.task, lesson.model, signal, lesson.encoder_version) for signal in seen]


@given(TEXT, TEXT)
def test_names_part_nothing_that_stands_together(one: str, other: str) -> None:
    text = named(one, other)
    assert window_of(text) == Window(one, other)
    assert not {b"\n", b"\t"} & {text[place : place + 1] for place in range(len(text))}


@given(st.lists(st.binary() | TEXT | st.integers() | NUMBER, max_size=8))
def test_a_bundle_is_each_part_after_its_length(parts: list[bytes | str | int | float]) -> None:
    data, read = bundle(parts), []
    while data:
        (length,) = struct.unpack_from("<I", data)
        read.append(data[4 : 4 + length])
        data = data[4 + length :]
    plain = [part if isinstance(part, str | bytes) else repr(part) for part in parts]
    assert read == [part if isinstance(part, bytes) else part.encode() for part in plain]


def test_lists_say_how_many_items_they_have() -> None:
    assert listed([(b"a", 1.5), (b"b", 2.5)]) == [2, b"a", 1.5, b"b", 2.5]
    assert listed([]) == [0]


def test_sums_come_back() -> None:
    tally = Tally()
    tally.learn([Lesson("qa", "small", "v1", (1.0, 0.1), (0.3, None, None, None))])
    (sums,) = tally.state().evidence.values()
    vector = packed(sums)
    np.testing.assert_array_equal(sums_of(vector.astype("<f8").tobytes()), vector)


def test_what_was_paid_is_read_from_its_two_fields() -> None:
    flat = [b'requests ["a b"]', b"3", b'usd ["a b"]', b"0.10000000000000001"]
    assert paid_of(flat) == {"a b": Paid(3, 0.1)}


@given(TEXT, TEXT, st.binary(), st.none() | NUMBER)
def test_switches_and_keys_come_back(name: str, value: str, digest: bytes, rate: float | None) -> None:
    switch = Switch("only", value, 1.5, name)
    assert switch_of(switch_bytes(switch)) == switch
    key = StoredKey(name, value, digest, "t", (name,), (), rate, admin=True, created_at=2.5)
    assert key_of(key_bytes(key)) == key
