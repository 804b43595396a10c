from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import StoreError
from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage import folding, reading
from banditroute.storage.batch import BatchWriter
from banditroute.storage.codec import dispatch_json, feedback_json, settlement_json
from banditroute.storage.connecting import connect_to_write, transaction
from banditroute.storage.folding import fold, rebuilt_of, state_of
from banditroute.storage.operations import Begin, Judge, LogOperation, Settle
from banditroute.storage.pending import Gap
from banditroute.storage.protocol import Dispatch, State
from banditroute.storage.pruning import prune_page
from banditroute.storage.schema import migrate
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement, assert_same


def begin(dispatch: Dispatch) -> Begin:
    decision = dispatch.decision
    return Begin(decision.decision_id, decision.at, dispatch_json(dispatch), None)


def settle(dispatch: Dispatch) -> Settle:
    made = a_settlement(dispatch)
    cost_usd = made.outcome.cost_usd
    return Settle(
        dispatch.decision.decision_id, settlement_json(made), made.lessons, made.charges, made.paces, cost_usd
    )


def judge(dispatch: Dispatch, source: str = "user") -> Judge:
    decision = dispatch.decision
    feedback = Feedback(decision.decision_id, 0.7, source, NOON)
    lesson = lesson_of(decision, a_settlement(dispatch).outcome, feedback)
    return Judge(decision.decision_id, source, feedback_json(feedback), lesson)


def served(numbers: Sequence[int]) -> list[LogOperation]:
    dispatches = [a_dispatch(number) for number in numbers]
    return [*map(begin, dispatches), *map(settle, dispatches)]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class File:
    """A file, and processes that write into it, each through a connection of its own."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.clock = Clock()
        self.connections: list[sqlite3.Connection] = []
        self.reader = self._connect()
        migrate(self.reader, path)

    def writer(self) -> BatchWriter:
        return BatchWriter(self._connect(), self.clock)

    def state(self) -> State:
        return state_of(self.reader)

    def rebuilt(self) -> State:
        return rebuilt_of(self.reader)

    def prune(self, before: float) -> int:
        return prune_page(self.reader, before)

    def folded(self) -> tuple[int, int, int]:
        return tuple(folding.places(self.reader).folded)

    def _connect(self) -> sqlite3.Connection:
        connection = connect_to_write(self.path, fsync=False)
        self.connections.append(connection)
        return connection

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    file = File(str(tmp_path / "store.db"))
    yield file
    file.close()


step = st.one_of(
    st.tuples(st.sampled_from(["serve", "begin", "settle", "judge"]), st.integers(0, 1), st.integers(0, 9)),
    st.tuples(st.sampled_from(["fold", "restart", "fail"]), st.integers(0, 1), st.just(0)),
    st.tuples(st.sampled_from(["prune", "replace"]), st.just(0), st.integers(0, 9)),
)


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(step, max_size=25))
def test_sums_and_rows_together_are_the_log(steps: list[tuple[str, int, int]], tmp_path_factory) -> None:
    """Whatever two processes do, the state is what the log rebuilds, and folding changes no bit of it."""
    file = File(str(tmp_path_factory.mktemp("law") / "store.db"))
    writers = [file.writer(), file.writer()]
    for what, who, number in steps:
        before = file.state()
        if what == "restart":
            writers[who] = file.writer()
        else:
            act(file, writers[who], what, number)
        if what in ("fold", "restart", "fail", "prune"):
            assert_same(file.state(), before, rtol=1e-12 if what == "prune" else 0)
        assert_same(file.state(), file.rebuilt())
        settled = {row.trail.decision.decision_id for row in reading.pages(file.reader) if row.trail.outcome}
        every = [row.trail.dispatch for row in reading.pages(file.reader)]
        assert reading.unsettled(file.reader) == [d for d in every if d.decision.decision_id not in settled]
    file.close()


def act(file: File, writer: BatchWriter, what: str, number: int) -> None:
    dispatch = a_dispatch(number)
    if what == "fold":
        writer.fold()
    elif what == "prune":
        file.prune(NOON + number)
    elif what == "replace":
        with transaction(file.reader):
            folding.replace(file.reader, file.rebuilt())
    elif what == "fail":
        dispatch = a_dispatch(78)
        with pytest.raises(sqlite3.Error):
            writer.write([*served([76, 77]), begin(dispatch), settle(dispatch)._replace(settlement=None)])
    else:
        operations = {"begin": [begin], "settle": [settle], "judge": [judge], "serve": [begin, settle]}[what]
        writer.write([operation(dispatch) for operation in operations])


def test_rows_are_folded_when_there_are_many(file: File) -> None:
    writer = file.writer()
    for number in range(255):
        writer.write(served([number]))
    assert not writer.fold_due
    writer.write([judge(a_dispatch(0))])
    assert writer.fold_due
    assert file.folded() == (0, 0, 0)
    writer.write(served([1000]))
    assert file.folded() == (255, 1, 0)
    assert_same(file.state(), file.rebuilt())


def test_rows_are_folded_when_one_has_waited(file: File) -> None:
    writer = file.writer()
    writer.write(served([1]))
    file.clock.now = 0.9
    assert not writer.fold_due
    file.clock.now = 1.0
    assert writer.fold_due
    writer.fold()
    assert file.folded() == (1, 0, 0)
    file.clock.now = 5.0
    assert not writer.fold_due


def test_rows_that_another_process_left_are_folded(file: File) -> None:
    file.writer().write(served(range(300)))
    writer = file.writer()
    writer.write(served([300]))
    writer.write(served([301]))
    assert file.folded()[0] == 301
    assert_same(file.state(), file.rebuilt())


def test_folding_reads_no_row_that_this_process_wrote(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = file.writer()
    writer.write(served(range(5)))
    before = file.state()
    monkeypatch.setattr("banditroute.storage.folding._add_outcomes", None)
    writer.fold()
    assert_same(file.state(), before, rtol=0)


def test_a_batch_that_failed_is_not_added_up(file: File) -> None:
    writer = file.writer()
    writer.write(served([1]))
    with pytest.raises(sqlite3.IntegrityError):
        writer.write([*served([2]), begin(a_dispatch(3)), settle(a_dispatch(3))._replace(settlement=None)])
    writer.fold()
    assert file.folded()[0] == 1
    assert_same(file.state(), file.rebuilt())


def test_a_number_is_not_given_again_when_its_row_is_gone(file: File) -> None:
    writer = file.writer()
    writer.write([*served([1]), judge(a_dispatch(1))])
    assert file.prune(NOON + 5.0) == 1
    writer.write([*served([2]), judge(a_dispatch(2))])
    file.writer().write([begin(a_dispatch(3))])
    assert sum(float(s.n) for edge, s in file.state().evidence.items() if edge.signal == "log_tokens") == 2
    assert_same(file.state(), file.rebuilt())


def test_widths_that_another_process_has_seen_are_held(file: File) -> None:
    one, two = file.writer(), file.writer()
    two.write(served([1]))
    one.write(served([0]))
    wide = a_dispatch(2, width=5)
    result = two.write([begin(wide), settle(wide)])[1]
    assert isinstance(result, StoreError)
    assert "has 5 inputs, the lesson 7" in str(result)
    assert_same(file.state(), file.rebuilt())


def test_widths_are_free_again_where_another_process_replaced_the_state(file: File) -> None:
    writer = file.writer()
    writer.write(served([0]))
    with transaction(file.reader):
        folding.replace(file.reader, State({}, {}, {}))
    wide = a_dispatch(2, width=5)
    assert writer.write([begin(wide), settle(wide)]) == [True, True]
    assert {sums.b.size for sums in file.state().evidence.values()} == {7}


def test_what_stays_unsettled_is_listed_and_the_rest_never(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_SPARED", 4)
    writer = file.writer()
    writer.write([begin(a_dispatch(0)), *served(range(1, 5)), *map(begin, map(a_dispatch, range(5, 10)))])
    writer.fold()
    assert file.folded()[2] == 6
    listed = file.reader.execute("SELECT decision FROM unsettled").fetchall()
    assert listed == [(1,), (6,)]
    assert reading.unsettled(file.reader) == [a_dispatch(number) for number in (0, 5, 6, 7, 8, 9)]
    writer.write([settle(a_dispatch(0)), settle(a_dispatch(7))])
    assert reading.unsettled(file.reader) == [a_dispatch(number) for number in (5, 6, 8, 9)]
    assert file.reader.execute("SELECT decision FROM unsettled").fetchall() == [(6,)]


def test_what_is_unsettled_is_found_without_reading_the_log(file: File) -> None:
    plan = file.reader.execute(f"EXPLAIN QUERY PLAN {reading._NOT_LISTED}").fetchall()
    assert any("SEARCH decision USING INTEGER PRIMARY KEY (rowid>?)" in row[3] for row in plan)


def test_one_decision_of_a_clock_that_ran_ahead_keeps_nothing_from_being_pruned(file: File) -> None:
    writer = file.writer()
    ahead = a_dispatch(0)
    ahead = replace(ahead, decision=replace(ahead.decision, at=NOON + 1e9))
    writer.write([begin(ahead), settle(ahead), *served(range(1, 20))])
    assert file.prune(NOON + 15.0) == 14
    assert_same(file.state(), file.rebuilt())


def test_a_damaged_row_is_an_error_and_changes_nothing(file: File) -> None:
    file.writer().write(served(range(3)))
    file.reader.execute("UPDATE outcome SET settlement = '{}' WHERE number = 2")
    with pytest.raises(StoreError, match="damaged"):
        file.writer().fold()
    with pytest.raises(StoreError, match="damaged"), transaction(file.reader):
        fold(file.reader)
    assert file.folded() == (0, 0, 0)


def test_of_two_that_write_each_reads_but_the_others_rows(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    writers = [file.writer(), file.writer()]
    for number in range(9):
        writers[number % 3 % 2].write([*served([number]), judge(a_dispatch(number))])
    read: list[Gap] = []

    def reading_of(add_rows):
        return lambda connection, gap, tally: (read.append(gap), add_rows(connection, gap, tally))

    for name in ("_add_outcomes", "_add_judgements"):
        monkeypatch.setattr(folding, name, reading_of(getattr(folding, name)))
    writers[0].fold()
    assert read == [Gap(2, 2), Gap(5, 5), Gap(8, 8)] * 2
    monkeypatch.undo()
    assert_same(file.state(), file.rebuilt(), rtol=0)
