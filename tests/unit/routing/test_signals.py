"""What is learned of every edge, when models change: it moves, and what moved it is told apart from the log."""

from __future__ import annotations

import numpy as np
import pytest

from banditroute.learning.drift import QUALITIES
from banditroute.learning.evidence import Evidence, empty
from banditroute.learning.priors import LOG_LATENCY, LOG_TOKENS, LOG_TTFT, QUALITY
from banditroute.routing.signals import Signals

PRIORS = (QUALITY, LOG_TOKENS, LOG_LATENCY, LOG_TTFT)
WATCHED = (QUALITIES, None, None, None)
WIDTH = 3


def signals_of(*, watched: bool = True) -> Signals:
    return Signals(PRIORS, 2, 2, WIDTH, vigilances=WATCHED if watched else ())


def observe(signals: Signals, count: int, quality: float, *, arm: int = 1, seed: int = 0) -> int:
    """Shows answers of a model in both classes; how many changes came to light."""
    rng, found = np.random.default_rng(seed), 0
    for number in range(count):
        x = np.array([1.0, *rng.normal(size=WIDTH - 1)])
        value = quality + 0.1 * rng.standard_normal()
        found += len(signals.observe(number % 2, arm, x, (value, 5.0, None, None)))
        signals.tick()
        if number % 50 == 0 or signals.stale:
            signals.refresh()
    return found


def forecast(signals: Signals, arm: int = 1) -> float:
    return float(signals.forecast(0, np.array([1.0, 0.0, 0.0])).quality[arm])


def total(signals: Signals) -> list[Evidence]:
    """All moves taken so far, added up over (C + 1, K) edges."""
    sums = [empty((signals.posterior.noise.shape[0], 2), WIDTH) for _ in PRIORS]
    for signal, edge, more in signals.take_moves():
        for mine, theirs in zip(sums[signal], more, strict=True):
            mine[edge] += theirs
    return sums


def assert_equal(one: Evidence, other: Evidence) -> None:
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-9 * max(float(np.abs(theirs).max()), 1.0))


def assert_moves_are_what_the_log_does_not_say(signals: Signals, log: Signals) -> None:
    for kept, logged, moved in zip(signals.evidence, log.evidence, total(signals), strict=True):
        assert_equal(kept, Evidence(*(one + two for one, two in zip(logged, moved, strict=True))))


def test_what_was_learned_moves_with_a_change() -> None:
    signals, stiff = signals_of(), signals_of(watched=False)
    for each in (signals, stiff):
        observe(each, 100, 0.7, arm=0, seed=2)
        observe(each, 400, 0.9)
        observe(each, 40, 0.5, seed=1)
    assert forecast(signals) == pytest.approx(0.5, abs=0.1)
    assert forecast(stiff) > 0.8
    assert forecast(signals, arm=0) == pytest.approx(0.7, abs=0.05), "the other has not changed"


def test_moves_and_the_log_add_up_to_what_is_known() -> None:
    signals, log = signals_of(), signals_of(watched=False)
    for each in (signals, log):
        observe(each, 300, 0.9)
        observe(each, 100, 0.4, seed=1)
        observe(each, 60, 0.9, arm=0, seed=2)
    assert signals.evidence[0].n.sum() < log.evidence[0].n.sum() - 200
    assert_moves_are_what_the_log_does_not_say(signals, log)
    assert list(signals.take_moves()) == [], "each is told once"


def test_a_class_that_joins_later_leaves_moves_where_they_are() -> None:
    signals, log = signals_of(), signals_of(watched=False)
    for each in (signals, log):
        observe(each, 300, 0.9)
        observe(each, 40, 0.4, seed=1)
        assert each.grow() == 2
        observe(each, 40, 0.9, seed=2)
    assert_moves_are_what_the_log_does_not_say(signals, log)


def test_forgetting_is_a_move_too() -> None:
    signals, log = signals_of(), signals_of(watched=False)
    for each in (signals, log):
        observe(each, 100, 0.9)
    signals.fade(0.25)
    assert signals.stale
    np.testing.assert_allclose(signals.evidence[1].n, 0.25 * log.evidence[1].n)
    assert_moves_are_what_the_log_does_not_say(signals, log)


def test_what_was_measured_beforehand_of_another_model_is_dropped() -> None:
    """A warm start says .9; the model was swapped for a worse one, which ten sure lies must not outvote for long."""
    warm = Evidence(500.0 * np.eye(WIDTH), np.array([450.0, 0.0, 0.0]), np.array(500.0), np.array(410.0))
    signals = signals_of()
    for arm in (0, 1):
        signals.warm(0, (0, arm), warm)
        signals.warm(0, (1, arm), warm)
    signals.refresh()
    assert forecast(signals) > 0.8
    assert observe(signals, 60, 0.3) == 1
    assert forecast(signals) == pytest.approx(0.3, abs=0.1)
    assert forecast(signals, arm=0) > 0.7, "of the other model nothing else was heard"


def test_sums_that_no_observations_have_begin_anew_and_that_is_put_on_record() -> None:
    """Two processes found the same change, and each took off what both of them knew."""
    signals = signals_of()
    observe(signals, 100, 0.9)
    known = [part[0, 1].copy() for part in signals.evidence[0]]
    signals.add(0, (0, 1), Evidence(*(-1.8 * part for part in known)))
    signals.mend()
    assert signals.evidence[0].n[0, 1] == 0.0
    assert signals.evidence[0].n[1, 1] == 50.0
    moved = total(signals)[0]
    np.testing.assert_allclose(moved.b[0, 1], 0.8 * known[1])
    assert moved.n[1, 1] == 0.0
    signals.refresh()
    assert 0.0 < forecast(signals) < 1.0


def test_sound_sums_are_left_alone() -> None:
    signals = signals_of()
    observe(signals, 300, 0.9)
    observe(signals, 100, 0.4, seed=1)
    list(signals.take_moves())
    signals.mend()
    assert list(signals.take_moves()) == []


def test_usual_inputs_are_the_mean_of_the_calls() -> None:
    signals = signals_of()
    np.testing.assert_array_equal(signals.usual_inputs(), [1.0, 0.0, 0.0])
    for tokens in (1.0, 3.0):
        signals.observe(0, 0, np.array([1.0, tokens, -tokens]), (None, 5.0, None, None))
    np.testing.assert_allclose(signals.usual_inputs(), [1.0, 2.0, -2.0])


def test_catching_up_solves_what_was_moved_and_leaves_the_rest() -> None:
    signals, anew = signals_of(), signals_of()
    for each in (signals, anew):
        observe(each, 120, 0.8)
        each.refresh()
        each.observe(0, 1, np.array([1.0, 0.5, -0.5]), (0.7, 4.0, None, None))
        each.fade(0.5)
    before = signals.posterior.block.copy()
    signals._unheard = {0}  # as if qualities alone had moved
    signals.catch_up()
    anew.refresh()
    assert not signals.stale
    np.testing.assert_array_equal(signals.posterior.block[:, :2], anew.posterior.block[:, :2])
    np.testing.assert_array_equal(signals.posterior.noise[:, :2], anew.posterior.noise[:, :2])
    np.testing.assert_array_equal(signals.posterior.block[:, 2:], before[:, 2:])
    assert (signals.posterior.block[:, 2:4] != anew.posterior.block[:, 2:4]).any()


def test_what_is_added_is_heard_of_by_catching_up() -> None:
    signals, anew = signals_of(), signals_of()
    source = signals_of()
    observe(source, 60, 0.3)
    sums = Evidence(*(part[0, 1] for part in source.evidence[0]))
    for each in (signals, anew):
        each.add(0, (0, 1), sums)
        assert each.stale
    signals.catch_up()
    anew.refresh()
    np.testing.assert_array_equal(signals.posterior.block, anew.posterior.block)


def test_what_others_told_is_worth_solving_once_it_is_much() -> None:
    signals = Signals([LOG_TOKENS], classes=1, models=2, width=2)

    def told(n: float) -> Evidence | None:
        x = np.array([1.0, 0.5])
        return signals.put(0, (0, 0), Evidence(n * np.outer(x, x), n * 3.0 * x, np.array(n), np.array(n * 9.0)))

    assert told(100.0) is not None
    assert signals.stale
    signals.catch_up()
    assert told(100.0) is None
    for n in (104.0, 108.0):
        assert float(told(n).n) == pytest.approx(4.0)
        assert not signals.stale
    told(112.0)
    assert signals.stale
    signals.catch_up()
    told(50.0)  # somebody has moved it
    assert signals.stale
