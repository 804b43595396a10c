"""The trained numbers behind classes and features, as the one file that the package carries them in.

Columns are stored as small integers with a scale each: half the last digit of a weight is far below what a prompt's
hundreds of n-grams add up to.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError

from .marks import MARKS
from .ngrams import BUCKETS
from .rounded import Rounded, rounded
from .senses import Senses

Floats = NDArray[np.float32]

FILE = "prompts.npz"
COARSE_BITS = 2
COARSE = BUCKETS >> COARSE_BITS
"""Buckets of the projection, which sees words alone and needs fewer: 4 of the classifier's are one of its."""

MOST = 31.0
"""The largest integer in a table of n-grams."""

_FULL = 127.0
_EXACT = ("marks", "blocks", "sureness", "mark_logits", "mark_projection")
_SENSES_EXACT = ("hashes", "rows")
_SENSES_ROUNDED = ("vectors", "others")
_NIBBLE = 7.0
_LIFT = 8


class PromptWeights(NamedTuple):
    """What the shipped classifier and the shipped encoder know.

    Attributes:
        version: names this training; features of two versions never mix.
        classes: (C,) names.
        idf: (2 BUCKETS,) inverse document frequencies, log scale.
        marks: (2, len(MARKS)) centre and scale of each mark.
        blocks: (3,) how much words, characters and marks count beside each other.
        sureness: (3,) by what logits are multiplied, log scale: a constant, and what each number of a text's `rarity`
            adds to it.
        logits: (2 BUCKETS, C) of n-grams, in the multinomial linear model.
        mark_logits: (len(MARKS) + 1, C) of marks, the last row always on.
        projection: (COARSE, p) of words onto the feature space, whitened on the training prompts.
        mark_projection: (len(MARKS) + 1, p) of marks, the last row always on.
    """

    version: str
    classes: tuple[str, ...]
    idf: Floats
    marks: Floats
    blocks: Floats
    sureness: Floats
    logits: Rounded
    mark_logits: Floats
    projection: Rounded
    mark_projection: Floats


@cache
def shipped_weights() -> PromptWeights:
    """The weights in the package."""
    return unpacked(files("banditroute").joinpath("data", FILE).read_bytes())


@cache
def shipped_senses() -> Senses:
    """The vectors of words in the package."""
    return unpacked_senses(files("banditroute").joinpath("data", FILE).read_bytes())


def packed(weights: PromptWeights, senses: Senses) -> bytes:
    """The weights and the vectors as a file."""
    buffer = io.BytesIO()
    arrays: dict[str, NDArray[np.generic]] = {
        "version": np.array(weights.version),
        "classes": np.array(weights.classes),
    }
    for name in _EXACT:
        arrays[name] = getattr(weights, name)
    arrays["idf"], arrays["idf_scale"] = rounded(weights.idf, _FULL, kept=1.0)
    arrays["logits"], arrays["logits_scale"] = weights.logits.integers, weights.logits.scale
    arrays["projection"], arrays["projection_scale"] = weights.projection.integers, weights.projection.scale
    for name in _SENSES_ROUNDED:
        nibbles, arrays[f"sense_{name}_scale"] = rounded(getattr(senses, name), _NIBBLE)
        arrays[f"sense_{name}"] = _paired(nibbles)
    for name in _SENSES_EXACT:
        arrays[f"sense_{name}"] = getattr(senses, name)
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(content: bytes) -> PromptWeights:
    """The weights of a file.

    Raises:
        InputError: the file was made for other n-grams or marks than this version's.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        weights = PromptWeights(
            version=str(file["version"]),
            classes=tuple(str(name) for name in file["classes"]),
            idf=file["idf"] * file["idf_scale"],
            logits=Rounded.of(file["logits"], file["logits_scale"]),
            projection=Rounded.of(file["projection"], file["projection_scale"]),
            **{name: file[name] for name in _EXACT},
        )
    if weights.mark_logits.shape[0] != len(MARKS) + 1 or weights.idf.size != 2 * BUCKETS:
        raise InputError("weights that are not for these n-grams and marks", remedy="train them anew", field=FILE)
    return weights


def unpacked_senses(content: bytes) -> Senses:
    """The vectors of a file."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return Senses(
            **{name: file[f"sense_{name}"] for name in _SENSES_EXACT},
            **{name: _unpaired(file[f"sense_{name}"]) * file[f"sense_{name}_scale"] for name in _SENSES_ROUNDED},
        )


def _paired(nibbles: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Two integers of -7 to 7 in each byte."""
    lifted: NDArray[np.uint8] = (nibbles + _LIFT).astype(np.uint8)
    return np.asarray((lifted[:, ::2] << 4) | lifted[:, 1::2], dtype=np.uint8)


def _unpaired(pairs: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (np.stack((pairs >> 4, pairs & 15), axis=2).reshape(len(pairs), -1).astype(np.float32)) - _LIFT
