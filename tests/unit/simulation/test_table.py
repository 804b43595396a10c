"""The outcome table in memory: what it guarantees, choosing rows, aligning models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import TableError
from banditroute.simulation.table import OutcomeTable

nan = np.nan


@pytest.fixture
def table() -> OutcomeTable:
    return OutcomeTable(
        name="three",
        ids=("r0", "r1", "r2"),
        models=("small", "large"),
        tasks=("code", "qa"),
        task_of=np.array([1, -1, 0]),
        input_tokens=np.array([10.0, nan, 30.0]),
        features=np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
        at=np.array([0.5, nan, 1.5]),
        prompts=("a", None, "c"),
        quality=np.array([[0.0, 1.0], [0.5, nan], [nan, 0.25]]),
        cost_usd=np.array([[0.1, 1.0], [0.2, nan], [nan, 3.0]]),
        output_tokens=np.array([[7.0, nan], [nan, nan], [nan, 9.0]]),
        latency_s=np.full((3, 2), nan),
    )


def test_observed_is_where_quality_is_known(table: OutcomeTable) -> None:
    assert table.requests == 3
    assert table.observed.tolist() == [[True, True], [True, False], [False, True]]


def test_arrays_cannot_be_written_and_do_not_follow_the_callers(table: OutcomeTable) -> None:
    quality = table.quality.copy()
    other = replace(table, quality=quality)
    quality[0, 0] = 0.75
    assert other.quality[0, 0] == 0.0
    for field in ("task_of", "input_tokens", "features", "at", "quality", "cost_usd", "output_tokens", "latency_s"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(table, field)[0] = 0


def test_the_callers_array_stays_writable(table: OutcomeTable) -> None:
    cost_usd = table.cost_usd * 2
    replace(table, cost_usd=cost_usd)
    cost_usd[0, 0] = 5.0


@pytest.mark.parametrize(
    "rows", [[2, 0], np.array([2, 0]), (2, 0), slice(None, None, -2)], ids=["list", "array", "tuple", "slice"]
)
def test_select_takes_rows_in_the_order_asked_for(table: OutcomeTable, rows: object) -> None:
    chosen = table.select(list(rows) if isinstance(rows, tuple) else rows)  # type: ignore[arg-type]
    assert chosen.ids == ("r2", "r0")
    assert chosen.prompts == ("c", "a")
    assert chosen.task_of.tolist() == [0, 1]
    np.testing.assert_array_equal(chosen.quality, [[nan, 0.25], [0.0, 1.0]])
    np.testing.assert_array_equal(chosen.cost_usd, [[nan, 3.0], [0.1, 1.0]])
    np.testing.assert_array_equal(chosen.output_tokens, [[nan, 9.0], [7.0, nan]])
    np.testing.assert_array_equal(chosen.features, [[4.0, 5.0], [0.0, 1.0]])
    np.testing.assert_array_equal(chosen.input_tokens, [30.0, 10.0])
    np.testing.assert_array_equal(chosen.at, [1.5, 0.5])
    assert (chosen.models, chosen.tasks, chosen.name) == (table.models, table.tasks, "three")


def test_select_takes_masks_repeats_and_nothing(table: OutcomeTable) -> None:
    assert table.select(table.observed[:, 1]).ids == ("r0", "r2")
    assert table.select([1, 1, 0]).ids == ("r1", "r1", "r0")
    nothing = table.select([])
    assert nothing.requests == 0
    assert nothing.quality.shape == (0, 2)
    assert nothing.features.shape == (0, 2)


def test_with_models_reorders_adds_and_drops(table: OutcomeTable) -> None:
    aligned = table.with_models(["large", "new"])
    assert aligned.models == ("large", "new")
    np.testing.assert_array_equal(aligned.quality, [[1.0, nan], [nan, nan], [0.25, nan]])
    np.testing.assert_array_equal(aligned.cost_usd, [[1.0, nan], [nan, nan], [3.0, nan]])
    np.testing.assert_array_equal(aligned.output_tokens, [[nan, nan], [nan, nan], [9.0, nan]])
    assert not aligned.observed[:, 1].any()
    assert aligned.ids == table.ids


def test_with_models_of_its_own_changes_nothing(table: OutcomeTable) -> None:
    same = table.with_models(table.models)
    np.testing.assert_array_equal(same.quality, table.quality)
    np.testing.assert_array_equal(same.latency_s, table.latency_s)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quality": np.zeros((3, 1))}, "quality: has shape (3, 1); 3 rows and 2 models make it (3, 2)"),
        ({"task_of": np.zeros(2, dtype=np.int64)}, "task_of: has shape (2,); 3 rows and 2 models make it (3,)"),
        ({"features": np.zeros(3)}, "features: has 1 axes, not 2"),
        ({"prompts": ("a",)}, "prompts: holds 1 texts for 3 rows"),
        ({"ids": ("r0", "", "r2")}, "ids: a name is empty"),
        ({"models": ("small", "small")}, "models: a name stands there twice"),
        ({"tasks": ("qa", "qa")}, "tasks: a name stands there twice"),
        ({"task_of": np.array([0, 2, -1])}, "task_of: row 1 (r1): 2 is not an index into tasks"),
        ({"features": np.array([[0.0, 1], [nan, 1], [0, 1]])}, "features: row 1 (r1): nan is not finite"),
        ({"at": np.array([0.0, 1, np.inf])}, "at: row 2 (r2): inf is not finite"),
        ({"input_tokens": np.array([0.0, 1.5, nan])}, "input_tokens: row 1 (r1): 1.5 is not a whole number"),
        (
            {"quality": np.array([[0.0, 1.2], [0.5, nan], [nan, 0.25]])},
            "quality: row 0 (r0), model large: 1.2 is above 1",
        ),
        (
            {"cost_usd": np.array([[0.1, 1.0], [-0.2, nan], [nan, 3.0]])},
            "cost_usd: row 1 (r1), model small: -0.2 is not a finite number of at least 0",
        ),
        (
            {"cost_usd": np.array([[0.1, nan], [0.2, nan], [nan, 3.0]])},
            "cost_usd: row 0 (r0), model large: nan is given without quality, or missing beside it",
        ),
        (
            {"latency_s": np.array([[0.1, 1.0], [0.2, 2.0], [nan, 3.0]])},
            "latency_s: row 1 (r1), model large: 2 is given without quality and cost_usd",
        ),
    ],
)
def test_a_contradiction_is_refused(table: OutcomeTable, changes: dict[str, object], message: str) -> None:
    with pytest.raises(TableError) as refused:
        replace(table, **changes)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_tables_with_equal_contents_are_two_tables(table: OutcomeTable) -> None:
    assert table != replace(table)
    assert len({table, replace(table)}) == 2
