"""Tables read by their prompts alone."""

import numpy as np
import pytest

from banditroute import OutcomeTable, simulate
from banditroute.errors import TableError
from banditroute.prompts.shipped import shipped
from banditroute.simulation.prompted import prompted
from banditroute.simulation.rows import Place, parse_json
from banditroute.simulation.tabulating import tabulate

TEXTS = ("translate cat into french", "what is the capital of Peru?", "solve 3x = 12", "write a poem about tea")


def table(texts: tuple[str | None, ...] = TEXTS, copies: int = 1) -> OutcomeTable:
    rows = []
    for number, text in enumerate(texts * copies):
        prompt = "" if text is None else f'"prompt": "{text}", '
        outcomes = '"a": {"quality": 0.5, "cost_usd": 0.001}, "b": {"quality": 0.9, "cost_usd": 0.01}'
        line = f'{{"id": "r{number}", {prompt}"outcomes": {{{outcomes}}}}}'
        rows.append(parse_json(line, Place("t.jsonl", number + 1)))
    return tabulate("t", rows)


def test_classes_and_features_are_the_shipped_ones() -> None:
    read = prompted(table(), classes=True, features=True)
    assert [read.tasks[index] for index in read.task_of] == ["translation", "qa", "reasoning_math", "creative_writing"]
    encoder = shipped().encoder
    np.testing.assert_allclose(read.features, [encoder.encode_text(text) for text in TEXTS])


def test_each_alone_leaves_the_other_as_it_was() -> None:
    assert prompted(table(), classes=True, features=False).features.shape[1] == 0
    assert prompted(table(), classes=False, features=True).tasks == ()


def test_a_row_without_a_prompt_is_named() -> None:
    with pytest.raises(TableError, match=r"row r1 of t has no prompt"):
        prompted(table(("hi", None)), classes=True, features=False)


def test_a_simulation_reads_table_and_warmup() -> None:
    result = simulate(table(copies=10), warmup=table(copies=5), seeds=range(2), features="prompt", classes="classifier")
    assert result.requests == 40
    assert result.results[0].quality.mean() > 0.5
