"""Runs outlast the process that made them; a file that holds something else is never taken for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.tuning.runs import KeptRuns, Run


def a_run(budget_usd: float) -> Run:
    return Run(
        budget_usd=budget_usd,
        quality=np.array([0.8, 0.9]),
        cost_usd=budget_usd * np.array([0.9, 1.1]),
        row_quality=np.array([0.1, 1 / 3, 1.0]),
        row_cost_usd=budget_usd * np.array([0.5, 1.0, 1.5]),
        share=np.array([0.25, 0.75]),
        task_share=np.array([[0.5, 0.5], [0.0, 1.0]]),
    )


def same(one: Run, other: Run) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Run.__slots__)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two runs of the tuning "mine"."""
    path = tmp_path / "runs.jsonl"
    runs = KeptRuns(path, "mine")
    runs.add(a_run(0.1))
    runs.add(a_run(0.2))
    return path


def test_runs_come_back_to_the_last_bit(kept: Path) -> None:
    runs = KeptRuns(kept, "mine").runs
    assert list(runs) == [0.1, 0.2]
    assert all(same(runs[budget], a_run(budget)) for budget in runs)


def test_without_a_file_they_last_as_long_as_the_object() -> None:
    runs = KeptRuns(None, "mine")
    runs.add(a_run(0.1))
    assert list(runs.runs) == [0.1]
    assert KeptRuns(None, "mine").runs == {}


@pytest.mark.parametrize("cut", [1, 2, 60])
def test_a_torn_last_run_is_made_again(kept: Path, cut: int) -> None:
    kept.write_bytes(kept.read_bytes()[:-cut])
    runs = KeptRuns(kept, "mine")
    assert list(runs.runs) == [0.1]
    runs.add(a_run(0.2))
    assert list(KeptRuns(kept, "mine").runs) == [0.1, 0.2]


def test_an_empty_file_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.touch()
    KeptRuns(path, "mine").add(a_run(0.1))
    assert list(KeptRuns(path, "mine").runs) == [0.1]


@pytest.mark.parametrize("text", [b"precious\n", b"precious", b'{"tuning":"other"}\n', b"[1]\n", b"\xff\n"])
def test_what_is_not_this_tunings_is_refused_and_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(text)
    with pytest.raises(InputError, match="holds another tuning"):
        KeptRuns(path, "mine")
    assert path.read_bytes() == text


@pytest.mark.parametrize("line", [b"{}\n", b"precious\n", b'{"budget_usd":"x"}\n'])
def test_a_broken_line_between_is_named(kept: Path, line: bytes) -> None:
    first, second, third = kept.read_bytes().splitlines(keepends=True)
    kept.write_bytes(first + second + line + third)
    with pytest.raises(InputError) as caught:
        KeptRuns(kept, "mine")
    assert (caught.value.path, caught.value.line) == (str(kept), 3)


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose another place"):
        KeptRuns(tmp_path, "mine")
    with pytest.raises(InputError, match="choose another place"):
        KeptRuns(tmp_path / "nowhere" / "runs.jsonl", "mine").add(a_run(0.1))
