"""What is said of a scenario that does not fit a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import ConfigError
from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Event,
    Feedback,
    LatencyEvent,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
    Scenario,
)
from banditroute.simulation.scenario_checks import check_scenario
from banditroute.simulation.table import OutcomeTable

NEW = AddEvent(at=5, model="new", like="large")


def test_what_fits_passes(plain: OutcomeTable) -> None:
    events = (
        PriceEvent(at=0, model="small", factor=2.0),
        PriceEvent(at=199, model="small", factor=1.0),
        QualityEvent(at=0, model="small", set=0.5),
        NEW,
        QualityEvent(at=0, model="new", shift=0.1),
        RemoveEvent(at=10, model="new"),
        AddEvent(at=20, model="new"),
        OutageEvent(at=1, model="large", until=10_000),
        LatencyEvent(at=1, model="large", factor=2.0),
        BudgetEvent(at=1, usd_per_request=1.0),
    )
    check_scenario(Scenario(events=events, feedback=Feedback(missing_by_model={"new": 0.5})), plain)


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([PriceEvent(at=200, model="small", factor=2.0)], "event[0].at: 200 is not among the table's 200 requests; "),
        (
            [NEW, PriceEvent(at=1, model="larg", factor=2.0)],
            "event[1].model: the table has no model 'larg'; did you mean 'large'? choose from: small, large, new",
        ),
        ([RemoveEvent(at=1, model="none")], "event[0].model: the table has no model 'none'; choose from: small, large"),
        (
            [AddEvent(at=1, model="new")],
            "event[0].model: the table has no model 'new'; say like = \"MODEL\" for a copy of one, or choose from",
        ),
        ([AddEvent(at=1, model="small", quality=0.3)], 'event[0].quality: is for copies; say like = "MODEL" too'),
        (
            [AddEvent(at=1, model="new", like="lrge")],
            "event[0].like: the table has no model 'lrge'; did you mean 'large'",
        ),
        (
            [AddEvent(at=1, model="small", like="large")],
            "event[0].like: the table has outcomes of 'small' itself; leave like out, or choose another name",
        ),
        (
            [NEW, RemoveEvent(at=20, model="new"), AddEvent(at=30, model="new", like="small")],
            "event[2].like: 'new' is a copy already, made by an event above; leave like, quality and cost_factor out",
        ),
        ([QualityEvent(at=1, model="small")], "event[0].shift: is missing, and so is set; give one of the two"),
        ([QualityEvent(at=1, model="small", shift=0.1, set=0.1)], "event[0].shift: stands beside set; give one of"),
        ([OutageEvent(at=5, model="small", until=5)], "event[0].until: 5 is not after the outage's begin, 5; give a"),
        (
            [NEW, BudgetEvent(at=1, usd_per_request=1.0), BudgetEvent(at=1, usd_per_request=2.0)],
            "event[2].at: event[1] sets the same at request 1; keep one of the two",
        ),
        (
            [RemoveEvent(at=1, model="small"), AddEvent(at=1, model="small")],
            "event[1].at: event[0] sets the same at request 1; keep one of the two",
        ),
    ],
)
def test_what_does_not_fit_gets_one_line(plain: OutcomeTable, events: list[Event], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_scenario(Scenario(events=tuple(events), path="storm.toml"), plain)
    assert str(caught.value).startswith(f"storm.toml: {line}")


def test_latencies_that_are_not_there_cannot_change(plain: OutcomeTable) -> None:
    silent = replace(plain, latency_s=np.full((200, 2), np.nan))
    scenario = Scenario(events=(LatencyEvent(at=1, model="small", factor=2.0),), lines=(7,), path="storm.toml")
    with pytest.raises(ConfigError, match=r"^storm\.toml:7: event\[0\]\.kind: the table has no latencies to change; "):
        check_scenario(scenario, silent)


def test_feedback_names_models_of_the_table(plain: OutcomeTable) -> None:
    scenario = Scenario(feedback=Feedback(missing_by_model={"larg": 0.5}))
    with pytest.raises(ConfigError, match=r"^feedback\.missing_by_model: the table has no model 'larg'; did you mean"):
        check_scenario(scenario, plain)
