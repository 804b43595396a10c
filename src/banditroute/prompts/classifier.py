"""The shipped classifier: a multinomial linear model over hashed n-grams, trained beforehand, deterministic."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from banditroute.records import ChatRequest
from banditroute.routing.tasks import GENERAL, Task

from .reader import PromptReader, Reading

SURE = 0.4
"""A class less likely than this is not taken for the task."""


class MoreClasses(Protocol):
    """Classes beside the shipped ones."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        ...

    def probabilities(self, reading: Reading) -> NDArray[np.float64]:
        """How likely the shipped ones are and then these: all together sum to one."""
        ...


class PromptClassifier:
    """Names the class of a request by its last user turn and its system prompt's frame.

    Args:
        reader: reads prompts; shared with the encoder, so that each is read once.
        own: classes beside the shipped ones, if any.
        sure: a class less likely than this is not taken for the task.
    """

    def __init__(self, reader: PromptReader, own: MoreClasses | None = None, sure: float = SURE) -> None:
        self._reader = reader
        self._own = own
        self.sure = sure
        self.classes = reader.weights.classes + (() if own is None else own.names)

    def classify(self, request: ChatRequest) -> Task:
        """The class, or `general` with the likeliest beside it."""
        return self.named(self._reader.read(request))

    def classify_text(self, text: str) -> Task:
        """The class of a text that stands for a whole request."""
        return self.named(self._reader.read_text(text))

    def named(self, reading: Reading) -> Task:
        """The class of a text that was read already."""
        if reading.blank:
            return Task(GENERAL, 0.0)
        likely = self.probabilities(reading)
        best = int(likely.argmax())
        name, probability = self.classes[best], float(likely[best])
        return Task(name, probability) if probability >= self.sure else Task(GENERAL, probability, name)

    def probabilities(self, reading: Reading) -> NDArray[np.float64]:
        """How likely each of `classes` is; they sum to one."""
        return reading.probabilities if self._own is None else self._own.probabilities(reading)
