"""Task classes of one's own, from a few examples each, beside the shipped ones.

A class is known by the middle of its examples and its name: among what texts can be about (`senses`), and in the
space of the encoder's features; by the n-grams of each; and by which shipped classes they are taken for. Each of these
is a sign that a text is of the class. What the signs count was fitted once, to classes that were made up for it
(simulations/train_own_classes.py); nothing is fitted when a router is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .likeness import Likeness
from .names import check_own_class
from .reader import PromptReader, Reading
from .senses import Sense, Senses, sense_of

WEIGHTS = (2.1, 3.2, 3.8, 0.7, 1.9)
"""What each of the `signs` of a class counts, in log odds against all shipped classes together."""
BIAS = -3.3

_LEAST_SPREAD = 0.03
_LEAST_LIKELY = 1e-3
_LEAST_NORM = 1e-6

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]


class OwnClasses:
    """Classes of one's own beside the shipped ones.

    Args:
        senses: the vectors of words.
        reader: reads prompts.
        examples: five or more of each class.

    Raises:
        ConfigError: a class has too few examples, or the name of a shipped one.
    """

    def __init__(self, senses: Senses, reader: PromptReader, examples: Mapping[str, Sequence[str]]) -> None:
        for name, texts in examples.items():
            check_own_class(name, texts)
        self.names = tuple(examples)
        self._senses, self._reader = senses, reader
        known = [[reader.read_text(text) for text in _known_by(name, texts)] for name, texts in examples.items()]
        self._middles = np.array([_middle([self._about(each).vector for each in readings]) for readings in known])
        self._looks = np.array([_middle([self._look(each) for each in readings]) for readings in known])
        nearness = senses.others @ self._middles.T
        self._usual, self._spread = nearness.mean(0), np.maximum(nearness.std(0), _LEAST_SPREAD)
        self._likeness = Likeness([reading.vector for readings in known for reading in readings])
        self._firsts = np.cumsum([0, *map(len, known)])[:-1]
        self._taken_for = np.array([np.mean([each.probabilities for each in readings], 0) for readings in known])

    def probabilities(self, reading: Reading) -> Floats:
        """How likely the shipped ones are and then these: all together sum to one."""
        odds = np.exp(self.signs(reading) @ WEIGHTS + BIAS)
        likely = np.concatenate((reading.probabilities, odds))
        return likely / likely.sum()

    def signs(self, reading: Reading) -> Floats:
        """What speaks for each class, (classes, 5).

        How much nearer its known words are to the class than those of other prompts are, in standard deviations; the
        cosine of its n-grams and the likest example's; that of its features and the class's; how likely both are of
        one shipped class, log; and how unsure it is of which, log.
        """
        vector, known = self._about(reading)
        signs = np.empty((len(self.names), len(WEIGHTS)))
        signs[:, 0] = known * (self._middles @ vector - self._usual) / self._spread
        signs[:, 1] = np.maximum.reduceat(self._likeness.cosines(reading.vector), self._firsts)
        signs[:, 2] = self._looks @ self._look(reading)
        signs[:, 3] = np.log(self._taken_for @ reading.probabilities + _LEAST_LIKELY)
        signs[:, 4] = -np.log(reading.probabilities.max())
        return signs

    def _about(self, reading: Reading) -> Sense:
        return sense_of(reading.text, self._senses)

    def _look(self, reading: Reading) -> Vectors:
        return _unit(self._reader.projected(reading.vector))


def _known_by(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    """The texts by which a class is known: its name is one."""
    return (*texts, name.replace("_", " "))


def _middle(vectors: Sequence[Vectors]) -> Vectors:
    """Where a class lies, (d,); 0 where no word of it is known."""
    return _unit(np.sum(vectors, axis=0))


def _unit(vector: Vectors) -> Vectors:
    return vector / np.float32(max(float(np.linalg.norm(vector)), _LEAST_NORM))
