from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from banditroute.alerting.holding import Holding


def believed(holding: Holding, seen: str, now: float, kept: str | None = None) -> set[str]:
    names = None if kept is None else dict.fromkeys(kept)
    return set(holding.look(dict.fromkeys(seen), 10.0, 20.0, now, names))


def test_it_takes_its_time_either_way() -> None:
    holding = Holding()
    told = [(at, bool(believed(holding, "a" if at < 30 else "", at))) for at in range(0, 60, 5)]
    assert [at for at, is_believed in told if is_believed] == [10, 15, 20, 25, 30, 35, 40, 45]


def test_what_comes_back_in_time_was_never_gone() -> None:
    holding = Holding()
    for at, seen in ((0, "a"), (10, "a"), (15, ""), (30, "a"), (31, ""), (50, "")):
        assert believed(holding, seen, at) == (set() if at < 10 else {"a"}), at
    assert believed(holding, "", 51) == set()


def test_less_is_enough_to_go_on() -> None:
    holding = Holding()
    assert believed(holding, "", 0, "a") == set()
    assert believed(holding, "", 60, "a") == set(), "too little to begin"
    for at in (100, 110):
        believed(holding, "a", at)
    assert believed(holding, "", 500, "a") == {"a"}


def test_what_is_forgotten_begins_anew() -> None:
    holding = Holding()
    for at in (0, 10):
        believed(holding, "a", at)
    holding.forget("a")
    assert believed(holding, "a", 11) == set()
    assert believed(holding, "a", 21) == {"a"}


@given(st.lists(st.tuples(st.floats(0.1, 30.0), st.booleans()), max_size=40))
def test_beliefs_change_no_faster_than_allowed(steps) -> None:
    holding, now, changes, before = Holding(), 0.0, [], False
    for wait_s, seen in steps:
        now += wait_s
        is_believed = bool(believed(holding, "a" if seen else "", now))
        if is_believed != before:
            changes.append((now, is_believed))
            before = is_believed
    for (began, was), (ended, _) in pairwise(changes):
        assert ended - began >= 20.0 - 1e-9 or not was
