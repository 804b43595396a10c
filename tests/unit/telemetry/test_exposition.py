from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from banditroute.telemetry import CONTENT_TYPE, exposition, merged
from banditroute.telemetry.families import Readings, Spread, Sums, counter, gauge, histogram, only, summary
from banditroute.telemetry.prometheus import RouterCollector

GAUGE = gauge("banditroute_some_ratio", "A share.", "model", "task")
COUNTER = counter("banditroute_some_total", "A count.", "model")
ALONE = histogram("banditroute_other_seconds", "Seconds.")
SPREAD = histogram("banditroute_some_seconds", "Seconds.", "model")
SUMS = summary("banditroute_some_points", "Points.", "model")

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.floats(allow_nan=False) | st.integers(0, 2**53)


@dataclass
class Shown:
    all: list[Readings]

    def readings(self) -> Iterable[Readings]:
        return self.all


def parsed(body: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def spread(*values: float) -> Spread:
    found = Spread((0.1, 1.0))
    for value in values:
        found.add(value)
    return found


@given(rows=st.dictionaries(st.tuples(NAMES, NAMES), NUMBERS, max_size=4))
def test_any_name_and_any_number_is_read_as_it_was(rows: dict[tuple[str, str], float]) -> None:
    body, _ = exposition(Shown([Readings(GAUGE, list(rows.items()))]))
    assert parsed(body) == {
        (GAUGE.name, frozenset({"model": model, "task": task}.items())): float(value)
        for (model, task), value in rows.items()
    }


@given(model=NAMES, number=NUMBERS, values=st.lists(st.floats(0, 100), max_size=5))
def test_it_says_what_the_general_library_says(model: str, number: float, values: list[float]) -> None:
    shown = Shown(
        [
            Readings(GAUGE, [((model, "qa"), number)]),
            Readings(COUNTER, [((model,), 3)]),
            Readings(SPREAD, [((model,), spread(*values))]),
            Readings(SUMS, [((model,), Sums(1.5, 2))]),
        ]
    )
    registry = CollectorRegistry()
    registry.register(RouterCollector(shown))
    assert parsed(exposition(shown)[0]) == parsed(generate_latest(registry))


def test_a_value_on_a_bound_is_in_its_bucket() -> None:
    assert spread(0.05, 0.1, 0.5, 7.0).cumulative == [(0.1, 2), (1.0, 3), (math.inf, 4)]
    lines = exposition(Shown([only(histogram("banditroute_s", "S."), spread(0.1, 7.0))]))[0].decode().splitlines()
    assert lines == [
        "# HELP banditroute_s S.",
        "# TYPE banditroute_s histogram",
        'banditroute_s_bucket{le="0.1"} 1',
        'banditroute_s_bucket{le="1.0"} 1',
        'banditroute_s_bucket{le="+Inf"} 2',
        "banditroute_s_sum 7.1",
        "banditroute_s_count 2",
    ]


@pytest.mark.parametrize(("value", "text"), [(math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"), (3, "3")])
def test_what_is_no_finite_number(value: float, text: str) -> None:
    body, content_type = exposition(Shown([only(gauge("banditroute_x", "X."), value)]))
    assert body.decode().splitlines()[-1] == f"banditroute_x {text}"
    assert content_type == CONTENT_TYPE


def test_half_a_character_does_not_keep_the_rest_from_being_read() -> None:
    body, _ = exposition(Shown([Readings(COUNTER, [(("\ud800",), 1)])]))
    assert parsed(body) == {("banditroute_some_total", frozenset({("model", "?")})): 1.0}


@given(st.lists(st.dictionaries(st.tuples(NAMES | st.just("# HELP a\n# HELP b")), NUMBERS, max_size=3), max_size=4))
def test_several_workers_are_one_exposition_that_tells_them_apart(workers: list[dict[tuple[str], float]]) -> None:
    shown = [Shown([Readings(COUNTER, list(rows.items())), only(ALONE, spread(0.05, 7.0))]) for rows in workers]
    bodies = [exposition(each, worker=str(name))[0] for name, each in enumerate(shown)]
    together: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for body in bodies:
        together |= parsed(body)
    body = merged(bodies)
    assert parsed(body) == together
    assert len(together) == sum(len(rows) + 5 for rows in workers)
    assert sum(line.startswith("# TYPE") for line in body.decode().split("\n")) == (2 if workers else 0)
