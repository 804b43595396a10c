"""How a scenario becomes stages and phases, and what is told when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import ConfigError
from banditroute.simulation.marks import envelope_over, fixed_over, marks_at, oracle_over
from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Event,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
    Scenario,
)
from banditroute.simulation.stages import Added, Rebudgeted, Repriced, Script, script_of, warmup_of
from banditroute.simulation.stream import staged, stream_of
from banditroute.simulation.table import OutcomeTable


def script(table: OutcomeTable, *events: Event) -> Script:
    return script_of(table, Scenario(events=events, path="storm.toml"))


def test_without_a_scenario_the_table_is_the_only_stage(plain: OutcomeTable) -> None:
    found = script_of(plain, None)
    assert [(s.first, s.last, s.table) for s in found.stages] == [(0, 200, plain)]
    assert found.phases == ((0, 200),)


def test_phases_part_where_events_are_and_stages_where_outages_end_too(plain: OutcomeTable) -> None:
    found = script(
        plain,
        QualityEvent(at=50, model="large", shift=-0.1),
        PriceEvent(at=50, model="large", factor=2.0),
        OutageEvent(at=20, model="large", until=30),
        OutageEvent(at=190, model="large", until=900),
    )
    assert found.phases == ((0, 20), (20, 50), (50, 190), (190, 200))
    assert [(s.first, s.last) for s in found.stages] == [(0, 20), (20, 30), (30, 50), (50, 190), (190, 200)]


def test_an_event_at_the_first_request_parts_nothing(plain: OutcomeTable) -> None:
    found = script(plain, PriceEvent(at=0, model="large", factor=2.0))
    assert found.phases == ((0, 200),)
    assert found.stages[0].table.cost_usd[0, 1] == 0.02
    assert found.stages[0].news == (Repriced(1, 2.0),)


def test_announced_prices_are_told_as_a_factor_of_the_price_before(plain: OutcomeTable) -> None:
    found = script(
        plain,
        PriceEvent(at=10, model="large", factor=0.1),
        PriceEvent(at=20, model="large", factor=0.5, announced=False),
        PriceEvent(at=30, model="large", factor=1.0),
    )
    told = [[(n.arm, n.factor) for n in s.news if isinstance(n, Repriced)] for s in found.stages]
    assert told == [[], [(1, 0.1)], [], [(1, 2.0)]]


def test_a_budget_is_told_and_holds_until_the_next(plain: OutcomeTable) -> None:
    found = script(plain, BudgetEvent(at=10, usd_per_request=0.5), BudgetEvent(at=20, usd_per_request=0.7))
    assert [found.budget(request, 0.1) for request in (0, 9, 10, 19, 20, 199)] == [0.1, 0.1, 0.5, 0.5, 0.7, 0.7]
    assert found.budget(0, None) is None
    assert [s.news for s in found.stages] == [(), (Rebudgeted(0.5),), (Rebudgeted(0.7),)]


def test_a_model_that_is_added_is_told_of(plain: OutcomeTable) -> None:
    found = script(plain, RemoveEvent(at=10, model="large"), AddEvent(at=20, model="large"))
    assert [s.news for s in found.stages] == [(), (), (Added(1),)]


def test_rows_that_nobody_can_serve_are_refused(plain: OutcomeTable) -> None:
    with pytest.raises(ConfigError) as caught:
        script(plain, RemoveEvent(at=10, model="small"), OutageEvent(at=50, model="large", until=60))
    assert str(caught.value) == (
        "storm.toml: from request 50 on, 200 rows have no model to serve them; gone: small, large; "
        "leave each row a model that the table observes on it"
    )


def test_a_model_that_is_added_is_not_in_the_warmup(plain: OutcomeTable) -> None:
    scenario = Scenario(events=(AddEvent(at=10, model="large"),))
    warmup = warmup_of(plain, scenario)
    assert warmup is not None
    assert warmup.observed.tolist() == [[True, False]] * 200
    assert warmup_of(plain, None) is plain
    assert warmup_of(None, scenario) is None


def test_a_stream_meets_every_stage_at_its_requests(plain: OutcomeTable) -> None:
    found = script(plain, PriceEvent(at=50, model="large", factor=2.0), PriceEvent(at=150, model="large", factor=3.0))
    warmup = replace(plain, name="before").select(slice(0, 30))
    stream = staged(stream_of(found.stages[0].table, warmup, features=True, classes=True), found)
    row = stream.order(4)
    cost = stream.cost_usd[row + stream.shift, 1]
    np.testing.assert_allclose(cost, np.repeat([1e-2, 1e-2, 2e-2, 3e-2], [30, 50, 100, 50]))
    assert sorted(stream.news) == [80, 180]


def test_marks_are_means_over_stages(plain: OutcomeTable) -> None:
    """large is the better one for the first quarter; then both are as good, and small is away at the end."""
    found = script(
        plain,
        QualityEvent(at=50, model="large", set=0.5),
        OutageEvent(at=150, model="small", until=200),
    )
    fixed = fixed_over(found.stages)
    assert fixed["large"].quality == pytest.approx(0.25 * 0.9 + 0.75 * 0.5)
    assert (fixed["small"].rows, fixed["large"].rows) == (150, 200)
    assert marks_at(found.stages, 1e-2) == (pytest.approx(0.6), pytest.approx(0.6))
    assert marks_at(found.stages, None) == (pytest.approx(0.6), pytest.approx(0.6))
    for curve in (envelope_over(found.stages), oracle_over(found.stages)):
        assert curve.at(1e-2) == pytest.approx(0.6)
        assert curve.at(1e-4) == pytest.approx(0.5)
        assert (np.diff(curve.cost_usd) > 0).all()
