"""Reading what shadows would have done out of a decision log."""

from __future__ import annotations

import os
from collections.abc import Container
from typing import Any

import orjson

from banditroute.errors import InputError
from banditroute.simulation.reading import check_file, numbered_lines, read_text
from banditroute.simulation.values import Place

from .beside import Beside, beside_of_row
from .shadow import by_shadow


def load_besides(path: str | os.PathLike[str], ids: Container[str]) -> dict[str, list[Beside]]:
    """The decisions that each shadow decided on too, by its name, of those with these ids.

    Raises:
        TableError: the file cannot be read, or what it says of a shadow is malformed; says where.
    """
    where = os.fspath(path)
    check_file(where)
    text = read_text(where, gzipped=where.lower().endswith(".gz"))
    found = (_beside(line, Place(where, number), ids) for number, line in numbered_lines(text))
    return by_shadow(each for each in found if each is not None)


def _beside(line: str, place: Place, ids: Container[str]) -> Beside | None:
    try:
        row: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise place.error(f"is not JSON: {error}", None, "write one JSON object per line") from None
    if not isinstance(row, dict) or str(row.get("decision_id")) not in ids:
        return None
    try:
        return beside_of_row(row)
    except InputError as error:
        raise place.error(error.problem, error.field or None, error.remedy) from None
