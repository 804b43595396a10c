import math
from pathlib import Path

import pytest

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.fingerprints import Fingerprints
from banditroute.benching.journal import Journal
from banditroute.benching.journal_reading import Kept
from banditroute.errors import InputError

PRINTS = Fingerprints("p1", "g1", {"a": "a1", "b": "b1"})
CALL = FinishedCall(
    CallKey("one", "a"),
    spent_usd=0.3,
    cost_usd=0.25,
    latency_s=0.5,
    input_tokens=4,
    output_tokens=6,
    grades={"right": 1.0},
    ungraded={"judge": "it is away"},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl.calls"


def kept(path: Path, prints: Fingerprints = PRINTS, *, retry_failed: bool = False) -> Kept:
    with Journal(path, prints, retry_failed=retry_failed) as journal:
        return journal.kept


async def write(path: Path, *calls: FinishedCall) -> None:
    with Journal(path, PRINTS) as journal:
        for call in calls:
            journal.begun(call.key, 0.9)
            await journal.finished(call)


async def test_a_finished_call_comes_back_as_it_was(path: Path) -> None:
    await write(path, CALL)
    found = kept(path)
    assert found.calls == {CALL.key: CALL}
    assert (found.spent_usd, found.lost, found.lost_usd) == (0.3, 0, 0.0)


async def test_a_call_that_was_under_way_counts_at_its_worst(path: Path) -> None:
    with Journal(path, PRINTS) as journal:
        journal.begun(CallKey("one", "a"), 0.9)
        journal.judged(0.1)
        journal.begun(CallKey("two", "a"), 0.7)
        journal.left(CallKey("two", "a"), 0.2)
    found = kept(path)
    assert (found.lost, found.lost_usd) == (1, 0.9)
    assert found.spent_usd == pytest.approx(0.3)
    assert found.judging_usd == pytest.approx(0.1)


async def test_a_line_that_was_cut_is_taken_away_and_the_file_goes_on(path: Path) -> None:
    await write(path, CALL, FinishedCall(CallKey("two", "a"), spent_usd=0.1))
    path.write_bytes(path.read_bytes()[:-9])
    assert kept(path).calls.keys() == {CALL.key}
    third = FinishedCall(CallKey("three", "b"), "RejectedError")
    await write(path, third)
    assert kept(path).calls == {CALL.key: CALL, third.key: third}


async def test_a_line_that_is_none_is_refused_with_its_place(path: Path) -> None:
    await write(path, CALL)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b'{"kind": "other"}\n', *lines[1:]]))
    with pytest.raises(InputError, match=r"out\.jsonl\.calls:2: is no line of a benchmark's journal"):
        kept(path)


def test_a_file_of_somebody_elses_is_left_as_it_is(path: Path) -> None:
    path.write_text("mine, without a line's end")
    with pytest.raises(InputError, match=r"out\.jsonl\.calls:1: is no line of a benchmark's journal"):
        kept(path)
    assert path.read_text() == "mine, without a line's end"
    path.write_text('{"kin')  # ours, cut off while its first line was written
    assert kept(path).calls == {}


async def test_failed_calls_may_be_asked_for_again_and_stay_paid(path: Path) -> None:
    await write(path, FinishedCall(CallKey("one", "a"), "TimedOutError", spent_usd=0.2))
    again = kept(path, retry_failed=True)
    assert (again.calls, again.spent_usd) == ({}, 0.2)
    await write(path, CALL)
    assert kept(path, retry_failed=True).calls == {CALL.key: CALL}


async def test_only_what_was_asked_binds(path: Path) -> None:
    await write(path, CALL)
    assert kept(path, Fingerprints("p1", "g1", {"b": "b2"})).spent_usd == 0.3
    with pytest.raises(InputError, match="changed since it was begun: model a; "):
        kept(path, Fingerprints("p1", "g1", {"a": "a2", "b": "b2"}))
    with pytest.raises(InputError, match="changed since it was begun: the prompts, graders or judges; "):
        kept(path, Fingerprints("p2", "g2", {"a": "a1"}))


async def test_a_model_that_never_answered_may_be_put_right(path: Path) -> None:
    await write(path, FinishedCall(CallKey("one", "a"), "UnfitError"), FinishedCall(CallKey("one", "b"), spent_usd=0.1))
    mended = Fingerprints("p1", "g1", {"a": "a2", "b": "b1"})
    with Journal(path, mended) as journal:
        assert journal.kept.calls.keys() == {CallKey("one", "b")}
        journal.begun(CallKey("one", "a"), 0.1)
        await journal.finished(CALL)
    assert kept(path, mended).calls.keys() == {CallKey("one", "a"), CallKey("one", "b")}
    with pytest.raises(InputError, match="changed since it was begun: model a; "):
        kept(path)


def test_a_journal_in_which_nothing_was_begun_leaves_nothing(path: Path) -> None:
    kept(path)
    assert not path.exists()


async def test_one_process_at_a_time(path: Path) -> None:
    with Journal(path, PRINTS) as journal:
        journal.begun(CallKey("one", "a"), math.inf)
        with pytest.raises(InputError, match="another benchmark is writing it"):
            Journal(path, PRINTS)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "nowhere" / "x.calls", PRINTS)
