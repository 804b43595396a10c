"""Laws of outcome tables: what is saved is what is loaded, in every format; aligning and choosing lose nothing."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from banditroute.errors import TableError
from banditroute.simulation.loading import load_table
from banditroute.simulation.saving import save_table
from banditroute.simulation.table import OutcomeTable

FORMATS = ["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"]
ARRAYS = ("task_of", "input_tokens", "features", "at", "quality", "cost_usd", "output_tokens", "latency_s")

texts = st.text(min_size=1, max_size=12)  # any Unicode but lone surrogates: controls, quotes, commas, line ends
amounts = st.floats(0, allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.one_of(st.integers(0, 2**53).map(float), st.floats(2.0**53, 1e300))
scores = st.floats(0, 1)


def maybe(values: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.one_of(st.just(np.nan), values)


@st.composite
def tables(draw: st.DrawFn) -> OutcomeTable:
    """Any table that a file can hold: each row observes a model, each model and class occurs."""
    n, K = draw(array_shapes(min_dims=2, max_dims=2, max_side=5))
    p = draw(st.integers(0, 3))
    tasks = draw(st.lists(texts, unique=True, max_size=3))
    task_of = draw(arrays(np.int64, n, elements=st.integers(-1, len(tasks) - 1)))
    used = sorted({tasks[c] for c in task_of if c >= 0})
    observed = draw(arrays(np.bool_, (n, K)))
    observed[np.arange(n), np.arange(n) % K] = True
    observed[np.arange(K) % n, np.arange(K)] = True

    def cells(elements: st.SearchStrategy[float]) -> np.ndarray:
        return np.where(observed, draw(arrays(np.float64, (n, K), elements=elements)), np.nan)

    return OutcomeTable(
        name="any",
        ids=tuple(draw(st.lists(texts, unique=True, min_size=n, max_size=n))),
        models=tuple(draw(st.lists(texts, unique=True, min_size=K, max_size=K))),
        tasks=tuple(used),
        task_of=np.array([used.index(tasks[c]) if c >= 0 else -1 for c in task_of]),
        input_tokens=draw(arrays(np.float64, n, elements=maybe(counts))),
        features=draw(arrays(np.float64, (n, p), elements=numbers)),
        at=draw(arrays(np.float64, n, elements=maybe(numbers))),
        prompts=tuple(draw(st.lists(st.none() | texts, min_size=n, max_size=n))),
        quality=cells(scores),
        cost_usd=cells(amounts),
        output_tokens=cells(maybe(counts)),
        latency_s=cells(maybe(amounts)),
    )


def in_order_of_appearance(table: OutcomeTable) -> OutcomeTable:
    first = np.argmax(table.observed, axis=0)
    return table.with_models([table.models[k] for k in np.argsort(first, kind="stable")])


def assert_same(actual: OutcomeTable, expected: OutcomeTable) -> None:
    for field in ("ids", "models", "tasks", "prompts"):
        assert getattr(actual, field) == getattr(expected, field), field
    for field in ARRAYS:
        np.testing.assert_array_equal(getattr(actual, field), getattr(expected, field), err_msg=field)


def through(table: OutcomeTable, *endings: str) -> OutcomeTable:
    """The table after being saved and loaded once in each format."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in endings:
            path = Path(folder, f"any.{ending}")
            save_table(table, path)
            table = load_table(path)
        assert len(list(Path(folder).iterdir())) == len(endings)  # no drafts are left behind
    return table


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables())
def test_what_is_saved_is_what_is_loaded(ending: str, table: OutcomeTable) -> None:
    loaded = through(table, ending)
    assert loaded.name == "any"
    assert_same(loaded.with_models(table.models), table)
    assert_same(loaded, in_order_of_appearance(table))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables().map(in_order_of_appearance))
def test_converting_through_every_format_changes_nothing(table: OutcomeTable) -> None:
    assert_same(through(table, *FORMATS), table)


@settings(max_examples=60, deadline=None)
@given(table=tables(), data=st.data())
def test_choosing_and_aligning_commute_and_can_be_undone(table: OutcomeTable, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(table.requests)))
    models = data.draw(st.permutations([*table.models, "\ud7ff a model that no table has"]))
    one = table.select(order).with_models(models)
    assert_same(one, table.with_models(models).select(order))
    assert_same(one.select(np.argsort(order)).with_models(table.models), table)


def complaint(path: Path) -> TableError | None:
    """What loading the file stops with, if it does."""
    try:
        assert load_table(path).requests >= 1
    except TableError as error:
        return error
    return None


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=60))
@example(data=b'{"id": "x", "outcomes": {"a": {"quality": 1, "cost_usd": 1}}}')
@example(data=b"id,quality__a,cost_usd__a\r\nx,1,0\r\n")
def test_whatever_a_file_holds_it_is_a_table_or_one_line_of_complaint(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("jsonl", "csv", "jsonl.gz"):
            path = Path(folder, f"any.{ending}")
            path.write_bytes(data)
            if error := complaint(path):
                assert str(error).startswith(str(path))
                assert len(str(error).splitlines()) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_field_it_is_a_table_or_one_line(data: st.DataObject) -> None:
    field = data.draw(
        st.sampled_from(["id", "task", "prompt", "input_tokens", "features", "at", "outcomes", "quality"])
    )
    outcome = {"quality": 1, "cost_usd": 1}
    row = {"id": "x", "outcomes": {"a": outcome}}
    (outcome if field == "quality" else row)[field] = data.draw(json_values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.jsonl")
        path.write_text(json.dumps(row))
        if error := complaint(path):
            assert str(error).startswith(f"{path}:1: ")
            assert error.remedy
            assert len(str(error).splitlines()) == 1
        else:
            table = load_table(path)
            assert_same(through(table, "csv"), table)


@given(table=tables())
@settings(max_examples=20, deadline=None)
def test_a_table_that_could_not_be_loaded_again_is_not_written(table: OutcomeTable) -> None:
    unloadable = [table.select([]), table.select([0, 0]), table.with_models(["a model that no table has"])]
    assume("a model that no table has" not in table.models)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.jsonl")
        path.write_text("as it was")
        for bad in unloadable:
            with pytest.raises(TableError):
                save_table(bad, path)
        assert path.read_text() == "as it was"
        assert [file.name for file in Path(folder).iterdir()] == ["any.jsonl"]
