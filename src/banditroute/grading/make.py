"""Graders by their kind and options, as a configuration names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from banditroute.errors import ConfigError
from banditroute.grading.choice import ChoiceMatch
from banditroute.grading.code import CodeCompiles
from banditroute.grading.exact import ExactMatch
from banditroute.grading.length import Length
from banditroute.grading.number import NumericMatch
from banditroute.grading.options import checked
from banditroute.grading.own import own_grader
from banditroute.grading.pattern import PatternMatch
from banditroute.grading.protocol import Grader
from banditroute.grading.refusal import Finished, NotRefused
from banditroute.grading.structured import JsonValid, SchemaValid
from banditroute.grading.tools import ToolCallsValid
from banditroute.grading.words import Contains

KINDS: Mapping[str, Callable[..., Grader]] = MappingProxyType(
    {
        "exact": ExactMatch,
        "number": NumericMatch,
        "choice": ChoiceMatch,
        "regex": PatternMatch,
        "contains": Contains,
        "length": Length,
        "json": JsonValid,
        "json_schema": SchemaValid,
        "code": CodeCompiles,
        "refusal": NotRefused,
        "finished": Finished,
        "tool_calls": ToolCallsValid,
    }
)
"""The class behind each kind; its fields but `name` are the kind's options."""


def grader_of(kind: str, name: str, options: Mapping[str, Any]) -> Grader:
    """A grader.

    Args:
        kind: a name in `KINDS`, or module:name of a grader of one's own.
        name: the source of its grades.
        options: values of the options of its kind; those left out keep their defaults.

    Raises:
        ConfigError: there is no such kind, it is no grader, or an option is unknown, missing, of another type or out of
            range; where it is an option of a kind in `KINDS`, `field` names it.
        MissingExtraError: the kind needs an extra that is not installed.
    """
    if ":" in kind:
        return own_grader(kind, name, options)
    made = KINDS.get(kind)
    if made is None:
        near = get_close_matches(kind, KINDS, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(KINDS)}, and module:name of your own"
        raise ConfigError(f"unknown kind of grader {kind!r}", remedy=remedy)
    return made(name=name, **checked(made, options))
