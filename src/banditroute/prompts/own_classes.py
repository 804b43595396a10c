"""Task classes of one's own, from a few examples each, beside the shipped ones.

A multinomial linear model over what texts are about (`senses`): the examples of each class, and its name, against each
other and against prompts of the shipped classes. It is fitted when the router is made, in a fraction of a second. What
it says is tilted by the n-grams that a text shares with its likest example of each class, which speaks for words that
have no vector, and for languages other than English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from .excerpt import cut
from .likeness import Likeness
from .names import check_own_class
from .reader import PromptReader, Reading
from .senses import Senses, sense_of

_SCALE = 5.0  # of the inputs, so that the ridge is about 1 unit of log odds
_RIDGE = 3e-2
_TILT, _USUAL = 20.0, 0.05  # log odds for each unit of likeness above what texts have in common anyway
_EXAMPLE_WEIGHT = 200.0  # of an example against another prompt: who defines a class expects it to come often
_STEPS = 100

Floats = NDArray[np.float64]


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
            check_own_class(name, len(set(texts)))
        self.names = tuple(examples)
        self._senses = senses
        self._weights = _fitted(*_taught(senses, examples))
        known = [_known_by(name, texts) for name, texts in examples.items()]
        self._likeness = Likeness([reader.read_text(text).vector for texts in known for text in texts])
        self._firsts = np.cumsum([0, *map(len, known)])[:-1]

    def probabilities(self, reading: Reading) -> Floats:
        """How likely the shipped ones are and then these: all together sum to one."""
        x = np.append(sense_of(reading.text, self._senses) * _SCALE, 1.0)
        logits = x @ self._weights
        odds = np.exp(logits - logits.max())
        likest = np.maximum.reduceat(self._likeness.cosines(reading.vector), self._firsts)
        own = odds[:-1] * np.exp(_TILT * (likest - _USUAL))
        likely = np.concatenate((reading.probabilities * odds[-1], own))
        return likely / likely.sum()


def _taught(senses: Senses, examples: Mapping[str, Sequence[str]]) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Inputs (n, d + 1), labels (n,), the last class being all shipped ones, and weights (n,)."""
    own = [
        (label, sense_of(cut(text), senses))
        for label, (name, texts) in enumerate(examples.items())
        for text in _known_by(name, texts)
    ]
    inputs = np.vstack([np.stack([sense for _, sense in own]), senses.others]) * _SCALE
    labels = np.array([label for label, _ in own] + [len(examples)] * len(senses.others))
    weight: Floats = np.where(labels < len(examples), _EXAMPLE_WEIGHT, 1.0)
    with_one: Floats = np.hstack([inputs, np.ones((len(inputs), 1))]).astype(np.float64)
    return with_one, labels, weight / weight.sum()


def _known_by(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    """The texts by which a class is known: its name is one."""
    return (*texts, name.replace("_", " "))


def _fitted(inputs: Floats, labels: NDArray[np.int64], weight: Floats) -> Floats:
    """Ridge-penalised maximum likelihood, (d + 1, classes); the last row is not penalised."""
    shape = (inputs.shape[1], int(labels.max()) + 1)
    rows = np.arange(len(labels))
    ridge = np.full((shape[0], 1), _RIDGE)
    ridge[-1] = 0.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(shape)
        logits = inputs @ table
        odds = np.exp(logits - logits.max(1, keepdims=True))
        likely = odds / odds.sum(1, keepdims=True)
        surprise = -float(weight @ np.log(likely[rows, labels] + 1e-12))
        likely[rows, labels] -= 1.0
        slope = inputs.T @ (likely * weight[:, None]) + ridge * table
        return surprise + float((ridge * table**2).sum()) / 2, slope.ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x, dtype=np.float64).reshape(shape)
