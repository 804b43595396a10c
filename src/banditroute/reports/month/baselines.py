"""The policies that a month is compared with, by the names that people type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from banditroute.assemble import decider_of
from banditroute.config import RouterConfig, load_config
from banditroute.errors import InputError, meant
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.mixing import Mix
from banditroute.evaluation.replayed import Progress, Replayed
from banditroute.evaluation.targets import Fixed, TargetPolicy

ALWAYS = "always:"
BEST, CHEAPEST, LAST_MONTH = "best", "cheapest", "last-month"
DEFAULT = (BEST, CHEAPEST, LAST_MONTH)

_FORMS = f"{ALWAYS}MODEL, {BEST}, {CHEAPEST}, {LAST_MONTH} or a router.toml"


@dataclass(frozen=True, slots=True)
class Baselines:
    """What a month is to be compared with.

    Attributes:
        names: as typed, each once.
        routers: the configurations among them.
    """

    names: tuple[str, ...]
    routers: Mapping[str, RouterConfig]

    @property
    def by_prompt(self) -> bool:
        """Whether one of them may decide by what is known of prompts."""
        return bool(self.routers)


def parsed(names: Sequence[str]) -> Baselines:
    """The baselines of those names; always-best, always-cheapest and last month's mix where there are none.

    Raises:
        InputError: a name is none.
        ConfigError: a router.toml cannot be used.
    """
    found = tuple(dict.fromkeys(names)) or DEFAULT
    for name in found:
        if name not in DEFAULT and not name.endswith(".toml") and (name == ALWAYS or not name.startswith(ALWAYS)):
            remedy = f"{meant(name, DEFAULT)}give {_FORMS}"
            raise InputError(f"no baseline is called {name!r}", remedy=remedy, field="--baseline")
    return Baselines(found, {name: load_config(name, {}) for name in found if name.endswith(".toml")})


def targets_of(
    baselines: Baselines, log: LogTable, mix: Mapping[str, Mapping[str, int]], show: Progress | None
) -> dict[str, TargetPolicy]:
    """Whom to evaluate for them: every fixed model, the mix and the routers, by the names that they go by."""
    found: dict[str, TargetPolicy] = {}
    if any(name in (BEST, CHEAPEST) or name.startswith(ALWAYS) for name in baselines.names):
        found.update((f"{ALWAYS}{model}", _Named(f"{ALWAYS}{model}", Fixed(model))) for model in log.models)
    if LAST_MONTH in baselines.names and mix:
        found[LAST_MONTH] = Mix(LAST_MONTH, mix)
    for name, plan in baselines.routers.items():
        found[name] = Replayed(name, partial(decider_of, plan), progress=show)
    return found


@dataclass(frozen=True, slots=True)
class _Named:
    """A policy under the name that a month's report calls it by."""

    name: str
    policy: TargetPolicy

    def propensities(self, log: LogTable) -> NDArray[np.float64]:
        """Those of the policy."""
        return self.policy.propensities(log)
