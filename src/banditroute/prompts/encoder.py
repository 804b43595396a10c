"""The shipped encoder: where a prompt lies in the space that the training prompts span, its length, its classes."""

from __future__ import annotations

import math

import numpy as np

from banditroute.records import ChatRequest
from banditroute.routing.tasks import Task

from .reader import PromptReader, Reading

_FARTHEST = 4.0  # standard deviations: beyond, a feature says no more than "far"
_LENGTH_CENTRE, _LENGTH_SCALE = 5.3, 1.6  # log characters of the training prompts
_PROBABILITY_SCALE = 0.3


class PromptEncoder:
    """Encodes a prompt as p coordinates, its log length and the probabilities of all shipped classes but one.

    The coordinates are a projection of hashed n-grams, whitened on the training prompts; all features are about
    centred and of about unit size. One class is left out, for its probability follows from the others'.

    Args:
        reader: reads prompts; shared with the classifier, so that each is read once.
    """

    def __init__(self, reader: PromptReader) -> None:
        self._reader = reader
        weights = reader.weights
        self._centre = 1.0 / len(weights.classes)
        self.version = f"prompt-{weights.version}"
        self.width = weights.projection.width + len(weights.classes)

    def encode(self, request: ChatRequest, task: Task) -> tuple[float, ...]:  # noqa: ARG002 - the protocol's
        """The features (width,)."""
        return self.features(self._reader.read(request))

    def encode_text(self, text: str) -> tuple[float, ...]:
        """The features of a text that stands for a whole request."""
        return self.features(self._reader.read_text(text))

    def features(self, reading: Reading) -> tuple[float, ...]:
        """The features of a text that was read already."""
        placed = np.clip(self._reader.projected(reading.vector), -_FARTHEST, _FARTHEST)
        likely = (reading.probabilities[:-1] - self._centre) / _PROBABILITY_SCALE
        log_length = (math.log(len(reading.text) + 1) - _LENGTH_CENTRE) / _LENGTH_SCALE
        return (*placed.tolist(), log_length, *likely.tolist())
