from __future__ import annotations

import numpy as np

from banditroute.learning.evidence import Evidence
from banditroute.routing.echoes import Echoes, added_up
from banditroute.routing.lessons import Edge, Lesson

EDGE = Edge("qa", "a", "quality", "v1")
OTHER = Edge("code", "a", "quality", "v1")


def lesson(quality: float) -> Lesson:
    return Lesson("qa", "a", "v1", (1.0, 0.5), (quality, None, None, None))


def sums(n: float) -> Evidence:
    return Evidence(n * np.eye(2), np.full(2, n), np.array(n), np.array(n))


def test_what_was_asked_to_be_written_before_is_among_the_sums_and_what_came_after_is_not() -> None:
    echoes = Echoes()
    echoes.taught([lesson(0.1)], echoes.turn)
    echoes.ask()
    echoes.taught([lesson(0.2)], echoes.turn)
    assert echoes.heard() == ([lesson(0.2)], [])
    echoes.ask()
    assert echoes.heard() == ([], [])


def test_sums_that_never_came_lose_nothing() -> None:
    echoes = Echoes()
    echoes.ask()
    echoes.taught([lesson(0.1)], echoes.turn)
    echoes.ask()
    echoes.taught([lesson(0.2)], echoes.turn)
    assert echoes.heard() == ([lesson(0.2)], [])


def test_what_is_taken_in_late_is_among_them_already() -> None:
    echoes = Echoes()
    asked_in = echoes.turn
    echoes.ask()
    assert not echoes.is_among(asked_in)
    echoes.taught([lesson(0.1)], asked_in)
    assert echoes.heard() == ([], [])
    assert echoes.is_among(asked_in)
    assert not echoes.is_among(echoes.turn)


def test_a_move_counts_as_not_written_until_it_is_asked_to_be() -> None:
    echoes = Echoes()
    echo = echoes.moved({EDGE: sums(-1.0)})
    echoes.ask()
    assert echoes.heard()[1] == [echo.sums]
    echoes.ask()
    echo.asked_in = echoes.turn
    assert echoes.heard()[1] == [echo.sums]
    echoes.ask()
    assert echoes.heard()[1] == []


def test_parts_add_up_by_edge() -> None:
    total = added_up([{EDGE: sums(1.0)}, {OTHER: sums(5.0)}, {EDGE: sums(2.0)}])
    assert {edge: float(each.n) for edge, each in total.items()} == {EDGE: 3.0, OTHER: 5.0}
