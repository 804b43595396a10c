"""The live detectors: quiet while forecasts hold, the same as the simulator's, and carried over a reload."""

from __future__ import annotations

import math

import numpy as np
import pytest

from banditroute.learning.detectors import Detectors
from banditroute.learning.drift import QUALITIES, TIMES, Vigilance
from banditroute.learning.policy import PolicySettings
from banditroute.routing.watching import Shift, Watch, alarm_of, vigilances

ALL = (QUALITIES, None, TIMES, None)
NOISE = 0.2


def feed(watch: Watch, rng: np.random.Generator, count: int, by: float = 0.0, *, signal: int = 0) -> list[Shift]:
    """What comes to light in observations of model 1 in classes 0 and 1, moved by so much from a forecast of 0.6."""
    found: list[Shift] = []
    for number in range(count):
        value = 0.6 + by + NOISE * rng.standard_normal()
        found += watch.take(signal, number % 2, 1, 0.6, value, NOISE**2)
        watch.count()
    return found


def test_nothing_comes_to_light_while_forecasts_hold() -> None:
    assert feed(Watch(ALL), np.random.default_rng(0), 5_000) == []


@pytest.mark.parametrize("by", [-0.3, 0.3])
def test_a_change_is_told_once_as_that_of_the_whole_model(by: float) -> None:
    watch, rng = Watch(ALL), np.random.default_rng(1)
    feed(watch, rng, 300)
    (shift, *more) = feed(watch, rng, 25, by)
    assert (shift.signal, shift.task, shift.arm, more) == (0, None, 1, [])
    assert shift.by == pytest.approx(by, abs=0.1)
    assert 10 <= shift.seen <= 25
    assert shift.chance < 1e-6


def test_a_change_in_one_class_is_told_as_that_of_the_class() -> None:
    watch, rng = Watch((Vigilance(threshold=1e9, edge_threshold=12.0),)), np.random.default_rng(2)
    shifts: list[Shift] = []
    for number in range(80):
        value = 0.6 - 0.4 * (number % 4 == 3) + NOISE * rng.standard_normal()
        shifts += watch.take(0, number % 4, 0, 0.6, value, NOISE**2)
    assert {shift.task for shift in shifts} == {3}


def test_it_finds_what_the_simulator_finds() -> None:
    rng = np.random.default_rng(3)
    watch, detectors = Watch((QUALITIES,)), Detectors((1, 2, 2), QUALITIES)
    live: list[tuple[int | None, int, float, float]] = []
    simulated: list[tuple[int | None, int, float, float]] = []
    for number in range(2_000):
        task, arm = int(rng.integers(2)), int(rng.integers(2))
        residual = NOISE * rng.standard_normal() + (0.25 if number % 700 > 500 and arm else 0.0)
        live += [(s.task, s.arm, s.by, s.seen) for s in watch.take(0, task, arm, 0.5, 0.5 + residual, NOISE**2)]
        found = detectors.take(np.array([task]), np.array([arm]), np.array([residual]), np.array([NOISE]))
        simulated += [(change.task, change.arm, change.shift, change.seen) for change in found]
    assert len(live) >= 2
    assert [each[:2] for each in live] == [each[:2] for each in simulated]
    np.testing.assert_allclose([each[2:] for each in live], [each[2:] for each in simulated])


def test_a_signal_that_is_not_watched_raises_nothing() -> None:
    assert feed(Watch(ALL), np.random.default_rng(4), 500, -5.0, signal=1) == []
    assert vigilances(PolicySettings(drift=None, jumps=None)) == (None, None, None, None)
    assert None not in vigilances(PolicySettings())


def test_a_model_that_fell_fades_now_and_then_until_its_probation_is_over() -> None:
    settings = Vigilance(probation_requests=100, probe_every=10)
    watch, rng = Watch((settings,)), np.random.default_rng(5)
    assert feed(watch, rng, 40, -0.5)
    faded = 0
    for _ in range(300):
        watch.count()
        faded += watch.fading(0) == [(1, settings)]
    assert 6 <= faded <= 10


def test_a_model_that_rose_does_not_fade() -> None:
    watch, rng = Watch(ALL), np.random.default_rng(6)
    assert feed(watch, rng, 40, -0.5)
    assert feed(watch, rng, 60, 0.5)
    fading: list[object] = []
    for _ in range(100):
        watch.count()
        fading += watch.fading(0)
    assert fading == []


def test_seconds_that_grow_are_a_change_for_the_worse() -> None:
    watch = Watch(ALL)
    assert feed(watch, np.random.default_rng(7), 60, 1.0, signal=2)
    for _ in range(TIMES.probe_every):
        watch.count()
        if fading := watch.fading(2):
            break
    assert fading == [(1, TIMES)]


def test_a_watch_goes_on_where_another_has_come_to() -> None:
    """Half of what an alarm takes is seen before a reload, half after it; the model is another arm by then."""
    before, after, alone = Watch(ALL), Watch(ALL), Watch(ALL)
    values = 0.6 - 0.3 + NOISE * np.random.default_rng(8).standard_normal(40)
    halfway = next(number for number, value in enumerate(values) if alone.take(0, 0, 1, 0.6, float(value), NOISE**2))
    for value in values[:halfway]:
        assert not before.take(0, 0, 1, 0.6, float(value), NOISE**2)
    after.inherit(before, {0: 4}, {1: 2})
    (shift,) = after.take(0, 4, 2, 0.6, float(values[halfway]), NOISE**2)
    assert shift.seen == halfway + 1
    gone = Watch(ALL)
    gone.inherit(before, {0: 0}, {0: 0})
    assert not gone.take(0, 0, 1, 0.6, float(values[halfway]), NOISE**2)


def test_probation_goes_on_too() -> None:
    before, after = Watch(ALL), Watch(ALL)
    assert feed(before, np.random.default_rng(9), 40, -0.5)
    after.inherit(before, {}, {1: 0})
    for _ in range(QUALITIES.probe_every):
        after.count()
        if fading := after.fading(0):
            break
    assert fading == [(0, QUALITIES)]


def test_an_alarm_speaks_in_the_units_that_people_read() -> None:
    shift = Shift(1, None, 0, math.log(100.0), math.log(2.0), 12.0, 1e-6, QUALITIES)
    alarm = alarm_of(shift, ["small"], ["qa"])
    assert (alarm.model, alarm.signal, alarm.task, alarm.seen) == ("small", "output_tokens", "", 12)
    assert (alarm.before, alarm.after) == (pytest.approx(100.0), pytest.approx(200.0))
    assert alarm.text == "small: output_tokens moved from 100 to 200, by its last 12 observations"
    quality = alarm_of(Shift(0, 0, 0, 0.2, -0.3, 20.0, 1e-6, QUALITIES), ["small"], ["qa"])
    assert (quality.before, quality.after) == (0.2, 0.0), "no quality is below 0"
    assert quality.text.startswith("small: quality in qa moved from 0.2 to 0,")


def test_seconds_too_few_to_matter_are_no_change() -> None:
    watch, was = Watch(ALL), math.log(0.002)
    assert not any(watch.take(2, 0, 1, was, math.log(0.04), NOISE**2) for _ in range(500))
    found = [shift for _ in range(60) for shift in watch.take(2, 0, 1, was, math.log(0.5), NOISE**2)]
    assert found
    assert found[0].by == pytest.approx(math.log(0.5 / 0.05))
