"""A table as a router would see it that knows nothing but the prompts: classes and features read from the texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from banditroute.errors import TableError
from banditroute.prompts.shipped import shipped

from .table import OutcomeTable


def prompted(table: OutcomeTable, *, classes: bool, features: bool) -> OutcomeTable:
    """The same rows with task classes by the shipped classifier, features by the shipped encoder, or both.

    Raises:
        TableError: a row has no prompt.
    """
    reader, classifier, encoder = shipped()
    readings = [reader.read_text(text) for text in _texts(table)]
    if classes:
        named = [classifier.named(reading).name for reading in readings]
        tasks = tuple(sorted(set(named)))
        table = replace(table, tasks=tasks, task_of=np.array([tasks.index(name) for name in named], dtype=np.int64))
    if features:
        encoded = np.array([encoder.features(reading) for reading in readings])
        table = replace(table, features=encoded.reshape(len(readings), encoder.width))
    return table


def _texts(table: OutcomeTable) -> Iterator[str]:
    for row, text in zip(table.ids, table.prompts, strict=True):
        if text is None:
            remedy = "give every row its prompt, or take classes and features from the table"
            raise TableError(f"row {row} of {table.name} has no prompt to read", remedy=remedy, field="prompt")
        yield text
