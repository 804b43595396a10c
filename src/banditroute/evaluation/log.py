"""A decision log in memory: n decisions among K models, what was drawn, with what chance, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_NO_SHADOWS: Mapping[str, Floats] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class LogTable:
    """One row per decision, in the order of the log: n rows, K models, p features, C task classes, L policies.

    Attributes:
        name: what to call the log: the file's name without its ending.
        ids: (n,) names of the decisions, unique.
        models: (K,) names, sorted: the order of every K-axis.
        tasks: (C,) names of the task classes, sorted.
        policies: (L,) names of the policies that logged, sorted; an empty name where rows name none.
        policy_of: (n,) index into policies.
        task_of: (n,) index into tasks.
        at: (n,) instants, seconds since the epoch, nan where absent.
        input_tokens: (n,) length of the prompt, nan where absent.
        output_tokens: (n,) length of the answer, nan where absent.
        features: (n, p) encoded prompts; p = 0 where absent.
        encoder_version: which encoder made them; empty where the log does not say.
        eligible: (n, K) models that could have been drawn.
        chosen: (n,) model that was drawn.
        served: (n,) model that answered, which after a fallback is another one; -1 where none did.
        propensity: (n,) probability with which `chosen` was drawn, in (0, 1]; nan where nothing was drawn.
        propensities: (n, K) that of every model, 0 where not eligible; a row of nan where only `propensity` is known.
        quality: (n,) in [0, 1], nan where nobody judged.
        cost_usd: (n,) dollars.
        latency_s: (n,) seconds.
        shadows: by name, what a policy that decided beside the logging one would have drawn from: (n, K), rows of nan
            where it did not decide.
    """

    name: str
    ids: tuple[str, ...]
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    policies: tuple[str, ...]
    policy_of: Ints
    task_of: Ints
    at: Floats
    input_tokens: Floats
    output_tokens: Floats
    features: Floats
    eligible: Bools
    chosen: Ints
    served: Ints
    propensity: Floats
    propensities: Floats
    quality: Floats
    cost_usd: Floats
    latency_s: Floats
    encoder_version: str = ""
    shadows: Mapping[str, Floats] = field(default_factory=lambda: _NO_SHADOWS)

    @property
    def rows(self) -> int:
        """N."""
        return self.chosen.size

    @property
    def drawn(self) -> Bools:
        """(n,) decisions that were left to chance: those that say something of other policies."""
        return np.isfinite(self.propensity)

    def select(self, rows: Ints | Bools) -> LogTable:
        """The log of some of its rows, in the order given; models, tasks and policies stay what they are."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        columns = {
            each.name: value[index]
            for each in fields(self)
            if isinstance(value := getattr(self, each.name), np.ndarray)
        }
        ids = tuple(self.ids[i] for i in index)
        return replace(self, ids=ids, shadows={name: p[index] for name, p in self.shadows.items()}, **columns)

    def of_policy(self, name: str) -> LogTable:
        """Only the rows that a policy logged."""
        return self.select(self.policy_of == self.policies.index(name))


def one_hot(arms: Ints, models: int) -> Floats:
    """(n, K) probabilities that are 1 at each row's arm."""
    return np.eye(models)[arms]


def indexed(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The distinct names, sorted, and each one's index (n,) among them."""
    distinct = tuple(sorted(set(names)))
    position = {name: i for i, name in enumerate(distinct)}
    return distinct, np.array([position[name] for name in names], dtype=np.int64)
