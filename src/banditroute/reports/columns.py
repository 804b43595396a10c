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


def money(key: str, label: str, values_usd: Sequence[float], digits: int = 2) -> Column:
    """Dollars with one number of decimals for the whole column; the smallest has so many digits."""
    texts = write.money_column(values_usd, digits)
    cells = tuple(Cell(text, _exported(value)) for text, value in zip(texts, values_usd, strict=True))
    return Column(key, label, cells)


def quality(key: str, label: str, values: Iterable[float]) -> Column:
    """Qualities in [0, 1]."""
    return numbers(key, label, values, write.quality)


def counts(key: str, label: str, values: Iterable[int]) -> Column:
    """Whole numbers with their thousands apart."""
    return Column(key, label, tuple(Cell(write.count(value), value) for value in values))


def optional_counts(key: str, label: str, values: Iterable[int | None]) -> Column:
    """Whole numbers, or nothing."""
    cells = (Cell(write.ABSENT, None) if value is None else Cell(write.count(value), value) for value in values)
    return Column(key, label, tuple(cells))


def shares(key: str, label: str, values: Iterable[float]) -> Column:
    """Shares, shaded by how large they are."""
    cells = (Cell(write.percent(value), value, shade=min(max(value, 0.0), 1.0)) for value in values)
    return Column(key, label, tuple(cells))


def numbers(key: str, label: str, values: Iterable[float], text: Callable[[float], str]) -> Column:
    """Numbers of any kind, each written by the function given; nan is exported as nothing."""
    return Column(key, label, tuple(Cell(text(value), _exported(value)) for value in values))


def estimates(
    key: str,
    label: str,
    values: Iterable[float],
    ends: Iterable[tuple[float, float] | None],
    text: Callable[[float], str],
) -> Column:
    """Estimates with their intervals beneath; only the estimates are exported."""
    found = zip(values, ends, strict=True)
    return Column(key, label, tuple(_estimate(value, end, text) for value, end in found))


def intervals(key: str, label: str, ends: Iterable[tuple[float, float] | None], text: Callable[[float], str]) -> Column:
    """Intervals in words, each end written by the function given; None is exported as nothing."""
    texts = [write.ABSENT if end is None else write.between(*end, text) for end in ends]
    return Column(key, label, tuple(Cell(each, None if each == write.ABSENT else each) for each in texts))


def _estimate(value: float, end: tuple[float, float] | None, text: Callable[[float], str]) -> Cell:
    known = end is not None and not math.isnan(sum(end))
    return Cell(text(value), _exported(value), detail=write.between(*end, text) if end and known else "")


def _exported(value: float) -> float | None:
    return None if math.isnan(value) else value
