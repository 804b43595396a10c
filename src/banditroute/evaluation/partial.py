"""Targets that decided on a part of a log only, as a shadow does, beside others that are evaluated on all of it."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import evaluate as whole
from .estimators import ESTIMATORS
from .log import LogTable
from .results import Estimate, Evaluation, SetAside
from .targets import Given, TargetPolicy

Bools = NDArray[np.bool_]

_WITHOUT_CHANCE = "decided without chance: no propensity"


class Part(NamedTuple):
    """A target and the rows (n,) on which it decided; None = on all."""

    target: TargetPolicy
    rows: Bools | None = None


def shadow_part(log: LogTable, shadow: str, name: str) -> Part:
    """A shadow of the log as a target: on the rows that were drawn and that it decided on too."""
    p = log.shadows[shadow]
    known = np.isfinite(p).all(1) & log.drawn
    return Part(Given(name, p), None if known.any() and known.sum() == log.drawn.sum() else known)


def evaluate_parts(
    log: LogTable,
    parts: Sequence[Part],
    estimators: Sequence[str] = tuple(ESTIMATORS),
    *,
    set_aside: Sequence[SetAside] = (),
    seed: int = 0,
) -> Evaluation:
    """The same as `evaluate`, each target on its own rows; one that has none is left out, and a note says so.

    Raises:
        InputError: no decision was left to chance, or a target cannot decide on this traffic.
    """
    everywhere = [part.target for part in parts if part.rows is None]
    if log.drawn.any() or everywhere or not parts:
        found = whole.evaluate(log, everywhere, estimators, set_aside=set_aside, seed=seed)
    else:
        found = _summed_up(log, set_aside)
    alone = [_alone(log, part.target, part.rows, estimators, seed) for part in parts if part.rows is not None]
    every = [found, *(each for each in alone if each is not None)]
    targets = {target.policy: target for each in every for target in each.targets}
    names = [part.target.name for part in parts if part.target.name in targets]
    return replace(
        found,
        targets=tuple(targets[name] for name in names),
        estimates=tuple(one for name in names for one in _estimates(every, name)),
        notes=(*found.notes, *(_note(part.target.name, part.rows, log) for part in parts if part.rows is not None)),
    )


def _alone(log: LogTable, target: TargetPolicy, rows: Bools, estimators: Sequence[str], seed: int) -> Evaluation | None:
    """The evaluation on these rows; None where there are none."""
    if not rows.any():
        return None
    known = Given(target.name, target.propensities(log)[rows])
    return whole.evaluate(log.select(rows), [known], estimators, seed=seed)


def _estimates(every: Sequence[Evaluation], name: str) -> list[Estimate]:
    return [one for each in every for one in each.estimates if one.policy == name]


def _note(name: str, rows: Bools, log: LogTable) -> str:
    drawn, known = int(log.drawn.sum()), int(rows.sum())
    if not known:
        return f"{name} decided on none of the {drawn:,} decisions that were left to chance: no outcome speaks of it."
    return f"{name} decided on {known:,} of the {drawn:,} decisions; its estimates rest on these."


def _summed_up(log: LogTable, set_aside: Sequence[SetAside]) -> Evaluation:
    """The log as it is, where nothing was left to chance: only what was measured."""
    return Evaluation(
        log=log.name,
        models=log.models,
        rows=log.rows + sum(each.rows for each in set_aside),
        used=0,
        logged=tuple(whole._logged(log.of_policy(name), name) for name in log.policies),
        targets=(),
        estimates=(),
        set_aside=(*set_aside, SetAside(_WITHOUT_CHANCE, log.rows)),
        notes=(),
    )
