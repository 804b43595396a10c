"""What each of several workers takes on of what holds for all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.gateway.workers.crew import Crew


@given(st.integers(1, 2000), st.integers(1, 64))
def test_parts_of_a_bound_come_to_the_bound(most, count):
    parts = [Crew(number, count).part(most) for number in range(1, count + 1)]
    assert sum(parts) == max(most, count), "each serves somebody"
    assert max(parts) - min(parts) <= 1


def test_one_alone_is_called_nothing_and_may_keep_its_store_to_itself():
    plan = load_config("configs/router.toml")
    alone = replace(plan, store=replace(plan.store, kind="memory"))
    assert Crew().plan(alone) is alone
    assert Crew().name == ""
    with pytest.raises(ConfigError, match=r"store\.kind: a memory store is one process's own, and there are 2 workers"):
        Crew(2, 2).plan(alone)


def test_the_past_is_shown_by_one_and_once():
    assert [Crew(number, 2, again=again).recalls for number in (1, 2) for again in (False, True)] == [True] + [
        False
    ] * 3
