"""Scenario files: what they may say, and the one line that answers what they may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from banditroute.errors import ConfigError
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Feedback,
    LatencyEvent,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
    Scenario,
)
from banditroute.simulation.scenario_file import load_scenario
from banditroute.simulation.scenario_traffic import Traffic

SHIPPED = sorted((Path(__file__).parents[3] / "configs" / "scenarios").glob("*.toml"))

EVERYTHING = """
feedback = {delay_requests = 100, missing = 0.7, missing_by_model = {"large" = 0.9}}

[[event]]
at = 0
kind = "price"
model = "small"
factor = 2

[[event]]
at = 10
kind = "quality"
model = "small"
shift = -0.1

[[event]]
at = 20
kind = "latency"
model = "small"
factor = 3.5

[[event]]
at = 30
kind = "outage"
model = "large"
until = 40

[[event]]
at = 50
kind = "add"
model = "new"
like = "large"
quality = 0.5
cost_factor = 0.1

[[event]]
at = 60
kind = "remove"
model = "new"

[[event]]
at = 70
kind = "budget"
usd_per_request = 5e-4
"""


Load = Callable[[str], Scenario]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.chdir(tmp_path)

    def read(text: str) -> Scenario:
        Path("storm.toml").write_text(text, encoding="utf-8")
        return load_scenario("storm.toml")

    return read


def event(**keys: str) -> str:
    return "\n\n[[event]]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items()) + "\n"


def test_everything_that_a_file_may_say(load: Load) -> None:
    scenario = load(EVERYTHING)
    assert scenario.name == "storm"
    assert scenario.feedback == Feedback(delay_requests=100, missing=0.7, missing_by_model={"large": 0.9})
    assert scenario.events == (
        PriceEvent(at=0, model="small", factor=2.0, announced=True),
        QualityEvent(at=10, model="small", shift=-0.1),
        LatencyEvent(at=20, model="small", factor=3.5),
        OutageEvent(at=30, model="large", until=40),
        AddEvent(at=50, model="new", like="large", quality=0.5, cost_factor=0.1),
        RemoveEvent(at=60, model="new"),
        BudgetEvent(at=70, usd_per_request=5e-4),
    )
    assert scenario.lines == (4, 10, 16, 22, 28, 36, 41)


def test_traffic_and_budgets_are_read(load: Load) -> None:
    scenario = load("""
[traffic]
arrivals = "trace.jsonl.gz"
stretch = 24.0
tenants = {acme = 3, beta = 1}

[[budgets]]
usd_per_request = 0.001

[[budgets]]
usd = 2.0
per = "day"
scope = "tenant:acme"
carry = true
""")
    assert scenario.traffic == Traffic(arrivals="trace.jsonl.gz", stretch=24.0, tenants={"acme": 3.0, "beta": 1.0})
    assert scenario.budgets == (
        PacedBudget("global per request", 0.001),
        Cap("tenant:acme per day", 2.0, "day", Scope("tenant", "acme"), carry=True),
    )


def test_an_empty_file_is_a_world_in_which_nothing_happens(load: Load) -> None:
    assert load("") == Scenario(name="storm", path="storm.toml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_scenarios_are_read(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.events or scenario.traffic or scenario.feedback != Feedback()


def test_all_are_shipped() -> None:
    assert [path.stem for path in SHIPPED] == [
        "late_feedback",
        "newcomer_bad",
        "newcomer_good",
        "outage",
        "price_cut_announced",
        "price_cut_silent",
        "several_budgets",
        "silent_drop",
    ]


TRAFFIC = "[traffic]\narrivals = 0.5\n"
KINDS = "price, quality, latency, outage, add, remove, budget"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[event]", "storm.toml:1: is not TOML: "),
        ("event = [3]", "storm.toml: event[0]: is 3, not a table; write [[event]] tables"),
        ("feedback.missing_by_model = {a = 2}", 'feedback.missing_by_model.a: is 2, above 1; write {"MODEL" = share, '),
        ("events = []", "storm.toml: events: is not a key here; did you mean 'event'? there are: feedback, event, "),
        ("feedback = 3", "storm.toml: feedback: is 3, not an object; write feedback = "),
        ("feedback = {missing = 1.5}", "storm.toml: feedback.missing: is 1.5, above 1; give the share that is never"),
        ("feedback = {delay = 3}", "storm.toml: feedback.delay: is not a key here; there are: delay_requests, missing"),
        ('feedback = {missing_by_model = {"a" = -1}}', "storm.toml: feedback.missing_by_model.a: is -1, below 0; "),
        ("[traffic]\nrate = 3", "storm.toml: traffic.arrivals: is missing; give requests a second, or the name of a"),
        ("[traffic]\narrivals = 1\nrate = 3", "traffic.rate: is not a key here; there are: arrivals, stretch, tenants"),
        ("[traffic]\narrivals = 0", "traffic.arrivals: neither a rate above 0 nor the name of a trace; give requests"),
        ("[traffic]\narrivals = 1\nstretch = 2.0", "storm.toml: traffic.stretch: is for traces; take it out"),
        ("[traffic]\narrivals = 1\ntenants = {a = 0}", "traffic.tenants: no tenant has a share; give one"),
        ("[traffic]\narrivals = 1\ntenants = {a = -1}", "traffic.tenants.a: is -1, below 0; write tenants = {NAME"),
        ("[slo]", "storm.toml: slo.latency_s: is missing; give seconds above 0, such as 8.0"),
        ("[slo]\nlatency_s = 8.0", "storm.toml: slo: need time to pass; say in [traffic] when requests arrive"),
        (
            "[traffic]\narrivals = 1.0\n[slo]\nlatency_s = 8.0\nepsilon = 1.0",
            "storm.toml: slo.epsilon: is 1.0, not below 1; give the share of answers that may be late, such as 0.05",
        ),
        ("[[budgets]]\nusd = 3", "storm.toml: budgets: need time to pass; say in [traffic] when requests arrive"),
        (TRAFFIC + "[[budgets]]\nusd = 3", 'storm.toml: budgets[0].per: missing; write "day" or "month"'),
        (TRAFFIC + "[[budgets]]\nusd = 3\nper = 'week'", "budgets[0].per: is 'week', not 'day' or 'month'; write"),
        (TRAFFIC + "[[budgets]]\nusd = 0", "budgets[0].usd: is 0, not above 0; write [[budgets]] tables as"),
        (TRAFFIC + "[[budgets]]\nusb = 1", "budgets[0].usb: is not a key here; did you mean 'usd'? there are: name"),
        (
            TRAFFIC + "[[budgets]]\nusd = 3\nper = 'day'\non_exhausted = 'reject'",
            'budgets[0].on_exhausted: every request of a table is answered here; write "cheapest"',
        ),
        (event(at="1"), f"storm.toml:3: event[0]: names no kind; give one of: {KINDS}"),
        (event(at="1", kind='"prize"'), f"storm.toml:3: event[0]: there is no kind 'prize'; give one of: {KINDS}"),
        (event(kind='"remove"', model='"a"'), "storm.toml:3: event[0].at: is missing; give the index of a request"),
        (event(at="-1", kind='"remove"', model='"a"'), "storm.toml:3: event[0].at: is -1, below 0; give the index"),
        (event(at="1.5", kind='"remove"', model='"a"'), "event[0].at: is 1.5, not a whole number; give the index"),
        (event(at='"1"', kind='"remove"', model='"a"'), "event[0].at: is '1', not a whole number; give the index"),
        (event(at="1", kind='"remove"', model="3"), "event[0].model: is 3, not text; name the model"),
        (event(at="1", kind='"remove"', model='""'), "event[0].model: is empty; name the model"),
        (event(at="1", kind='"price"', model='"a"'), "event[0].factor: is missing; give a number above 0"),
        (event(at="1", kind='"price"', model='"a"', factor="0"), "event[0].factor: is 0, not above 0; give a number"),
        (event(at="1", kind='"price"', model='"a"', factor="nan"), "event[0].factor: is NaN or infinite; "),
        (
            event(at="1", kind='"price"', model='"a"', factor="1", announced='"no"'),
            "event[0].announced: is 'no', not true or false; write true or false",
        ),
        (
            event(at="1", kind='"price"', model='"a"', factor="1", anounced="true"),
            "event[0].anounced: is not a key here; did you mean 'announced'? there are: at, kind, model, factor",
        ),
        (event(at="1", kind='"quality"', model='"a"', set="87"), "event[0].set: is 87, above 1; give the mean"),
        (event(at="1", kind='"budget"', usd_per_request="0"), "event[0].usd_per_request: is 0, not above 0; give doll"),
    ],
)
def test_what_is_wrong_gets_one_line(load: Load, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert line in str(caught.value)
    assert str(caught.value).startswith("storm.toml:")
    assert "\n" not in str(caught.value)


def test_the_line_is_that_of_the_event(load: Load) -> None:
    first = event(at="1", kind='"remove"', model='"a"')
    with pytest.raises(ConfigError, match=r"^storm\.toml:9: event\[1\]\.until: is missing; "):
        load(first + event(at="1", kind='"outage"', model='"a"'))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: no such file or directory; name a scenario"):
        load_scenario(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'model = "\xe9"')
    with pytest.raises(ConfigError, match=r"latin\.toml: is not UTF-8; save it as UTF-8"):
        load_scenario(tmp_path / "latin.toml")
