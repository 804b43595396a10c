"""Table columns of one kind of quantity each: written for people, kept as numbers for export."""

import math
from collections.abc import Callable, Iterable, Sequence

from banditroute.reports import format as write
from banditroute.reports.parts import Cell, Column


def words(key: str, label: str, values: Iterable[str]) -> Column:
    """A left-aligned column of words."""
    return Column(key, label, tuple(Cell(value, value) for value in values), numeric=False)


def budgets(values_usd: Sequence[float | None]) -> Column:
    """The column of budgets, dollars per request, with "no budget" where there is none."""
    names = write.budget_names(values_usd)
    cells = tuple(Cell(name, value) for name, value in zip(names, values_usd, strict=True))
    return Column("budget_usd", "Budget per request", cells, numeric=False)


def money(key: str, label: str, values_usd: Sequence[float]) -> Column:
    """Dollars with one number of decimals for the whole column."""
    texts = write.money_column(values_usd)
    cells = tuple(Cell(text, _exported(value)) for text, value in zip(texts, values_usd, strict=True))
    return Column(key, label, cells)


def quality(key: str, label: str, values: Iterable[float]) -> Column:
    """Qualities in [0, 1]."""
    return numbers(key, label, values, write.quality)


def counts(key: str, label: str, values: Iterable[int]) -> Column:
    """Whole numbers with their thousands apart."""
    return Column(key, label, tuple(Cell(write.count(value), value) for value in values))


def numbers(key: str, label: str, values: Iterable[float], text: Callable[[float], str]) -> Column:
    """Numbers of any kind, each written by the function given; nan is exported as nothing."""
    return Column(key, label, tuple(Cell(text(value), _exported(value)) for value in values))


def _exported(value: float) -> float | None:
    return None if math.isnan(value) else value
