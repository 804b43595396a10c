"""One model asked one prompt once: what is to be asked, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class CallKey(NamedTuple):
    """Names a call: which prompt, which model, and the how-manieth time it is asked, counted from 1."""

    id: str
    model: str
    turn: int = 1


def row_id(prompt_id: str, turn: int) -> str:
    """The id that a prompt's row has in an outcome table when it is asked for the `turn`-th time."""
    return prompt_id if turn == 1 else f"{prompt_id}#{turn}"


@dataclass(frozen=True, slots=True)
class FinishedCall:
    """A call that is over and paid for; it is what the journal keeps, and holds no text of prompts.

    Attributes:
        key: which call.
        failure: what went wrong, by name; empty where it was answered.
        spent_usd: dollars of all its attempts.
        cost_usd: dollars of the attempt that was answered.
        latency_s: its seconds, waiting left out; None where they are not the model's (a cache answered).
        input_tokens: of the prompt, as billed; output_tokens: of the answer.
        grades: what graders and judges said, by name.
        ungraded: graders that had no quality to give, each with the reason.
        text: the answer, where answers are to be kept.
    """

    key: CallKey
    failure: str = ""
    spent_usd: float = 0.0
    cost_usd: float = 0.0
    latency_s: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    grades: Mapping[str, float] = field(default_factory=dict[str, float])
    ungraded: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str | None = None

    @property
    def answered(self) -> bool:
        """Whether it brought an answer."""
        return not self.failure
