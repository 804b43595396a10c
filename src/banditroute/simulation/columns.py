"""The header of a table in columns (CSV, Parquet): which column holds what, and what columns are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from banditroute.simulation.table import OUTCOME_FIELDS
from banditroute.simulation.values import Place, Steps, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TEXT_COLUMNS = ("id", "task", "prompt")
_PLAIN_COLUMNS = (*TEXT_COLUMNS, "input_tokens", "at", "features")
_SEPARATOR = "__"
_FEATURE = "feature__"


def feature_column(index: int) -> str:
    """The name of a feature's column."""
    return f"{_FEATURE}{index}"


def outcome_column(field: str, model: str) -> str:
    """The name of the column that holds one field of a model's outcome."""
    return f"{field}{_SEPARATOR}{model}"


class Header(NamedTuple):
    """Which column holds what, as indices into a row's cells.

    Attributes:
        plain: the column of each field that stands by itself: id, task, prompt, input_tokens, at, features (a list).
        features: the columns feature__0, feature__1, ... in this order.
        outcomes: for each model, in order of appearance, the column of each of its fields.
    """

    plain: Mapping[str, int]
    features: Sequence[int]
    outcomes: Mapping[str, Mapping[str, int]]

    @property
    def used(self) -> frozenset[int]:
        """Every column that holds something of the table."""
        of_models = (index for fields in self.outcomes.values() for index in fields.values())
        return frozenset([*self.plain.values(), *self.features, *of_models])

    def values(self, cells: Sequence[Any]) -> dict[str, Any]:
        """A row's values by field: a cell of None is absent, a model whose cells are all None was not observed."""
        values = _filled(self.plain, cells)
        features = [cells[index] for index in self.features]
        if any(cell is not None for cell in features):
            values["features"] = features
        outcomes = {model: _filled(fields, cells) for model, fields in self.outcomes.items()}
        values["outcomes"] = {model: outcome for model, outcome in outcomes.items() if outcome}
        return values

    def name(self, steps: Steps) -> str:
        """What the column is called that holds the value at the end of some steps."""
        match steps:
            case ("outcomes", str(model), str(field)):
                return outcome_column(field, printable(model))
            case ("outcomes", *_):
                return outcome_column("quality", "*")
            case ("features", int(index)):
                return feature_column(index) if self.features else f"features[{index}]"
            case _:
                return str(steps[0])


def read_header(names: Sequence[str], place: Place) -> Header:
    """The header that these column names make; columns of other names are ignored.

    Raises:
        TableError: a column stands there twice, or id, a model's quality or cost_usd, or a feature is missing.
    """
    _check_unique(names, place)
    column = {name: index for index, name in enumerate(names)}
    plain = {name: column[name] for name in _PLAIN_COLUMNS if name in column}
    header = Header(plain, _feature_columns(column, place), _outcome_columns(column))
    if "id" not in plain:
        raise place.error(
            "there is no such column",
            "id",
            "name the columns id, quality__MODEL, cost_usd__MODEL; CSV separates by commas",
        )
    if header.features and "features" in plain:
        raise place.error("stands beside feature__0", "features", "keep one of the two")
    _check_models(header.outcomes, place)
    return header


def _filled(columns: Mapping[str, int], cells: Sequence[Any]) -> dict[str, Any]:
    return {field: cells[index] for field, index in columns.items() if cells[index] is not None}


def _is_used(name: str) -> bool:
    prefix, separator, _ = name.partition(_SEPARATOR)
    return name in _PLAIN_COLUMNS or bool(separator and prefix in (*OUTCOME_FIELDS, "feature"))


def _check_unique(names: Iterable[str], place: Place) -> None:
    seen: set[str] = set()
    for name in filter(_is_used, names):
        if name in seen:
            raise place.error("stands in the header twice", printable(name), "rename or remove one of the two columns")
        seen.add(name)


def _feature_columns(column: Mapping[str, int], place: Place) -> Sequence[int]:
    count = sum(name.startswith(_FEATURE) for name in column)
    for name in map(feature_column, range(count)):
        if name not in column:
            raise place.error(
                "there is no such column", name, f"number the {count} feature columns from {_FEATURE}0 without a gap"
            )
    return [column[feature_column(index)] for index in range(count)]


def _outcome_columns(column: Mapping[str, int]) -> Mapping[str, Mapping[str, int]]:
    outcomes: dict[str, dict[str, int]] = {}
    for name, index in column.items():
        field, separator, model = name.partition(_SEPARATOR)
        if separator and field in OUTCOME_FIELDS:
            outcomes.setdefault(model, {})[field] = index
    return outcomes


def _check_models(outcomes: Mapping[str, Mapping[str, int]], place: Place) -> None:
    if not outcomes:
        raise place.error(
            "there is no such column",
            outcome_column("quality", "MODEL"),
            "give each model quality__MODEL and cost_usd__MODEL",
        )
    for model, fields in outcomes.items():
        if not model:
            raise place.error(
                "names no model", outcome_column(next(iter(fields)), ""), "put the model's name after the __"
            )
        for field in ("quality", "cost_usd"):
            if field not in fields:
                there = outcome_column(next(iter(fields)), printable(model))
                raise place.error(
                    f"there is no such column beside {there}",
                    outcome_column(field, printable(model)),
                    "give each model both quality and cost_usd",
                )
