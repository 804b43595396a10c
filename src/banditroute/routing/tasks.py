"""What kind of work a request is, and what of its prompt the policy sees: the two seams of context."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from banditroute.errors import InvalidRequestError
from banditroute.records import ChatRequest

GENERAL = "general"
"""The class of requests of which nothing better is known."""

EMBEDDINGS = "embeddings"
"""The class of calls that ask for embeddings: of a model by name, for vectors of two never mix."""

JUDGE_TASK = "judge:"
"""What the class of a judge's calls begins with: paid and on record like any other, but no traffic."""


class Task(NamedTuple):
    """A task class and how sure the classifier is of it.

    Attributes:
        name: the class; `general` where none is likely enough.
        probability: that of the likeliest class.
        likeliest: its name; empty where it is `name`.
    """

    name: str
    probability: float = 1.0
    likeliest: str = ""


def is_judging(task: str) -> bool:
    """Whether it is the class of a judge's calls.

    Nobody grades them, nothing is learned of them, no pace counts them, and no cap is passed for their sake.
    """
    return task.startswith(JUDGE_TASK)


def is_chosen_on(task: str) -> bool:
    """Whether requests of the class are traffic that a policy chooses on: neither embeddings nor judges' calls."""
    return task != EMBEDDINGS and not is_judging(task)


class TaskClassifier(Protocol):
    """Names a request's task class."""

    def classify(self, request: ChatRequest) -> Task:
        """The class; `general` where it is not sure."""
        ...


class OneTask:
    """Takes every request for the same class."""

    def __init__(self, name: str = GENERAL) -> None:
        self._task = Task(name)

    def classify(self, request: ChatRequest) -> Task:  # noqa: ARG002 - the protocol's
        """The one class."""
        return self._task


class FeatureEncoder(Protocol):
    """Turns a request into a vector of fixed width; another version is another encoder."""

    @property
    def version(self) -> str:
        """Names the encoder; evidence of two versions never mixes."""
        ...

    @property
    def width(self) -> int:
        """How many features there are."""
        ...

    def encode(self, request: ChatRequest, task: Task) -> tuple[float, ...]:
        """The features, of about unit size."""
        ...


class NoFeatures:
    """Sees nothing of the prompt but its length and its class."""

    version = "none"
    width = 0

    def encode(self, request: ChatRequest, task: Task) -> tuple[float, ...]:  # noqa: ARG002 - the protocol's
        """No features."""
        return ()


class CallersFeatures:
    """Stands for features that the caller gives with each request.

    Args:
        width: how many.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.version = f"caller-{width}"

    def encode(self, request: ChatRequest, task: Task) -> tuple[float, ...]:  # noqa: ARG002 - the protocol's
        """Raises InvalidRequestError: the caller gave none."""
        problem = f"{self.width} features are expected with every request"
        raise InvalidRequestError(problem, remedy="give features=..., or set routing.features to 0", field="features")
