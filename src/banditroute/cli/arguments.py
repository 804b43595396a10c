"""What the simulating commands are asked for, checked before the long work starts."""

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from banditroute.errors import InputError, MissingExtraError, meant
from banditroute.sweeping.executor import Executor
from banditroute.sweeping.serial import Serial

POLICIES = ("thompson", "greedy", "linucb", "epsilon", "mixture", "class-lp", "clairvoyant", "oracle", "random")
FIXED = "fixed:"
_HERE = Serial()


class Features(StrEnum):
    """Where the features come from."""

    table = "table"
    prompt = "prompt"
    none = "none"


class Classes(StrEnum):
    """Where the task classes come from."""

    table = "table"
    classifier = "classifier"
    none = "none"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to simulate, checked as far as that goes without the tables."""

    policies: tuple[str, ...]
    budgets_usd: tuple[float | None, ...]
    seeds: range
    features: Features = Features.table
    classes: Classes = Classes.table
    scenario: Path | None = None
    executor: Executor = _HERE


def seed_range(first: int, count: int) -> range:
    """The seeds `first`, `first + 1`, ...; raises InputError unless there is at least one and none is negative."""
    if count < 1:
        raise InputError(f"{count} is not a number of stream orders", remedy="give 1 or more", field="--seeds")
    if first < 0:
        raise InputError(f"{first} is negative", remedy="give 0 or more", field="--seed")
    return range(first, first + count)


def checked_budgets(budgets_usd: Iterable[float]) -> tuple[float | None, ...]:
    """Each budget once, in the order given; (None,), which is unconstrained, where none is given."""
    budgets = tuple(dict.fromkeys(budgets_usd))
    for budget in budgets:
        if not (math.isfinite(budget) and budget > 0):
            remedy = "give dollars per request above 0, such as 0.0005"
            raise InputError(f"{budget:g} is not a budget", remedy=remedy, field="--budget-usd")
    return budgets or (None,)


def checked_policies(policies: Iterable[str]) -> tuple[str, ...]:
    """Each policy once, in the order given; raises InputError for a name that no policy has."""
    names = tuple(dict.fromkeys(policies))
    for name in names:
        if name not in POLICIES and not (name.startswith(FIXED) and name != FIXED):
            raise _unknown(f"no policy is called {name!r}", name, [*POLICIES, "fixed:MODEL"])
    return names


def check_fixed_models(policies: Iterable[str], models: Sequence[str]) -> None:
    """Raises InputError for `fixed:MODEL` where the table lacks the model."""
    for policy in policies:
        model = policy.removeprefix(FIXED)
        if model != policy and model not in models:
            raise _unknown(f"the table has no model {model!r}", model, models)


def check_report(report: Path | None, field: str = "--report") -> None:
    """Raises unless the report can be written: better now than after the long work.

    Raises:
        InputError: there is no place for it.
        MissingExtraError: what draws it is not installed.
    """
    if report is None:
        return
    if any(find_spec(package) is None for package in ("jinja2", "matplotlib")):
        raise MissingExtraError("the HTML report", "plots")
    folder = report.parent
    if report.is_dir():
        raise InputError(f"{report} is a directory", remedy="name a file, such as report.html", field=field)
    if not folder.is_dir():
        raise InputError(f"there is no directory {folder}", remedy="make it first", field=field)
    if not os.access(report if report.exists() else folder, os.W_OK):
        raise InputError(f"{report} cannot be written", remedy="choose another place", field=field)


def _unknown(problem: str, given: str, valid: Sequence[str]) -> InputError:
    remedy = f"{meant(given, valid)}choose from: {', '.join(valid)}"
    return InputError(problem, remedy=remedy, field="--policy")
