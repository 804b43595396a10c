"""Reading outcome tables: every format, and one clear line for everything that can be wrong with a file."""

from __future__ import annotations

import codecs
import csv
import decimal
import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from banditroute.errors import InputError, MissingExtraError, TableError
from banditroute.simulation.loading import load_table
from banditroute.simulation.saving import save_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from banditroute.simulation.table import OutcomeTable

nan = np.nan
GOOD = '{"id": "r1", "outcomes": {"small": {"quality": 1, "cost_usd": 0.1}}}'
HEADER = "id,task,quality__a,cost_usd__a"
REAL = Path(__file__).parents[4] / "shared" / "data" / "outcomes"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def row(model: str = "small", /, *, without: str = "", **changes: Any) -> str:
    """A line of JSON, sound but for the changes; those of outcome fields go to the model."""
    outcome: dict[str, Any] = {"quality": 0.5, "cost_usd": 0.1}
    values: dict[str, Any] = {"id": "r2", "outcomes": {model: outcome}}
    for field, value in changes.items():
        inside = field in ("quality", "cost_usd", "output_tokens", "latency_s")
        (outcome if inside else values)[field] = value
    for holder in (outcome, values):
        holder.pop(without, None)
    return json.dumps(values)


def load_text(text: str | bytes, name: str = "t.jsonl") -> OutcomeTable:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load_table(name)


def message_of(text: str | bytes, name: str = "t.jsonl") -> str:
    """The one line that loading the text stops with."""
    with pytest.raises(TableError) as refused:
        load_text(text, name)
    message = str(refused.value)
    assert "\n" not in message
    assert refused.value.remedy
    return message


# --- what a good file becomes


def test_json_lines_become_arrays() -> None:
    table = load_text(
        '{"id": "x", "task": "qa", "prompt": "Why?", "input_tokens": 12, "features": [0.5, -1], "at": 3.5, '
        '"outcomes": {"b": {"quality": 1, "cost_usd": 0.25, "output_tokens": 40, "latency_s": 1.5}}}\n'
        '{"id": "y", "task": "code", "features": [2, 3e-1], "outcomes": '
        '{"a": {"quality": 0.5, "cost_usd": 0}, "b": {"quality": 0, "cost_usd": 0.5}}}\n'
        '{"id": "z", "features": [0, 0], "outcomes": {"a": {"quality": 0.125, "cost_usd": 1e-5}}}\n',
        "mine.jsonl",
    )
    assert table.name == "mine"
    assert table.ids == ("x", "y", "z")
    assert table.models == ("b", "a")  # as they appear
    assert table.tasks == ("code", "qa")  # sorted
    assert table.task_of.tolist() == [1, 0, -1]
    assert table.prompts == ("Why?", None, None)
    np.testing.assert_array_equal(table.input_tokens, [12, nan, nan])
    np.testing.assert_array_equal(table.features, [[0.5, -1], [2, 0.3], [0, 0]])
    np.testing.assert_array_equal(table.at, [3.5, nan, nan])
    np.testing.assert_array_equal(table.quality, [[1, nan], [0, 0.5], [nan, 0.125]])
    np.testing.assert_array_equal(table.cost_usd, [[0.25, nan], [0.5, 0], [nan, 1e-5]])
    np.testing.assert_array_equal(table.output_tokens, [[40, nan], [nan, nan], [nan, nan]])
    np.testing.assert_array_equal(table.latency_s, [[1.5, nan], [nan, nan], [nan, nan]])


def test_the_least_table_has_no_features_and_no_classes() -> None:
    table = load_text(GOOD)
    assert table.features.shape == (1, 0)
    assert table.tasks == ()
    assert table.task_of.tolist() == [-1]
    assert table.observed.tolist() == [[True]]


def test_csv_becomes_the_same_table_as_json_lines() -> None:
    lines = [row(task="qa", features=[1, 2.5], latency_s=2), row("large", id="r3", features=[0, -1], at=7)]
    table = load_text("\n".join(lines))
    models = "quality__small,cost_usd__small,latency_s__small,quality__large,cost_usd__large"
    header = f"id,task,at,feature__1,feature__0,{models}"
    again = load_text(f"{header}\nr2,qa,,2.5,1,0.5,0.1,2,,\nr3,,7,-1,0,,,,0.5,0.1\n", "t.csv")
    for field in ("ids", "models", "tasks", "prompts"):
        assert getattr(again, field) == getattr(table, field)
    for field in ("task_of", "at", "features", "quality", "cost_usd", "output_tokens", "latency_s"):
        np.testing.assert_array_equal(getattr(again, field), getattr(table, field), err_msg=field)


def test_null_is_absent_unknown_keys_are_ignored_and_blank_lines_skipped() -> None:
    line = row(task=None, features=None, at=None, latency_s=None, note={"by": "us"}, cost=3)
    table = load_text(f"\n{line}\n \n{GOOD}")
    assert table.ids == ("r2", "r1")
    assert table.tasks == ()
    assert np.isnan(table.latency_s).all()


def test_an_empty_prompt_is_none_and_whole_floats_are_tokens() -> None:
    table = load_text(row(prompt="", input_tokens=12.0))
    assert table.prompts == (None,)
    assert table.input_tokens.tolist() == [12]


@pytest.mark.parametrize("path", ["t.jsonl", Path("t.jsonl"), "T.JSONL"])
def test_paths_come_as_text_or_path_in_any_case(path: str | Path) -> None:
    Path(path).write_text(GOOD)
    assert load_table(path).ids == ("r1",)


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "t.csv", "t.csv.gz"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_byte_order_marks_line_ends_and_gzip_make_no_difference(name: str, line_end: str, mark: bytes) -> None:
    lines = [GOOD, row()] if "jsonl" in name else [HEADER, "r1,é,1,0.1", '"r2","q,a",0.5,0.1']
    data = mark + line_end.join([*lines, ""]).encode()
    table = load_text(gzip.compress(data) if name.endswith(".gz") else data, name)
    assert table.ids == ("r1", "r2")
    assert table.name == "t"


def test_line_separators_of_unicode_do_not_end_a_line_of_json() -> None:
    line = '{"id": "r1", "prompt": "a\u2028b\u0085c", "outcomes": {"a": {"quality": 1, "cost_usd": 0}}}'
    assert load_text(line).prompts == ("a\u2028b\u0085c",)


def test_csv_cells_hold_commas_quotes_lines_and_long_prompts() -> None:
    limit = csv.field_size_limit()
    long = "word " * 40_000
    table = load_text(f'id,prompt,quality__a,cost_usd__a\nx,"say ""hi"",\nthen go",1,0\ny,{long},1,0\n', "t.csv")
    assert table.prompts == ('say "hi",\nthen go', long)
    assert csv.field_size_limit() == limit


def test_a_model_that_no_row_of_a_csv_observed_is_not_in_the_table() -> None:
    table = load_text("id,quality__a,cost_usd__a,quality__b,cost_usd__b\nx,1,0,,\ny,0,0,,\n", "t.csv")
    assert table.models == ("a",)


def test_csv_headers_may_have_spaces_and_columns_of_ones_own() -> None:
    table = load_text("id, note, quality__a__b, cost_usd__a__b, note\nx, good, 1, 0.5, again\n", "t.csv")
    assert table.models == ("a__b",)
    assert table.cost_usd.tolist() == [[0.5]]


# --- what a bad line of JSON stops with

OF_A_SCORE = "give a score from 0 to 1, or leave the model out of this row if it was not observed"
OF_DOLLARS = "give dollars, 0 or more, or leave the model out of this row if it was not observed"
OF_AN_ID = "give every row a text that no other row has"
OF_FEATURES = "give finite numbers, equally many on every row, or leave features out of all rows"
OF_TOKENS = "give a whole number of tokens or leave it out"
OF_A_LINE = "write one JSON object per line"
OF_OUTCOMES = "give the outcome of at least one model"

BAD_LINES = {
    "cut": (row()[:20], f"is not JSON: EOF while parsing a string at column 20; {OF_A_LINE}"),
    "two objects": (row() + row(), f"is not JSON: trailing characters at column {len(row()) + 1}; {OF_A_LINE}"),
    "list": ("[1]", f"is [1], not an object; {OF_A_LINE}"),
    "null": ("null", f"is null, not an object; {OF_A_LINE}"),
    "no id": (row(without="id"), f"id: is missing; {OF_AN_ID}"),
    "id null": (row(id=None), f"id: is missing; {OF_AN_ID}"),
    "id number": (row(id=7), f"id: is 7, not text; {OF_AN_ID}"),
    "id vast number": (row(id=10**30), f"id: is {10**30}, not text; {OF_AN_ID}"),
    "id empty": (row(id=""), f"id: is empty; {OF_AN_ID}"),
    "id again": (row(id="r1"), f"id: r1 already stands at t.jsonl:1; {OF_AN_ID}"),
    "no outcomes": (row(without="outcomes"), f"outcomes: is missing; {OF_OUTCOMES}"),
    "outcomes empty": (row(outcomes={}), f"outcomes: is empty; {OF_OUTCOMES}"),
    "outcomes list": (row(outcomes=[1]), f"outcomes: is [1], not an object; {OF_OUTCOMES}"),
    "model nameless": (row(""), "outcomes: a model's name is empty; name every model"),
    "model number": (
        row(outcomes={"gpt-4o": 0.5}),
        "outcomes.gpt-4o: is 0.5, not an object; "
        "give the model's quality and cost_usd, or leave it out of this row if it was not observed",
    ),
    "model null": (
        row(outcomes={"gpt-4o": None}),
        "outcomes.gpt-4o: is missing; "
        "give the model's quality and cost_usd, or leave it out of this row if it was not observed",
    ),
    "no quality": (row("gpt-4o", without="quality"), f"outcomes.gpt-4o.quality: is missing; {OF_A_SCORE}"),
    "quality null": (row("m", quality=None), f"outcomes.m.quality: is missing; {OF_A_SCORE}"),
    "quality text": (row("m", quality="0.5"), f'outcomes.m.quality: is "0.5", not a number; {OF_A_SCORE}'),
    "quality bool": (row("m", quality=True), f"outcomes.m.quality: is true, not a number; {OF_A_SCORE}"),
    "quality NaN": (row("m", quality=nan), f"outcomes.m.quality: is NaN or infinite; {OF_A_SCORE}"),
    "quality infinite": (row("m", quality=np.inf), f"outcomes.m.quality: is NaN or infinite; {OF_A_SCORE}"),
    "quality vast": (row("m", quality=10**400), f"outcomes.m.quality: is NaN or infinite; {OF_A_SCORE}"),
    "quality high": (row("m", quality=1.5), f"outcomes.m.quality: is 1.5, above 1; {OF_A_SCORE}"),
    "quality low": (row("m", quality=-0.1), f"outcomes.m.quality: is -0.1, below 0; {OF_A_SCORE}"),
    "model spans lines": (row("a\nb", quality=2), f"outcomes.'a\\nb'.quality: is 2, above 1; {OF_A_SCORE}"),
    "no cost": (row("m", without="cost_usd"), f"outcomes.m.cost_usd: is missing; {OF_DOLLARS}"),
    "cost negative": (row("m", cost_usd=-1), f"outcomes.m.cost_usd: is -1, below 0; {OF_DOLLARS}"),
    "tokens negative": (row("m", output_tokens=-3), f"outcomes.m.output_tokens: is -3, below 0; {OF_TOKENS}"),
    "tokens broken": (
        row("m", output_tokens=2.5),
        f"outcomes.m.output_tokens: is 2.5, not a whole number; {OF_TOKENS}",
    ),
    "latency negative": (
        row("m", latency_s=-1),
        "outcomes.m.latency_s: is -1, below 0; give seconds as a number of at least 0 or leave it out",
    ),
    "input tokens text": (row(input_tokens="12"), f'input_tokens: is "12", not a number; {OF_TOKENS}'),
    "task number": (row(task=3), "task: is 3, not text; name the row's task class or leave it out"),
    "task empty": (row(task=""), "task: is empty; name the row's task class or leave it out"),
    "prompt messages": (
        row(prompt=[{"role": "user", "content": "a long question about something"}]),
        'prompt: is [{"role": "user", "content": "a long ..., not text; give the prompt as text or leave it out',
    ),
    "at date": (
        row(at="2024-05-01"),
        'at: is "2024-05-01", not a number; give the instant in seconds as a number or leave it out',
    ),
    "features late": (
        row(features=[1]),
        "features: has 1 numbers, the first row has none; "
        "give every row equally many, or leave features out of all rows",
    ),
    "features text": (row(features=[1, "2"]), f'features[1]: is "2", not a number; {OF_FEATURES}'),
    "features NaN": (row(features=[nan]), f"features[0]: is NaN or infinite; {OF_FEATURES}"),
    "features map": (row(features={"a": 1}), f'features: is {{"a": 1}}, not a list; {OF_FEATURES}'),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_of_json_is_named(case: str) -> None:
    line, expected = BAD_LINES[case]
    assert message_of(f"{GOOD}\n\n{line}\n") == f"t.jsonl:3: {expected}"


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [([1, 2], [1], "has 1 numbers, the first row has 2"), ([1, 2], None, "has no numbers, the first row has 2")],
)
def test_ragged_features_are_refused(first: list[float], second: list[float] | None, found: str) -> None:
    lines = f"{row(features=first)}\n{row(id='r3', features=second)}"
    remedy = "give every row equally many, or leave features out of all rows"
    assert message_of(lines) == f"t.jsonl:2: features: {found}; {remedy}"


def test_the_parts_of_a_message_can_be_read_by_a_program() -> None:
    Path("t.jsonl").write_text(f"{GOOD}\n{row('gpt-4o', quality=2)}")
    with pytest.raises(InputError) as refused:
        load_table("t.jsonl")
    error = refused.value
    assert (error.path, error.line, error.field) == ("t.jsonl", 2, "outcomes.gpt-4o.quality")
    assert error.problem == "is 2, above 1"
    assert error.__cause__ is None


# --- what a bad file stops with


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t.jsonl.gz"])
@pytest.mark.parametrize("data", [b"", b"\n \n", codecs.BOM_UTF8])
def test_an_empty_file_is_refused(name: str, data: bytes) -> None:
    data = gzip.compress(data) if name.endswith(".gz") else data
    assert message_of(data, name) == f"{name}: has no rows; give it at least one"


def test_another_encoding_is_refused_at_its_line() -> None:
    latin1 = f"{GOOD}\n".encode() + '{"id": "é"}'.encode("latin-1")
    assert message_of(latin1) == "t.jsonl:2: byte 0xe9 is not UTF-8; save the file as UTF-8"
    assert message_of(GOOD.encode("utf-16")) == "t.jsonl:1: byte 0xff is not UTF-8; save the file as UTF-8"


def test_a_truncated_gzip_is_refused() -> None:
    whole = gzip.compress(GOOD.encode())
    expected = "t.jsonl.gz: is cut off in the middle of its gzip stream; copy it again"
    for kept in (12, len(whole) // 2, len(whole) - 1):
        assert message_of(whole[:kept], "t.jsonl.gz") == expected


def test_a_damaged_gzip_is_refused() -> None:
    whole = gzip.compress(GOOD.encode())
    assert message_of(GOOD, "t.jsonl.gz").startswith("t.jsonl.gz: is not sound gzip: Not a gzipped file")
    flipped = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
    assert message_of(flipped, "t.jsonl.gz").startswith("t.jsonl.gz: is not sound gzip: CRC check failed")


def test_a_path_that_is_no_table_is_refused() -> None:
    Path("folder.jsonl").mkdir()
    Path("t.txt").write_text(GOOD)
    for path, expected in {
        "folder.jsonl": "folder.jsonl: is a directory; give the path of one file",
        "absent.jsonl": "absent.jsonl: there is no such file; check the path",
        "t.txt/t.jsonl": "t.txt/t.jsonl: cannot be read: Not a directory; check the file and its folder",
        "t.txt": "t.txt: is not named like an outcome table; "
        "end its name in .jsonl, .jsonl.gz, .csv, .csv.gz, .parquet",
    }.items():
        with pytest.raises(TableError) as refused:
            load_table(path)
        assert str(refused.value) == expected


# --- what is particular to CSV

BAD_CSV = {
    "no id": (
        "task,quality__a,cost_usd__a",
        "1: id: there is no such column; name the columns id, quality__MODEL, cost_usd__MODEL; CSV separates by commas",
    ),
    "no models": (
        "id,task",
        "1: quality__MODEL: there is no such column; give each model quality__MODEL and cost_usd__MODEL",
    ),
    "no cost": (
        "id,quality__a",
        "1: cost_usd__a: there is no such column beside quality__a; give each model both quality and cost_usd",
    ),
    "latency alone": (
        "id,latency_s__a",
        "1: quality__a: there is no such column beside latency_s__a; give each model both quality and cost_usd",
    ),
    "column twice": (
        f"{HEADER},quality__a",
        "1: quality__a: stands in the header twice; rename or remove one of the two columns",
    ),
    "model nameless": ("id,quality__,cost_usd__", "1: quality__: names no model; put the model's name after the __"),
    "features gap": (
        f"{HEADER},feature__0,feature__2",
        "1: feature__1: there is no such column; number the 2 feature columns from feature__0 without a gap",
    ),
    "features list": (
        f"{HEADER},features",
        "1: features: a cell cannot hold a list; write columns feature__0, feature__1, ...",
    ),
    "no rows": (HEADER, " has no rows; give it at least one"),
    "few cells": (
        f"{HEADER}\nx,t,1",
        "2: has 3 cells, the header has 4; give every line as many, and quote cells that hold commas or newlines",
    ),
    "quote open": (
        f'{HEADER}\nx,t,1,0\ny,"t,1,0\n',
        '3: is not CSV: unexpected end of data; quote a cell as "...", and a quote within it as ""',
    ),
    "number NaN": (f"{HEADER}\nx,t,nan,0", f"2: quality__a: is NaN or infinite; {OF_A_SCORE}"),
    "number word": (f"{HEADER}\nx,t,good,0", f'2: quality__a: is "good", not a number; {OF_A_SCORE}'),
    "number high": (f"{HEADER}\nx,t,2,0", f"2: quality__a: is 2.0, above 1; {OF_A_SCORE}"),
    "cost empty": (f"{HEADER}\nx,t,1,", f"2: cost_usd__a: is missing; {OF_DOLLARS}"),
    "nothing observed": (f"{HEADER}\nx,t,,", f"2: quality__*: is empty; {OF_OUTCOMES}"),
    "id empty": (f"{HEADER}\n,t,1,0", f"2: id: is missing; {OF_AN_ID}"),
    "id again": (f"{HEADER}\nx,t,1,0\n\nx,t,1,0", f"4: id: x already stands at t.csv:2; {OF_AN_ID}"),
    "after a cell of two lines": (
        f'{HEADER}\nx,"a\nb",1,0\ny,t,1,-1',
        f"4: cost_usd__a: is -1.0, below 0; {OF_DOLLARS}",
    ),
    "feature empty": (f"{HEADER},feature__0,feature__1\nx,t,1,0,0.5,", f"2: feature__1: is missing; {OF_FEATURES}"),
    "tokens alone": (
        f"{HEADER},quality__b,cost_usd__b,output_tokens__b\nx,t,1,0,,,5",
        f"2: quality__b: is missing; {OF_A_SCORE}",
    ),
}


@pytest.mark.parametrize("case", BAD_CSV)
def test_a_bad_csv_is_named(case: str) -> None:
    text, expected = BAD_CSV[case]
    assert message_of(text, "t.csv") == f"t.csv:{expected}"


# --- what is particular to Parquet

SOUND: Mapping[str, list[Any]] = {"id": ["x", "y"], "quality__a": [1.0, 0.5], "cost_usd__a": [0.1, 0.2]}


def write_parquet(columns: Mapping[str, Any]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(dict(columns)), "t.parquet")


@pytest.mark.parametrize(
    "features",
    [{"features": [[1.0, 2.0], [3.0, 4.0]]}, {"feature__1": [2, 4], "feature__0": [1, 3]}],
    ids=["a list", "columns"],
)
def test_parquet_features_are_a_list_or_columns(features: Mapping[str, list[Any]]) -> None:
    write_parquet({**SOUND, **features, "unrelated": [{"a": 1}, None]})
    assert load_table("t.parquet").features.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_parquet_nulls_are_absent_and_decimals_numbers() -> None:
    write_parquet(
        {**SOUND, "cost_usd__a": [decimal.Decimal("0.25"), None], "quality__a": [1, None]}
        | {"quality__b": [None, 0.5], "cost_usd__b": [None, 0.0], "task": ["qa", None], "input_tokens": [3, None]}
    )
    table = load_table("t.parquet")
    np.testing.assert_array_equal(table.cost_usd, [[0.25, nan], [nan, 0]])
    np.testing.assert_array_equal(table.input_tokens, [3, nan])
    assert table.task_of.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"quality__a": [1.0, nan]}, f":2: quality__a: is NaN or infinite; {OF_A_SCORE}"),
        ({"quality__a": [True, False]}, f":1: quality__a: is true, not a number; {OF_A_SCORE}"),
        ({"id": [1, 2]}, f":1: id: is 1, not text; {OF_AN_ID}"),
        ({"id": ["x", "x"]}, f":2: id: x already stands at t.parquet:1; {OF_AN_ID}"),
        ({"features": [[1.0], [None]]}, f":2: features[0]: is missing; {OF_FEATURES}"),
        (
            {"features": [[1.0], [1.0]], "feature__0": [1, 1]},
            ": features: stands beside feature__0; keep one of the two",
        ),
        (
            {"quality__b": [1, 1]},
            ": cost_usd__b: there is no such column beside quality__b; give each model both quality and cost_usd",
        ),
    ],
)
def test_a_bad_parquet_is_named(changes: Mapping[str, list[Any]], expected: str) -> None:
    write_parquet({**SOUND, **changes})
    with pytest.raises(TableError) as refused:
        load_table("t.parquet")
    assert str(refused.value) == f"t.parquet{expected}"


@pytest.mark.parametrize("kept", [0, 2, -10])
def test_a_truncated_parquet_is_refused(kept: int) -> None:
    write_parquet(SOUND)
    data = Path("t.parquet").read_bytes()
    assert message_of(data[:kept], "t.parquet").startswith("t.parquet: is not readable as Parquet: ")


def test_parquet_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(SOUND)
    table = load_table("t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"reading Parquet needs the 'parquet' extra"):
        load_table("t.parquet")
    with pytest.raises(MissingExtraError, match=r"writing Parquet needs the 'parquet' extra"):
        save_table(table, "again.parquet")
    assert not Path("again.parquet").exists()


# --- real tables


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared folder with real tables is absent")
@pytest.mark.parametrize("name", ["judged9_test", "judged9_val", "llmrouter11", "mmlu29"])
def test_a_real_table_is_what_a_naive_reader_sees(name: str) -> None:
    path = REAL / f"{name}.jsonl.gz"
    table = load_table(path)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    assert table.ids == tuple(row["id"] for row in rows)
    assert table.prompts == tuple(row.get("prompt") or None for row in rows)
    assert [table.tasks[c] for c in table.task_of] == [row["task"] for row in rows]
    np.testing.assert_array_equal(table.input_tokens, [row["input_tokens"] for row in rows])
    np.testing.assert_array_equal(table.features, np.array([row.get("features", []) for row in rows], dtype=float))
    for field in ("quality", "cost_usd", "output_tokens", "latency_s"):
        naive = [[row["outcomes"].get(model, {}).get(field, nan) for model in table.models] for row in rows]
        np.testing.assert_array_equal(getattr(table, field), naive, err_msg=field)
