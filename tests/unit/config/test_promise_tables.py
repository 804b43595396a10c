"""What [[promises]] become, and what is said of those that cannot be kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from banditroute.assemble import decider_of
from banditroute.config import check_config, load_config
from banditroute.config.review import review
from banditroute.config.shadowing import shadow_plan
from banditroute.routing.promises import PROMISE, Promise

Written = Callable[[str], Path]
TWO = """
[[promises]]
name = "fast"
latency_s = 8.0

[[promises]]
name = "first word"
task = "chat"
ttft_s = 1.5
epsilon = 0.1
"""


def test_they_are_read_and_kept_by_the_router_but_not_by_its_shadow(written: Written) -> None:
    plan = load_config(written(TWO + "[shadow]\nshare = 0.5\n"))
    assert plan.promises == (
        Promise("fast", 0.05, latency_s=8.0),
        Promise("first word", 0.1, ttft_s=1.5, task="chat"),
    )
    kept = {pace.budget for pace in decider_of(plan).paces}
    assert {f"{PROMISE}fast", f"{PROMISE}first word"} <= kept
    shadow = shadow_plan(plan)
    assert shadow is not None
    assert not shadow.promises


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('name = "p"', "a promise has one limit; give latency_s or ttft_s"),
        ('name = "p"\nlatency_s = 1.0\nttft_s = 1.0', "a promise has one limit"),
        ('name = "p"\nlatency_s = -1.0', "-1.0 is not a time; give seconds above 0"),
        ('name = "p"\nlatency_s = 1.0\nepsilon = 1.0', "1.0 is not a share"),
        ("latency_s = 1.0", "name: missing"),
        ('name = "fast"\nlatency_s = 1.0', "another one is named 'fast' too"),
    ],
)
def test_one_that_is_none_gets_one_line(wrong: str, says: str, written: Written) -> None:
    (problem,) = check_config(written(f"{TWO}\n[[promises]]\n{wrong}\n")).problems
    assert says in str(problem)


def test_one_for_a_class_that_nobody_names_is_pointed_out(written: Written) -> None:
    plan = load_config(written(TWO.replace('"chat"', '"chta"')))
    (finding,) = (each for each in review(plan, {}) if each.place == "promise 'first word'")
    assert "no class is called 'chta'" in finding.problem
