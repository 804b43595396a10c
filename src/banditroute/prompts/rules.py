"""Rules that name a task class by what a request is made of; the first that matches decides, before any classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from banditroute.records import ChatRequest, Json
from banditroute.routing.tasks import Task, TaskClassifier

from .excerpt import excerpt_of

Found = Callable[[str], bool]
"""Whether a text has what is looked for."""

_ANY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rule:
    """A task class and the signs by which requests of it are known; all that are given must be there.

    Attributes:
        task: the class.
        found: looks into the last user turn and the system prompt's frame; None = whatever they say.
        metadata: entries that the request's `metadata` must have.
        tools: whether the request carries tools; None = either way.
        response_format: the type that the request's `response_format` must be of, such as json_schema.
    """

    task: str
    found: Found | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: _ANY)
    tools: bool | None = None
    response_format: str | None = None

    def matches(self, request: ChatRequest) -> bool:
        """Whether the request has all the signs."""
        params = request.params
        return (
            self.tools in (None, bool(params.get("tools") or params.get("functions")))
            and self.response_format in (None, _type_of(params.get("response_format")))
            and _has(params.get("metadata"), self.metadata)
            and (self.found is None or self.found(excerpt_of(request)))
        )


class RuledClassifier:
    """Rules first, then another classifier.

    Args:
        rules: in order; the first that matches decides.
        otherwise: asked where none does.
    """

    def __init__(self, rules: Sequence[Rule], otherwise: TaskClassifier) -> None:
        self._rules = tuple(rules)
        self._otherwise = otherwise

    def classify(self, request: ChatRequest) -> Task:
        """The class of the first rule that matches, or the other classifier's."""
        for rule in self._rules:
            if rule.matches(request):
                return Task(rule.task)
        return self._otherwise.classify(request)


def _type_of(response_format: object) -> str | None:
    if not isinstance(response_format, Mapping):
        return None
    kind = cast("Json", response_format).get("type")
    return kind if isinstance(kind, str) else None


def _has(metadata: object, wanted: Mapping[str, str]) -> bool:
    if not wanted:
        return True
    if not isinstance(metadata, Mapping):
        return False
    given = cast("Json", metadata)
    return all(given.get(key) == value for key, value in wanted.items())
