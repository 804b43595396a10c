"""How to run a benchmark: values, with defaults that work."""

from __future__ import annotations

from dataclasses import dataclass, field

from banditroute.benching.asking import Patience


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run.

    Attributes:
        concurrency: most calls under way at a time, of all models together; one is until its answer is graded.
        most_usd: what may be spent in all, earlier runs of the same journal included; None = whatever it takes.
        keep_answers: the journal keeps what models answered.
        keep_prompts: the table has the prompts' texts.
        retry_failed: calls that failed in an earlier run are made again.
        patience: when to give a model up.
    """

    concurrency: int = 8
    most_usd: float | None = None
    keep_answers: bool = False
    keep_prompts: bool = False
    retry_failed: bool = False
    patience: Patience = field(default_factory=Patience)
