"""What shadows would have done, read back from an exported log."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from banditroute.errors import TableError
from banditroute.evaluation.beside import beside_of
from banditroute.evaluation.shadow_loading import load_besides
from banditroute.storage.decision_log import log_row
from banditroute.storage.protocol import Trail
from banditroute.testing.store_records import a_dispatch, a_settlement


def test_an_exported_log_gives_back_what_is_on_record(tmp_path: Path) -> None:
    dispatches = [a_dispatch(number) for number in range(9)]
    rows = [orjson.dumps(log_row(Trail(each, a_settlement(each).outcome))) for each in dispatches]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(rows))
    ids = [each.decision.decision_id for each in dispatches[:7]]
    expected = [found for each in dispatches[:7] if (found := beside_of(each.decision))]
    assert len(expected) == 2
    assert load_besides(tmp_path / "log.jsonl", set(ids)) == {"rival": expected}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"decision_id": "a", "chosen": "m", "shadow": 3}', r"log\.jsonl:2: shadow: not a shadow's decision"),
        ("{", r"log\.jsonl:2: is not JSON"),
    ],
)
def test_what_is_malformed_is_one_line_that_says_where(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "log.jsonl").write_text('{"decision_id": "b"}\n' + line)
    with pytest.raises(TableError, match=says):
        load_besides(tmp_path / "log.jsonl", {"a"})


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there is no such file"):
        load_besides(tmp_path / "log.jsonl", ())
