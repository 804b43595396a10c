"""The classifier and the encoder that work out of the box, with the weights in the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .classifier import SURE, PromptClassifier
from .encoder import PromptEncoder
from .own_classes import OwnClasses
from .reader import PromptReader
from .weights import shipped_senses, shipped_weights


class Shipped(NamedTuple):
    """A classifier and an encoder that share a reader, so that each prompt is read once."""

    reader: PromptReader
    classifier: PromptClassifier
    encoder: PromptEncoder


def shipped(own: Mapping[str, Sequence[str]] | None = None, sure: float = SURE) -> Shipped:
    """A new classifier and encoder; both are one event loop's, for the reader remembers what it read last.

    Args:
        own: classes of one's own, with five or more examples each, beside the shipped nine.
        sure: a class less likely than this is not taken for the task.

    Raises:
        ConfigError: a class has too few examples, or a name that is taken.
    """
    reader = PromptReader(shipped_weights())
    more = OwnClasses(shipped_senses(), reader, own) if own else None
    return Shipped(reader, PromptClassifier(reader, more, sure), PromptEncoder(reader))
