from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from banditroute.telemetry import FAMILIES, Metrics
from banditroute.telemetry.families import Family

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = json.loads((ROOT / "configs" / "grafana" / "banditroute.json").read_text(encoding="utf-8"))
PANELS = DASHBOARD["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel.get("targets", ())]
VARIABLES = [each["definition"] for each in DASHBOARD["templating"]["list"] if "definition" in each]
SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
SAMPLES = {family.name + suffix: family for family in FAMILIES for suffix in SUFFIXES[family.kind]}
NAME = re.compile(r"banditroute_\w+")


def labels_of(expr: str) -> set[str]:
    """Labels that a query selects by or groups by, but for those that Prometheus and histograms add."""
    grouped = ",".join(re.findall(r"by \(([^)]*)\)", expr))
    selected = re.findall(r"(\w+)(?:=~|!=|=)\"", expr)
    return {label.strip() for label in (*grouped.split(","), *selected)} - {"", "instance", "le"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_name_says_whose_it_is_and_in_what_unit(family: Family) -> None:
    assert re.fullmatch(r"banditroute_[a-z_]+", family.name)
    assert (family.kind == "counter") == family.name.endswith("_total")
    assert family.help.endswith(".")
    assert "\n" not in family.help
    if family.kind == "histogram":
        assert family.name.endswith("_seconds")


def test_no_name_is_given_twice() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert len(SAMPLES) == sum(len(SUFFIXES[family.kind]) for family in FAMILIES)


def test_without_a_router_only_what_was_counted_is_shown() -> None:
    shown = [each.family for each in Metrics().readings()]
    assert set(shown) < set(FAMILIES)
    assert len(set(shown)) == len(shown)
    assert not [family for family in shown if "_learned_" in family.name or "_budget_spent" in family.name]


class TestDashboard:
    @pytest.mark.parametrize("expr", [*QUERIES, *VARIABLES])
    def test_every_metric_that_it_names_is_exported(self, expr: str) -> None:
        names = NAME.findall(expr)
        assert names
        assert not [name for name in names if name not in SAMPLES]

    @pytest.mark.parametrize("expr", QUERIES)
    def test_every_label_that_it_names_is_one_of_the_metrics(self, expr: str) -> None:
        exported = {label for name in NAME.findall(expr) for label in SAMPLES[name].labels}
        assert labels_of(expr) <= exported
        for brackets in ("()", "{}", "[]"):
            assert expr.count(brackets[0]) == expr.count(brackets[1])

    def test_it_shows_what_only_a_router_that_learns_knows(self) -> None:
        shown = {SAMPLES[name].name for expr in QUERIES for name in NAME.findall(expr)}
        for name in (
            "learned_quality_ratio",
            "learned_quality_sd_ratio",
            "budget_spent_usd",
            "budget_shadow_price_points",
        ):
            assert f"banditroute_{name}" in shown
        for name in ("exploration_ratio", "regret_estimate_points", "drift_alarms_total", "breaker_state"):
            assert f"banditroute_{name}" in shown

    def test_no_panel_hides_another(self) -> None:
        assert len({panel["id"] for panel in PANELS}) == len(PANELS)
        for one, other in combinations((panel["gridPos"] for panel in PANELS), 2):
            beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            assert beside or below
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


def test_the_page_lists_every_metric() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [f"| `{family.name}` | {family.kind} | {', '.join(family.labels)} | {family.help} |" for family in FAMILIES]
    shown = [line for line in page.splitlines() if line.startswith("| `banditroute_")]
    assert shown == rows
    for name in NAME.findall(page):
        assert name.rstrip("_") in SAMPLES or name in {family.name for family in FAMILIES}
