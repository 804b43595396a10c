import random

import pytest

from banditroute.alerting.settings import AlertSettings
from banditroute.alerting.silence import Gaps, Silence
from banditroute.records import Context, Decision, Feedback, Outcome
from banditroute.storage.protocol import Dispatch, Trail

SETTINGS = AlertSettings()
HOUR = 3_600.0


def hours(silence, rng, *, begin, end, rate, share, tasks=("qa", "code"), source="user", judge=True):
    """Answers at a rate; a share of them is judged at once. The names that were silent at any look, and when first."""
    now, looked, found = begin, begin, {}
    while now < end:
        now += rng.expovariate(rate)
        task = rng.choice(tasks)
        silence.answered(task, now)
        if judge and rng.random() < share:
            silence.judged(task, source, now)
        if now - looked >= 30.0:
            looked = now
            for each in silence.look(SETTINGS):
                found.setdefault(each.about, now)
    return found


def test_a_gap_as_an_ordinary_moment_sees_it() -> None:
    gaps = Gaps()
    for gap in [1.0] * 30:
        gaps.add(gap)
    assert gaps.usual == pytest.approx(1.0)
    rng, chance = random.Random(1), Gaps()
    for _ in range(3_000):
        chance.add(rng.expovariate(1.0))
    assert 1.3 < chance.usual < 3.0
    batches = Gaps()
    for _ in range(20):
        batches.add(500.0)
        for _ in range(499):
            batches.add(0.0)
    assert batches.usual == pytest.approx(500.0)


def test_ordinary_feedback_is_never_silent() -> None:
    silence, rng = Silence(), random.Random(2)
    assert hours(silence, rng, begin=0.0, end=24 * HOUR, rate=0.5, share=0.1) == {}


def test_a_source_that_stops_is_told_and_its_return_ends_it() -> None:
    silence, rng = Silence(), random.Random(3)
    hours(silence, rng, begin=0.0, end=4 * HOUR, rate=0.5, share=0.1)
    found = hours(silence, rng, begin=4 * HOUR, end=6 * HOUR, rate=0.5, share=0.1, judge=False)
    assert set(found) == {"source user"}, "one cause, told once: not of every task class as well"
    assert 500.0 <= found["source user"] - 4 * HOUR < 1_800.0
    silence.judged("qa", "user", 6 * HOUR)
    assert list(silence.look(SETTINGS)) == []


def test_a_class_that_nobody_judges_any_more_while_its_source_goes_on() -> None:
    silence, rng = Silence(), random.Random(4)
    hours(silence, rng, begin=0.0, end=4 * HOUR, rate=0.5, share=0.2)
    found, now = {}, 4 * HOUR
    for _ in range(3_000):
        now += rng.expovariate(0.5)
        task = rng.choice(("qa", "code"))
        silence.answered(task, now)
        if task == "qa" and rng.random() < 0.2:
            silence.judged("qa", "user", now)
        found |= {each.about: now for each in silence.look(SETTINGS)}
    assert set(found) == {"task code"}


def test_a_quiet_night_is_no_silence() -> None:
    silence, rng = Silence(), random.Random(5)
    for day in range(4):
        begin = day * 24 * HOUR
        assert hours(silence, rng, begin=begin, end=begin + 12 * HOUR, rate=0.2, share=0.1) == {}
    assert list(silence.look(SETTINGS)) == []


def test_traffic_that_turns_to_what_was_never_judged_is_no_silence() -> None:
    silence, rng = Silence(), random.Random(6)
    hours(silence, rng, begin=0.0, end=4 * HOUR, rate=0.5, share=0.1, tasks=("qa",))
    found = hours(silence, rng, begin=4 * HOUR, end=8 * HOUR, rate=2.0, share=0.0, tasks=("writing",))
    assert found == {}


def test_who_judges_in_batches_is_not_silent_between_them() -> None:
    silence, now, found = Silence(), 0.0, []
    for n in range(24_000):
        now += 20.0
        silence.answered("qa", now)
        if n % 2_000 == 1_999:
            for _ in range(400):
                silence.judged("qa", "nightly", now)
        if n % 50 == 0:
            found += silence.look(SETTINGS)
    assert found == []


def test_too_little_was_heard_to_miss_it() -> None:
    silence = Silence()
    for n in range(19):
        silence.answered("qa", float(n))
        silence.judged("qa", "user", float(n))
    for n in range(20, 50_000):
        silence.answered("qa", float(n))
    assert list(silence.look(SETTINGS)) == []


def test_the_cause_says_how_much_is_missing() -> None:
    silence, rng = Silence(), random.Random(7)
    hours(silence, rng, begin=0.0, end=4 * HOUR, rate=0.5, share=0.5)
    hours(silence, rng, begin=4 * HOUR, end=5 * HOUR, rate=0.5, share=0.5, judge=False)
    (found,) = silence.look(SETTINGS)
    assert found.text.startswith("feedback of source user has gone silent: 1,")
    missed = int(found.cause.split()[1])
    assert 700 < missed < 1_100


def test_what_another_process_heard_is_no_silence() -> None:
    silence, rng = Silence(), random.Random(8)
    hours(silence, rng, begin=0.0, end=4 * HOUR, rate=0.5, share=0.3, tasks=("qa",))
    hours(silence, rng, begin=4 * HOUR, end=5 * HOUR, rate=0.5, share=0.3, tasks=("qa",), judge=False)
    assert silence.doubtful(SETTINGS)
    decision = Decision("d", 4 * HOUR, Context("qa"), "small", 1.0, {}, {}, {})
    outcome = Outcome("d", "small", 4 * HOUR, None, 0.0, 1.0)
    old, new = Feedback("d", 0.9, "user", 3 * HOUR), Feedback("d", 0.9, "user", 5 * HOUR - 1.0)
    silence.overheard([Trail(Dispatch(decision), outcome, (), (old, Feedback("d", 0.9, "stranger", 5 * HOUR)))])
    assert list(silence.look(SETTINGS)), "what is older, and who was never heard here, says nothing"
    silence.overheard([Trail(Dispatch(decision), outcome, (), (new,))])
    assert list(silence.look(SETTINGS)) == []
