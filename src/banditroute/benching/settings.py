"""How to run a benchmark: values, with defaults that work."""

from __future__ import annotations

import math
from dataclasses import dataclass

from banditroute.errors import InputError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on with a model that does not answer.

    Attributes:
        tries: attempts of one call, those left out that were told to come later.
        longest_s: seconds without any answer of the model, for whatever reason, after which it is given up.
        failures: calls that fail in a row, without an answer of the model between them, after which it is given up.
    """

    tries: int = 4
    longest_s: float = 300.0
    failures: int = 10


_PATIENCE = Patience()


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

    Raises:
        InputError: nothing can be run so.
    """

    concurrency: int = 8
    most_usd: float | None = None
    keep_answers: bool = False
    keep_prompts: bool = False
    retry_failed: bool = False
    patience: Patience = _PATIENCE

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            problem = f"{self.concurrency} calls at a time are none"
            raise InputError(problem, remedy="give 1 or more", field="--concurrency")
        if self.most_usd is not None and not 0 < self.most_usd < math.inf:
            raise InputError(f"{self.most_usd:g} is no limit", remedy="give dollars above 0", field="--max-usd")
