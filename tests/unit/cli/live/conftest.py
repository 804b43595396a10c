"""Rows small enough to reckon with, and a router that answers at once from them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from banditroute.cli.live.rows import DemoRow, ModelOutcome, id_in
from banditroute.errors import UnansweredError
from banditroute.records import Answer, Attempt, Completion, Context, Decision, Outcome

BuildRows = Callable[..., list[DemoRow]]
BuildAnswer = Callable[..., Answer]


def build_rows(count: int = 4, task: str = "gsm8k") -> list[DemoRow]:
    outcomes = {"small": ModelOutcome(0.5, 0.001), "large": ModelOutcome(0.9, 0.010)}
    return [DemoRow(f"row{place}", task, 40, (0.5,), outcomes) for place in range(count)]


def build_answer(
    row: DemoRow, model: str, *, chosen: str | None = None, attempts: Sequence[float] = (0.2,), **decision: Any
) -> Answer:
    cost_usd = row.outcomes[model].cost_usd
    calls = tuple(Attempt(model, seconds) for seconds in attempts)
    made = Decision(f"to-{row.id}", 0.0, Context(row.task), chosen or model, 1.0, {}, {}, {}, **decision)
    outcome = Outcome(made.decision_id, model, 0.0, None, cost_usd, sum(attempts), attempts=calls)
    completion = Completion({}, "text", None)
    return Answer(made.decision_id, model, "text", row.task, None, cost_usd, sum(attempts), completion, made, outcome)


class TableRouter:
    """Serves every row with one model; rows named in `failing` are not answered."""

    def __init__(self, rows: Sequence[DemoRow], model: str = "small", failing: frozenset[str] = frozenset()) -> None:
        self.rows = {row.id: row for row in rows}
        self.model = model
        self.failing = failing
        self.asked: list[str] = []
        self.judged: list[tuple[str, float]] = []

    async def chat(self, messages: str, *, task: str | None = None, features: Sequence[float] | None = None) -> Answer:
        row = self.rows[id_in(messages)]
        assert (task, features) == (row.task, row.features)
        self.asked.append(row.id)
        if row.id in self.failing:
            raise UnansweredError({self.model: "down"})
        return build_answer(row, self.model)

    async def feedback(self, decision_id: str, *, quality: float) -> None:
        self.judged.append((decision_id, quality))


@pytest.fixture
def rows() -> BuildRows:
    return build_rows


@pytest.fixture
def answer() -> BuildAnswer:
    return build_answer


@pytest.fixture
def table_router() -> type[TableRouter]:
    return TableRouter
