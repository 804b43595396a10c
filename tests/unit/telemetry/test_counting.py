from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from banditroute.observe import Attempted, Decided, Judged
from banditroute.records import Attempt, Feedback, Usage
from banditroute.telemetry import Metrics
from banditroute.telemetry.counting import Counts


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def judged(settled) -> Callable[..., Judged]:
    def make(made, source="user", *, quality=0.8, after_s=60.0, first=True):
        feedback = Feedback(made.decision_id, quality, source, made.at + after_s)
        return Judged(feedback, made, settled(made).outcome, first)

    return make


def test_a_request_is_counted_by_how_it_was_decided_and_ended(metrics, shown, decision, settled) -> None:
    made = decision()
    for event in (
        Decided(made),
        Decided(decision("b", pinned=True)),
        Decided(decision("b"), ("a",)),
        settled(made),
        settled(made, served=""),
        settled(made, from_cache=True),
    ):
        metrics.notify(event)
    value = shown(metrics)
    edge = {"task": "qa", "model": "a"}
    other = {"task": "qa", "model": "b"}
    assert value("decisions_total", **edge, how="drawn") == 1
    assert (value("decisions_total", **other, how="pinned"), value("decisions_total", **other, how="fallback")) == (
        1,
        1,
    )
    assert value("fallbacks_total", from_model="a", to_model="b") == 1
    assert [value("requests_total", **edge, outcome=each) for each in ("answered", "failed", "cached")] == [1, 1, 1]
    assert value("request_duration_seconds_count", model="a") == 1, "only what a model answered takes its time"


def test_tokens_are_those_of_usage(metrics, shown, decision, settled) -> None:
    made = decision()
    metrics.notify(settled(made, usage=Usage(100, 20, 64, 16, 5)))
    metrics.notify(settled(made, usage=Usage(1, 2)))
    metrics.notify(settled(made, usage=None))
    value = shown(metrics)
    names = ("input", "output", "cached_input", "cache_write", "reasoning")
    assert [value(f"{name}_tokens_total", task="qa", model="a") for name in names] == [101, 22, 64, 16, 5]


def test_dollars_go_to_the_models_that_were_called_and_none_gets_lost(metrics, shown, decision, settled) -> None:
    made = decision()
    for _ in range(1_000):
        metrics.notify(settled(made, Attempt("b", 0.5, 1e-7, "ServerFailedError"), Attempt("a", 1.0, 3e-7)))
        metrics.notify(settled(made, cost_usd=1e-7))
    value = shown(metrics)
    assert value("cost_usd_total", task="qa", model="a") == 4e-4
    assert value("cost_usd_total", task="qa", model="b") == 1e-4


def test_calls_are_counted_by_how_they_ended(metrics, shown, decision, settled) -> None:
    lost = Attempt("a", 0.5, failure="ServerFailedError")
    for attempt in (lost, Attempt("a", 0.1), Attempt("b", 0.1, hedge=True), Attempt("b", 0.1, probe=True)):
        metrics.notify(Attempted("d", attempt))
    metrics.notify(settled(decision(), lost, lost, Attempt("b", 0.1), Attempt("a", 0.1, hedge=True)))
    value = shown(metrics)
    assert value("attempts_total", model="a", provider="", outcome="ServerFailedError") == 1
    assert value("attempts_total", model="a", provider="", outcome="answered") == 1
    assert (value("hedges_total", model="b"), value("probes_total", model="b")) == (1, 1)
    assert value("retries_total", model="a") == 1, "a hedge is none"


def test_overhead_is_what_is_left_where_one_call_answered(metrics, shown, decision, settled) -> None:
    made, call = decision(), Attempt("a", 1.0)
    metrics.notify(settled(made, call, latency_s=1.003))
    metrics.notify(settled(made, call, latency_s=0.9))  # two clocks
    metrics.notify(settled(made, call, call, latency_s=9.0))
    value = shown(metrics)
    assert value("overhead_seconds_count") == 2
    assert value("overhead_seconds_sum") == pytest.approx(0.003)


def test_exploration_is_the_probability_of_all_but_the_likeliest(metrics, shown, decision) -> None:
    metrics.notify(Decided(decision("b", propensities={"a": 0.7, "b": 0.2, "c": 0.1})))
    metrics.notify(Decided(decision("a", propensities={"a": 0.5, "b": 0.5})))
    metrics.notify(Decided(decision("a", pinned=True)))
    value = shown(metrics)
    assert value("exploration_ratio_sum", task="qa") == pytest.approx(0.8)
    assert value("exploration_ratio_count", task="qa") == 2
    assert value("regret_estimate_points_count", task="qa") == 0, "without a router nobody knows what a dollar is worth"


def test_a_judgement_counts_once_for_an_answer_and_each_time_for_its_source(
    metrics, shown, decision, settled, judged
) -> None:
    made = decision()
    for _ in range(4):
        metrics.notify(settled(made))
    metrics.notify(judged(made))
    metrics.notify(judged(made, "judge", quality=0.4, after_s=-5.0, first=False))
    value = shown(metrics)
    assert value("judged_quality_sum", task="qa", model="a") == pytest.approx(1.2)
    assert value("judged_quality_count", task="qa", model="a") == 2
    assert (value("judgements_total", source="user"), value("judgements_total", source="judge")) == (1, 1)
    assert (value("answers_total", task="qa"), value("judged_answers_total", task="qa")) == (4, 1)
    assert value("feedback_missing_ratio", task="qa") == 0.75
    assert (value("feedback_lag_seconds_sum"), value("feedback_lag_seconds_count")) == (60.0, 2)


def test_embeddings_and_judges_calls_are_no_answers_to_be_judged(metrics, shown, decision, settled) -> None:
    for task in ("embeddings", "judge:strict"):
        metrics.notify(settled(decision(task=task)))
        assert shown(metrics)("answers_total", task=task) is None
        assert shown(metrics)("requests_total", task=task, model="a", outcome="answered") == 1


def test_names_that_keep_being_made_up_do_not_fill_the_memory(shown, decision, settled, judged) -> None:
    metrics = Metrics(by_tenant=True)
    for number in range(300):
        made = replace(decision(task=f"t{number}", tenant=f"tenant{number}"), decision_id=str(number))
        for event in (Decided(made), settled(made, cost_usd=1e-6), judged(made, f"source{number}")):
            metrics.notify(event)
    value = shown(metrics)
    assert value("requests_total", task="t95", model="a", outcome="answered") == 1
    assert value("requests_total", task="other", model="a", outcome="answered") == 204
    assert value("exploration_ratio_count", task="other") == 204
    assert value("tenant_requests_total", tenant="other") == 200
    assert value("tenant_cost_usd_total", tenant="other") == pytest.approx(2e-4)
    assert value("judgements_total", source="other") == 268


def test_tenants_are_not_told_apart_unless_asked_for(metrics, shown, decision, settled) -> None:
    metrics.notify(settled(decision(tenant="acme")))
    assert shown(metrics)("tenant_requests_total", tenant="acme") is None


def test_regret_is_what_the_chosen_model_is_worth_less_than_the_best(decision) -> None:
    counts = Counts()
    counts.worth_of = lambda made: {"a": 0.5, "b": 0.3}
    for made in (decision("a"), decision("b"), decision("b")):
        counts.decided(Decided(made))
    counts.decided(Decided(decision("b"), ("a",)))  # nobody chose to have it fail
    assert counts.tasks["qa"].regret == pytest.approx(0.4)
    assert counts.tasks["qa"].valued == 3
