"""The outcome table in memory: n requests, K models, every outcome that was observed, in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from banditroute.errors import TableError

if TYPE_CHECKING:
    from banditroute.simulation.results import Floats

Rows = slice | Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]
"""A choice of rows: a slice, indices (repeats allowed) or a mask of n booleans."""

OUTCOME_FIELDS = ("quality", "cost_usd", "output_tokens", "latency_s")


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTable:
    """One row per request, every model's outcome where it was observed: n rows, K models, p features, C task classes.

    Arrays are copied unless they are read-only already, and cannot be written to. A model is observed on a row where
    its quality and cost_usd are known; both are, or neither is.

    Attributes:
        name: what to call the table; a loaded one is called like its file, without the ending.
        ids: (n,) names of the requests; unique in a file, repeated where rows were drawn with replacement.
        models: (K,) names, the order of every K-axis; a loaded table's are in the order in which rows observe them.
        tasks: (C,) names of the task classes, sorted; empty where the table has none.
        task_of: (n,) index into tasks, -1 where a row names none.
        input_tokens: (n,) length of the prompt, nan where absent.
        features: (n, p) encoded prompts; p = 0 where absent.
        at: (n,) instant of each request in seconds from any origin, nan where absent.
        prompts: (n,) texts, None where absent.
        quality: (n, K) in [0, 1], nan where the model was not observed on that row.
        cost_usd: (n, K) dollars per request, nan where not observed.
        output_tokens: (n, K) length of the answer, nan where absent.
        latency_s: (n, K) seconds to the whole answer, nan where absent.

    Raises:
        TableError: shapes disagree, a value is out of range, or a name is empty or (models, tasks) repeated.
    """

    name: str
    ids: tuple[str, ...]
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    task_of: NDArray[np.int64]
    input_tokens: Floats
    features: Floats
    at: Floats
    prompts: tuple[str | None, ...]
    quality: Floats
    cost_usd: Floats
    output_tokens: Floats
    latency_s: Floats

    def __post_init__(self) -> None:
        _set(self, "task_of", _read_only(self.task_of, np.int64))
        for field in ("input_tokens", "features", "at", *OUTCOME_FIELDS):
            _set(self, field, _read_only(getattr(self, field), np.float64))
        _check_shapes(self)
        _check_names(self)
        _check_values(self)

    @property
    def requests(self) -> int:
        """Number of rows, n."""
        return len(self.ids)

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Where an outcome is known, (n, K)."""
        return ~np.isnan(self.quality)

    def select(self, rows: Rows) -> OutcomeTable:
        """These rows in this order, with the same models and task classes."""
        index: NDArray[np.intp] = np.arange(self.requests)[rows]
        chosen: list[int] = index.tolist()
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            task_of=self.task_of[index],
            input_tokens=self.input_tokens[index],
            features=self.features[index],
            at=self.at[index],
            prompts=tuple(self.prompts[i] for i in chosen),
            quality=self.quality[index],
            cost_usd=self.cost_usd[index],
            output_tokens=self.output_tokens[index],
            latency_s=self.latency_s[index],
        )

    def with_models(self, models: Sequence[str]) -> OutcomeTable:
        """The same rows with these models as columns, to align two tables.

        A model that this table lacks is observed nowhere (all nan); one that is not named is dropped, which may leave
        rows on which no model was observed.
        """
        column = {model: k for k, model in enumerate(self.models)}
        take = np.array([column.get(model, len(self.models)) for model in models], dtype=np.intp)
        return replace(
            self,
            models=tuple(models),
            quality=_take_columns(self.quality, take),
            cost_usd=_take_columns(self.cost_usd, take),
            output_tokens=_take_columns(self.output_tokens, take),
            latency_s=_take_columns(self.latency_s, take),
        )


def _set(table: OutcomeTable, field: str, value: object) -> None:
    object.__setattr__(table, field, value)


def _read_only(values: ArrayLike, dtype: type[np.generic]) -> NDArray[np.generic]:
    array = np.asarray(values, dtype=dtype)
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array


def _take_columns(values: Floats, take: NDArray[np.intp]) -> Floats:
    absent = np.full((len(values), 1), np.nan)
    return np.hstack([values, absent])[:, take]


def _check_shapes(table: OutcomeTable) -> None:
    n, K = table.requests, len(table.models)
    if table.features.ndim != 2:
        raise TableError(f"has {table.features.ndim} axes, not 2", field="features")
    per_row = {"task_of": (n,), "input_tokens": (n,), "at": (n,), "features": (n, table.features.shape[1])}
    for field, shape in (per_row | dict.fromkeys(OUTCOME_FIELDS, (n, K))).items():
        if (actual := getattr(table, field).shape) != shape:
            raise TableError(f"has shape {actual}; {n} rows and {K} models make it {shape}", field=field)
    if len(table.prompts) != n:
        raise TableError(f"holds {len(table.prompts)} texts for {n} rows", field="prompts")


def _check_names(table: OutcomeTable) -> None:
    for field, names in (("ids", table.ids), ("models", table.models), ("tasks", table.tasks)):
        if "" in names:
            raise TableError("a name is empty", field=field)
    for field, names in (("models", table.models), ("tasks", table.tasks)):
        if len(set(names)) < len(names):
            raise TableError("a name stands there twice", field=field)


def _check_values(table: OutcomeTable) -> None:
    """Raises where an entry is out of range; nan means absent, except in features."""
    _refuse(table, "task_of", (table.task_of < -1) | (table.task_of >= len(table.tasks)), "not an index into tasks")
    _refuse(table, "features", ~np.isfinite(table.features), "not finite")
    _refuse(table, "at", np.isinf(table.at), "not finite")
    for field in ("input_tokens", *OUTCOME_FIELDS):
        values = getattr(table, field)
        _refuse(table, field, np.isinf(values) | (values < 0), "not a finite number of at least 0")
    for field in ("input_tokens", "output_tokens"):
        values = getattr(table, field)
        _refuse(table, field, np.floor(values) < values, "not a whole number")
    _refuse(table, "quality", table.quality > 1, "above 1")
    unobserved = ~table.observed
    _refuse(table, "cost_usd", np.isnan(table.cost_usd) != unobserved, "given without quality, or missing beside it")
    for field in ("output_tokens", "latency_s"):
        _refuse(table, field, ~np.isnan(getattr(table, field)) & unobserved, "given without quality and cost_usd")


def _refuse(table: OutcomeTable, field: str, wrong: NDArray[np.bool_], why: str) -> None:
    if not wrong.any():
        return
    row, *rest = (int(axis[0]) for axis in np.nonzero(wrong))
    where = f"row {row} ({table.ids[row]})"
    if rest and field in OUTCOME_FIELDS:
        where += f", model {table.models[rest[0]]}"
    value = getattr(table, field)[(row, *rest)]
    raise TableError(f"{where}: {value:g} is {why}", field=field)
