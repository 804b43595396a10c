"""Names of task classes: the shipped ones, and what one's own may be called."""

from __future__ import annotations

from collections.abc import Iterable

from banditroute.errors import ConfigError
from banditroute.routing.tasks import GENERAL

SHIPPED = (
    "chat",
    "classification",
    "code",
    "creative_writing",
    "extraction",
    "qa",
    "reasoning_math",
    "summarization",
    "translation",
)
"""The shipped classes, in the order of the classifier's probabilities."""

LEAST_EXAMPLES = 5
"""Examples without which a class of one's own is not known."""


def check_own_class(name: str, examples: Iterable[str]) -> None:
    """Makes sure that a class may be called so, and has examples enough.

    Raises:
        ConfigError: the name is a shipped class's, or the one for what is unknown; or there are too few examples.
    """
    if name in SHIPPED or name == GENERAL:
        raise ConfigError(f"{name!r} is a shipped class", remedy="choose another name", field="name")
    different = len({text.strip() for text in examples} - {""})
    if different < LEAST_EXAMPLES:
        problem = f"{different} different examples of the {LEAST_EXAMPLES} that are needed"
        raise ConfigError(problem, remedy="write more, in other words each", field="examples")
