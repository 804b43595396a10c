"""Fits what each sign of an own class counts: prints the constants of src/banditroute/prompts/own_classes.py.

Six classes at a time are drawn from those of simulations/prompts/own_classes_dev.jsonl and stand beside the shipped
nine; prompts that the nine were not taught are of none of the six. Says how often the right one is found, and how often
one of the six where it should not be.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from banditroute.prompts.own_classes import BIAS, WEIGHTS, OwnClasses
from banditroute.prompts.reader import PromptReader, Reading
from banditroute.prompts.weights import shipped_senses, shipped_weights
from prompt_model import OWN, SHARED, Prompt, own_prompts, shared_prompts, trained

DRAWS = 150
AT_ONCE = 6
LEFT_OUT = 500
OTHERS_WEIGHT = 0.5
"""How much the prompts of no own class weigh against all that are of one: who defines a class expects it to come."""

_RIDGE = 1e-3

Floats = NDArray[np.float64]


class Examples(NamedTuple):
    """A class in the making: texts that it is known by, and texts that are to be found."""

    known: list[str]
    asked: list[Reading]


class Draw(NamedTuple):
    """Some classes and what is asked of them.

    Attributes:
        signs: (n, classes, signs + 1) for each text and class, the last always 1.
        nine: (n,) log probability of the likeliest shipped class.
        labels: (n,) the class; as many as there are classes = none of them.
    """

    signs: Floats
    nine: Floats
    labels: NDArray[np.int64]


def main() -> None:
    """Fits and prints."""
    if not SHARED.is_file():
        sys.exit(f"no labelled prompts at {SHARED}")
    chance = np.random.default_rng(0)
    prompts = [*shared_prompts(), *own_prompts()]
    asked = [row for row, prompt in enumerate(prompts) if prompt.source != "cues"]
    out = set(chance.permutation(asked)[:LEFT_OUT].tolist())
    reader = _taught([prompt for row, prompt in enumerate(prompts) if row not in out])
    others = [reader.read_text(prompts[row].text) for row in sorted(out)]
    classes = _classes(reader)
    draws = [_draw(chance.permutation(list(classes))[:AT_ONCE], classes, others, reader) for _ in range(DRAWS)]
    for fitted in (np.array((*WEIGHTS, BIAS)), _fitted(draws)):
        among, found, lost = np.mean([_scores(draw, fitted) for draw in draws], axis=0)
        sys.stdout.write(
            f"weights {np.round(fitted[:-1], 2).tolist()}, bias {fitted[-1]:.2f}: {among:.3f} are right among the "
            f"{AT_ONCE}, {found:.3f} beside the nine; {lost:.3f} of other prompts are taken for one of them\n"
        )


def _taught(prompts: Sequence[Prompt]) -> PromptReader:
    """A reader with the weights that prompts teach."""
    return PromptReader(trained(prompts, "0", shipped_weights().sureness))


def _classes(reader: PromptReader) -> dict[str, Examples]:
    classes: dict[str, Examples] = defaultdict(lambda: Examples([], []))
    for row in map(json.loads, (OWN / "own_classes_dev.jsonl").read_text(encoding="utf-8").splitlines()):
        if row["split"] == "example":
            classes[row["class"]].known.append(row["text"])
        else:
            classes[row["class"]].asked.append(reader.read_text(row["text"]))
    return classes


def _draw(
    names: Sequence[str], classes: Mapping[str, Examples], others: Sequence[Reading], reader: PromptReader
) -> Draw:
    own = OwnClasses(shipped_senses(), reader, {name: classes[name].known for name in names})
    asked = [(label, reading) for label, name in enumerate(names) for reading in classes[name].asked]
    asked += [(len(names), reading) for reading in others]
    signs = np.array([own.signs(reading) for _, reading in asked])
    with_one = np.concatenate((signs, np.ones((*signs.shape[:2], 1))), axis=2)
    nine = np.log([reading.probabilities.max() for _, reading in asked])
    return Draw(with_one, nine, np.array([label for label, _ in asked]))


def _fitted(draws: Sequence[Draw]) -> Floats:
    """The weights and the bias of most likelihood, with a ridge; all shipped classes together have log odds 0."""
    signs = np.concatenate([draw.signs for draw in draws])
    labels = np.concatenate([draw.labels for draw in draws])
    rows, none = np.arange(len(labels)), labels == AT_ONCE
    weight = np.where(none, OTHERS_WEIGHT * (~none).sum() / none.sum(), 1.0)
    weight /= weight.sum()

    def loss(found: Floats) -> tuple[float, Floats]:
        odds = np.exp(np.hstack((signs @ found, np.zeros((len(labels), 1)))))
        likely = odds / odds.sum(1, keepdims=True)
        surprise = -float(weight @ np.log(likely[rows, labels] + 1e-12))
        likely[rows, labels] -= 1
        slope = np.einsum("n,nk,nks->s", weight, likely[:, :AT_ONCE], signs)
        return surprise + _RIDGE / 2 * float(found @ found), slope + _RIDGE * found

    start = np.array((*WEIGHTS, BIAS))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)


def _scores(draw: Draw, fitted: Floats) -> tuple[float, float, float]:
    """Shares: right among the own classes, right beside the nine, taken for an own class where there is none."""
    logits, own = draw.signs @ fitted, draw.labels < AT_ONCE
    best = np.where(logits.max(1) > draw.nine, logits.argmax(1), AT_ONCE)
    among = (logits.argmax(1) == draw.labels)[own].mean()
    return float(among), float((best == draw.labels)[own].mean()), float((best < AT_ONCE)[~own].mean())


if __name__ == "__main__":
    main()
