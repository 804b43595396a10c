"""What several workers have to show is one picture."""

from __future__ import annotations

from dataclasses import replace

from banditroute.gateway.dashboard.decisions import DecisionLine
from banditroute.gateway.dashboard.notices import Notice
from banditroute.gateway.dashboard.ring import Mark, Stretch, Tally
from banditroute.gateway.dashboard.shares import Share, decisions, notices, share_of, stretches

LINE = DecisionLine("a", 100.0, "qa", "", "small", 0.5, "small", 1, 0.01, 2.0, None)
NOTICE = Notice(100.0, "circuit", "warning", "small: open")


def shown(**fields) -> Share:
    share = Share(1, 256, 2, [], [], [])
    return share_of(replace(share, **fields).told())  # as another worker hears it


def test_the_past_of_all_is_added_up_and_stays_each_ones_own():
    one = Stretch(2, 1, 0.5, 0.1, {"small": Tally(answers=1)}, {("qa", "small"): 1}, {"pace": Mark(5.0, 0.9, 0.1)})
    two = Stretch(3, 0, 0.25, 0.0, {"small": Tally(answers=2), "large": Tally(answers=1)}, {("qa", "small"): 2})
    shares = [shown(stretches=[(10.0, one), (20.0, two)]), shown(stretches=[(0.0, one), (10.0, two)])]
    merged = stretches(shares)
    assert [begins for begins, _ in merged] == [0.0, 10.0, 20.0]
    both = merged[1][1]
    assert (both.requests, both.failed, both.spent_usd, both.judging_usd) == (5, 1, 0.75, 0.1)
    assert {model: tally.answers for model, tally in both.models.items()} == {"small": 3, "large": 1}
    assert both.edges == {("qa", "small"): 3}
    assert both.marks["pace"].spent == 0.9
    assert stretches(shares) == merged, "looking changes nothing"


def test_the_newest_decisions_of_all_are_listed_newest_first():
    lines = [replace(LINE, decision_id=str(at), at=float(at)) for at in range(60)]
    odd, even = [[line for line in reversed(lines) if line.at % 2 == rest] for rest in (1, 0)]
    listed = decisions([shown(decisions=odd), shown(decisions=even)])
    assert listed == lines[:19:-1]


def test_what_both_notice_is_told_once_and_what_comes_again_is_told_again():
    again = replace(NOTICE, at=500.0)
    other = replace(NOTICE, at=110.0, text="large: open")
    one = shown(notices=[again, NOTICE])
    two = shown(notices=[replace(again, at=501.5), other, replace(NOTICE, at=99.0)])
    assert notices([one, two]) == [replace(again, at=501.5), other, NOTICE]
