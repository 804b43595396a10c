"""Rows out of a store are read by the rules of a file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from banditroute.errors import InputError
from banditroute.evaluation.loading import load_log, log_of


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "decision_id": f"d{number}",
        "at": float(number),
        "task": "qa",
        "input_tokens": 10 + number,
        "output_tokens": 0,
        "eligible": ["a", "b"],
        "chosen": "ab"[number % 2],
        "propensity": 0.5,
        "propensities": {"a": 0.5, "b": 0.5},
        "cost_usd": 0.001 * number,
        "latency_s": 1.0,
        "policy": ("one", "two")[number % 3 > 0],
        **more,
    }


ROWS = [row(i, **({"quality": 0.5, "served": "a"} if i % 2 else {})) for i in range(12)]


@pytest.mark.parametrize("policy", [None, "two"])
def test_the_log_is_that_of_the_file(tmp_path: Path, policy: str | None) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in ROWS))
    stored, read = log_of(ROWS, "log", policy=policy).log, load_log(path, policy=policy).log
    for each in fields(read):
        mine, theirs = getattr(stored, each.name), getattr(read, each.name)
        np.testing.assert_equal(mine, theirs)


def test_rows_that_cannot_be_evidence_are_refused_or_counted_without_a_line() -> None:
    rows = [*ROWS, row(50, propensity=1.5)]
    with pytest.raises(InputError, match=r"store: 1 of 13 rows cannot be evidence: 1 x propensity is above 1"):
        log_of(rows, "store")
    loaded = log_of(rows, "store", leave_out=True)
    assert loaded.log.rows == 12
    assert [(each.rows, each.first_line) for each in loaded.set_aside] == [(1, None)]


def test_a_store_without_outcomes_is_refused() -> None:
    with pytest.raises(InputError, match="store: no decision has an outcome yet; let the router answer"):
        log_of([], "store")


def test_features_of_two_encoders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [row(1, features=[0.5], encoder_version="a-1"), row(2, features=[0.5], encoder_version="b-1")]
    path.write_bytes(b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in rows))
    with pytest.raises(InputError, match=r"log.jsonl:2: encoder_version: b-1 where other rows have a-1"):
        load_log(path)
