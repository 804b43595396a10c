from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from banditroute.alerting.register import Finding, Register

DAY = 86_400.0


def a_finding(level: float = 1.0, about: str = "day", which: str = "") -> Finding:
    return Finding("budget", about, f"{level:g} of {about}", "because", "over", level, which=which)


def states(alerts) -> list[tuple[str, str]]:
    return [(alert.state, alert.text) for alert in alerts]


def test_what_goes_on_is_told_once_and_its_end_once() -> None:
    register = Register(DAY)
    told = [register.update(("budget",), found, at) for at, found in enumerate(([a_finding()],) * 3 + ([], []))]
    assert [states(alerts) for alerts in told] == [[("began", "1 of day")], [], [], [("over", "over")], []]
    began, over = told[0][0], told[3][0]
    assert (began.alert_id, began.began_at) == (over.alert_id, over.began_at)
    assert (began.cause, over.cause, over.at) == ("because", "", 3)


def test_more_of_it_is_told_and_less_of_it_is_over_and_not_begun_again() -> None:
    register = Register(DAY)
    told = [states(register.update(("budget",), [a_finding(each)], n)) for n, each in enumerate((0.5, 0.8, 0.5, 0.8))]
    assert told == [[("began", "0.5 of day")], [("began", "0.8 of day")], [("over", "over")], [("began", "0.8 of day")]]


def test_another_window_ends_and_begins_at_once() -> None:
    register = Register(DAY)
    register.update(("budget",), [a_finding(which="monday")], 0.0)
    assert states(register.update(("budget",), [a_finding(which="tuesday")], 1.0)) == [
        ("over", "over"),
        ("began", "1 of day"),
    ]


def test_kinds_that_were_not_looked_at_go_on() -> None:
    register = Register(DAY)
    register.update(("budget",), [a_finding()], 0.0)
    assert register.update(("feedback", "provider"), [], 1.0) == []
    assert [each.about for each in register.going_on] == ["day"]


def test_what_goes_on_is_told_again_no_sooner_than_asked_for() -> None:
    register = Register(100.0)
    told = [alert for at in range(0, 1_000, 7) for alert in register.update(("budget",), [a_finding()], float(at))]
    assert [alert.state for alert in told] == ["began"] + ["goes on"] * (len(told) - 1)
    assert len(told) == 10
    assert min(b.at - a.at for a, b in pairwise(told)) >= 100.0
    assert Register(0.0).update(("budget",), [a_finding()], 0.0)


def test_the_same_happens_again_only_after_a_while() -> None:
    register, never = Register(100.0), Register(0.0)
    assert [len(register.happened(a_finding(), at)) for at in (0.0, 50.0, 99.0, 100.0, 150.0)] == [1, 0, 0, 1, 0]
    assert [len(never.happened(a_finding(), at)) for at in (0.0, 1e9)] == [1, 0]
    assert len(register.happened(a_finding(which="rolled back"), 151.0)) == 1


FOUND = st.lists(
    st.builds(a_finding, st.sampled_from((0.5, 0.8, 1.0)), st.sampled_from("ab"), st.sampled_from(("", "x"))),
    max_size=3,
)


@given(st.lists(FOUND, max_size=30), st.sampled_from((0.0, 3.0)))
def test_never_two_beginnings_of_a_level_without_an_end_between(looks, repeat_s) -> None:
    register = Register(repeat_s)
    open_levels: defaultdict[str, set[str]] = defaultdict(set)
    for at, found in enumerate([*looks, []]):
        for alert in register.update(("budget",), found, float(at)):
            if alert.state == "began":
                assert alert.text not in open_levels[alert.about]
                open_levels[alert.about].add(alert.text)
            elif alert.state == "over":
                assert open_levels[alert.about]
                open_levels[alert.about].clear()
            else:
                assert repeat_s
    assert register.going_on == ()
    assert not any(open_levels.values()), "everything has come to its end"
