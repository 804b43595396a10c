"""Reading a decision log: sound rows into arrays, the others counted with their reasons, none in silence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from banditroute.errors import InputError, TableError, meant
from banditroute.records import Json
from banditroute.simulation.reading import check_file, numbered_lines, read_text
from banditroute.simulation.values import Place, printable

from .log import LogTable, indexed
from .log_rows import LogRow, flaw, parse
from .results import SetAside

Floats = NDArray[np.float64]

_ENDINGS = (".jsonl", ".jsonl.gz")
_TWICE = "decision_id stands in the log already"


@dataclass(frozen=True, slots=True)
class LoadedLog:
    """What a file holds.

    Attributes:
        log: the sound rows.
        set_aside: the others, by reason.
    """

    log: LogTable
    set_aside: tuple[SetAside, ...]


def load_log(path: str | os.PathLike[str], *, policy: str | None = None, leave_out: bool = False) -> LoadedLog:
    """The decision log in a .jsonl or .jsonl.gz file.

    Args:
        path: the file.
        policy: only rows that this policy logged.
        leave_out: set rows aside that cannot be evidence, instead of refusing the file.

    Raises:
        TableError: the file cannot be read; a row is malformed; rows cannot be evidence and are not to be left out.
        InputError: no row was logged by the policy, or none is left.
    """
    where = os.fspath(path)
    return gathered(_read(where), where, _stem(where), policy=policy, leave_out=leave_out)


def log_of(rows: Iterable[Json], name: str, *, policy: str | None = None, leave_out: bool = False) -> LoadedLog:
    """The log straight from a router's store, by the same rules: rows as `storage.decision_log.log_row` writes them.

    Raises:
        InputError: there is no row, none was logged by the policy, or rows cannot be evidence and may not be left out.
    """
    places = ((Place(name, number), row) for number, row in enumerate(rows, start=1))
    placed = [Placed(place, parse(orjson.dumps(row).decode(), place)) for place, row in places]
    if not placed:
        raise InputError("no decision has an outcome yet", remedy="let the router answer requests first", path=name)
    loaded = gathered(placed, name, name, policy=policy, leave_out=leave_out)
    return replace(loaded, set_aside=tuple(replace(each, first_line=None) for each in loaded.set_aside))


class Placed(NamedTuple):
    """A row and where it stands."""

    place: Place
    row: LogRow


def gathered(placed: Sequence[Placed], where: str, name: str, *, policy: str | None, leave_out: bool) -> LoadedLog:
    """The log that rows make: those of a policy alone, if one is named, and those alone that can be evidence.

    Raises:
        TableError: rows cannot be evidence and are not to be left out.
        InputError: no row was logged by the policy, or none is left.
    """
    mine = placed if policy is None else _of_policy(placed, policy)
    sound, flawed = _sorted_out(mine)
    if flawed and not leave_out:
        raise _refusal(flawed, len(mine), where)
    if not sound:
        raise InputError("no row is left that could be evidence", remedy="mend the log", path=where)
    _check_alike(sound)
    return LoadedLog(_tabulated(name, [row for _, row in sound]), _summed_up(flawed))


class _Flawed(NamedTuple):
    place: Place
    reason: str


def _read(where: str) -> list[Placed]:
    check_file(where)
    if not where.lower().endswith(_ENDINGS):
        raise TableError(
            "is not named like a decision log", remedy=f"end its name in {', '.join(_ENDINGS)}", path=where
        )
    text = read_text(where, gzipped=where.lower().endswith(".gz"))
    places = ((Place(where, number), line) for number, line in numbered_lines(text))
    placed = [Placed(place, parse(line, place)) for place, line in places]
    if not placed:
        raise TableError("has no rows", remedy="export a log that has decisions with outcomes", path=where)
    return placed


def _stem(where: str) -> str:
    name = PurePath(where).name
    return next(name[: -len(ending)] for ending in _ENDINGS[::-1] if name.lower().endswith(ending))


def _of_policy(placed: Sequence[Placed], policy: str) -> list[Placed]:
    mine = [each for each in placed if each.row.policy == policy]
    if mine:
        return mine
    names = sorted({each.row.policy for each in placed if each.row.policy})
    choices = ", ".join(map(printable, names))
    remedy = f"{meant(policy, names)}choose from: {choices}" if names else "leave the option out: no row names a policy"
    raise InputError(f"no row was logged by {policy!r}", remedy=remedy, field="--log-policy")


def _sorted_out(placed: Iterable[Placed]) -> tuple[list[Placed], list[_Flawed]]:
    sound: list[Placed] = []
    flawed: list[_Flawed] = []
    seen: set[str] = set()
    for place, row in placed:
        reason = _TWICE if row.decision_id in seen else flaw(row)
        seen.add(row.decision_id)
        if reason:
            flawed.append(_Flawed(place, reason))
        else:
            sound.append(Placed(place, row))
    return _in_time(sound), flawed


def _in_time(sound: list[Placed]) -> list[Placed]:
    """In the order of time where every row says when: confidence sequences and replays rest on what came before."""
    instants = [placed.row.at for placed in sound]
    if None in instants:
        return sound
    return sorted(sound, key=lambda placed: placed.row.at or 0.0)


def _summed_up(flawed: Sequence[_Flawed]) -> tuple[SetAside, ...]:
    """By reason, in the order in which they first come up."""
    counts: dict[str, list[_Flawed]] = {}
    for each in flawed:
        counts.setdefault(each.reason, []).append(each)
    return tuple(SetAside(reason, len(rows), rows[0].place.line) for reason, rows in counts.items())


def _refusal(flawed: Sequence[_Flawed], rows: int, where: str) -> TableError:
    reasons = "; ".join(
        f"{each.rows:,} x {each.reason} (first on line {each.first_line})" for each in _summed_up(flawed)
    )
    problem = f"{len(flawed):,} of {rows:,} rows cannot be evidence: {reasons}"
    return TableError(problem, remedy="mend them, or go on without them by --leave-out", path=where)


def _check_alike(sound: Sequence[Placed]) -> None:
    """Raises TableError unless the features of all rows were made alike."""
    first = sound[0].row
    for place, row in sound:
        if _width(row) != _width(first):
            problem = f"{_width(row)} features where other rows have {_width(first)}"
            raise place.error(problem, "features", "give equally many on every row, or leave them out of all rows")
        if row.encoder_version != first.encoder_version:
            problem = f"{_shown(row.encoder_version)} where other rows have {_shown(first.encoder_version)}"
            raise place.error(problem, "encoder_version", "features of two encoders do not mix: take one's rows alone")


def _shown(version: str | None) -> str:
    return "none" if version is None else printable(version)


def _width(row: LogRow) -> int:
    return 0 if row.features is None else len(row.features)


def _tabulated(name: str, rows: Sequence[LogRow]) -> LogTable:
    models = tuple(sorted({model for row in rows for model in _models_of(row)}))
    arm = {model: k for k, model in enumerate(models)}
    tasks, task_of = indexed([row.task for row in rows])
    policies, policy_of = indexed([row.policy or "" for row in rows])
    return LogTable(
        name=name,
        ids=tuple(row.decision_id for row in rows),
        models=models,
        tasks=tasks,
        policies=policies,
        policy_of=policy_of,
        task_of=task_of,
        at=_numbers(row.at for row in rows),
        input_tokens=_numbers(row.input_tokens for row in rows),
        output_tokens=_numbers(row.output_tokens for row in rows),
        encoder_version=rows[0].encoder_version or "",
        features=np.array([row.features or [] for row in rows], dtype=np.float64).reshape(len(rows), _width(rows[0])),
        eligible=_eligible(rows, arm),
        chosen=np.array([arm[row.chosen] for row in rows], dtype=np.int64),
        served=np.array([-1 if row.served is None else arm[row.served] for row in rows], dtype=np.int64),
        propensity=_numbers(row.propensity for row in rows),
        propensities=np.stack([_spread(row.propensities, arm) for row in rows]),
        quality=_numbers(row.quality for row in rows),
        cost_usd=_numbers(row.cost_usd for row in rows),
        latency_s=_numbers(row.latency_s for row in rows),
        shadows=_shadows(rows, arm),
    )


def _models_of(row: LogRow) -> Iterable[str]:
    """Every model that a row speaks of, the served one included, which may be a fallback that was not eligible."""
    yield from row.eligible
    if row.served is not None:
        yield row.served
    if row.shadow is not None:
        yield from row.shadow.propensities


def _numbers(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _eligible(rows: Sequence[LogRow], arm: Mapping[str, int]) -> NDArray[np.bool_]:
    mask = np.zeros((len(rows), len(arm)), dtype=np.bool_)
    for i, row in enumerate(rows):
        mask[i, [arm[model] for model in row.eligible]] = True
    return mask


def _spread(propensities: Mapping[str, float] | None, arm: Mapping[str, int]) -> Floats:
    """(K,) each model's probability; nan where they are not known. One of 0 need not be a model of the log."""
    if propensities is None:
        return np.full(len(arm), np.nan)
    out = np.zeros(len(arm))
    for model, p in propensities.items():
        if model in arm:
            out[arm[model]] = p
    return out


def _shadows(rows: Sequence[LogRow], arm: Mapping[str, int]) -> Mapping[str, Floats]:
    """(n, K) of each shadow by its name, nan where it did not decide."""
    names = sorted({row.shadow.policy for row in rows if row.shadow is not None})
    return {name: np.stack([_spread(_shadow_of(row, name), arm) for row in rows]) for name in names}


def _shadow_of(row: LogRow, name: str) -> Mapping[str, float] | None:
    """What a shadow would have drawn from; None where it did not decide."""
    return row.shadow.propensities if row.shadow is not None and row.shadow.policy == name else None
