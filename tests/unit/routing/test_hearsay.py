from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from banditroute.learning.evidence import Evidence
from banditroute.routing.hearsay import Hearsay, change
from banditroute.routing.lessons import Edge

NOW = Edge("qa", "new", "quality", "v1")
BEFORE = NOW._replace(model="old")
OTHER = Edge("qa", "other", "quality", "v1")


def sums(n: float) -> Evidence:
    return Evidence(n * np.eye(2), np.full(2, n), np.array(n), np.array(n))


def told(hearsay: Hearsay, evidence: Mapping[Edge, float], own: Mapping[Edge, float] | None = None, **how: bool):
    everything = how.get("everything", False)
    found = hearsay.told(
        {edge: sums(n) for edge, n in evidence.items()},
        {edge: sums(n) for edge, n in (own or {}).items()},
        everything=everything,
    )
    return {(each.row, each.whole): float(each.sums.n) for each in found}


def hearsay() -> Hearsay:
    return Hearsay(lambda edge: NOW if edge == BEFORE else edge)


def test_sums_and_what_came_since_are_a_row() -> None:
    assert told(hearsay(), {NOW: 3.0, OTHER: 1.0}, {NOW: 2.0}) == {(NOW, True): 5.0, (OTHER, True): 1.0}


def test_a_row_has_the_sums_under_former_names_too() -> None:
    heard = hearsay()
    assert told(heard, {NOW: 3.0, BEFORE: 4.0}, {BEFORE: 0.5}, everything=True) == {(NOW, True): 7.5}
    assert told(heard, {NOW: 5.0}) == {(NOW, True): 9.0}


def test_a_former_name_alone_adds_what_is_new_of_it() -> None:
    heard = hearsay()
    assert told(heard, {BEFORE: 4.0}, everything=True) == {(NOW, True): 4.0}
    assert told(heard, {BEFORE: 6.0}) == {(NOW, False): 2.0}
    assert told(heard, {NOW: 1.0}) == {(NOW, True): 7.0}


def test_rounding_is_no_change() -> None:
    assert change(sums(3.0), sums(3.0 * (1 + 1e-13))) is None
    difference = change(sums(3.0), sums(4.0))
    assert difference is not None
    assert float(difference.n) == 1.0
