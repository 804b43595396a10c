"""A router that is scraped: what its metrics say is what its store has on record."""

import math
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from banditroute.errors import StoreError, UnansweredError
from banditroute.records import Usage
from banditroute.telemetry import FAMILIES, Metrics, exposition

CAP = {"name": "day", "usd": 20.0, "per": "day"}
PACE = {"name": "pace", "usd_per_request": 0.001}


class Scraped:
    """One scrape, read by the general library."""

    def __init__(self, metrics):
        body, _ = exposition(metrics)
        self.families = list(text_string_to_metric_families(body.decode()))
        self._samples = [sample for family in self.families for sample in family.samples]

    def by(self, name, *labels):
        """The sum of a metric's samples, by labels."""
        found = Counter()
        for sample in self._samples:
            if sample.name == f"banditroute_{name}":
                found[tuple(sample.labels[label] for label in labels)] += sample.value
        return found

    def sum(self, name):
        """The sum of all of a metric's samples."""
        return sum(self.by(name).values())


@pytest.fixture
def metrics(lab):
    """Those of every router of the test."""
    lab.events = Metrics(by_tenant=True)
    return lab.events


async def watched(lab, metrics, models, **sections):
    router = await lab.router(models, **sections)
    metrics.watch(router)
    return router


async def log(router):
    return [trail async for trail in router.learner.store.trails()]


async def a_day(router, server):
    """Answers, streams, pinned and failed requests, retries, fallbacks, embeddings, judgements and tenants."""
    for number in range(12):
        answer = await router.chat("hello " * number, task="qa" if number % 2 else "code", tenant="acme")
        await router.feedback(answer.decision_id, quality=number / 12)
    async with router.stream("a stream", task="qa") as stream:
        async for _ in stream:
            pass
    await router.feedback(stream.answer.decision_id, quality=1.0)
    await router.feedback(stream.answer.decision_id, quality=0.5, source="judge")
    await router.chat("just you", model="dear")
    server.script.extend(["500"] * 3)
    await router.chat("once more", task="code")
    server.script.extend(["500"] * 40)
    with pytest.raises(UnansweredError):
        await router.chat("in vain", task="code")
    server.script.clear()


async def a_catalog(lab):
    server = await lab.server()
    models = {"cheap": server, "dear": lab.served(server, input_usd_per_mtok=3.7, output_usd_per_mtok=11.3)}
    return server, models


async def test_what_it_says_is_what_is_on_record(lab, metrics):
    server, models = await a_catalog(lab)
    router = await watched(lab, metrics, models, budgets=[CAP, PACE])
    await a_day(router, server)
    trails, scraped = await log(router), Scraped(metrics)

    outcomes = [trail.outcome for trail in trails]
    assert scraped.sum("cost_usd_total") == pytest.approx(math.fsum(each.cost_usd for each in outcomes), abs=1e-12)
    paid = Counter()
    for each in outcomes:
        for attempt in each.attempts:
            paid[attempt.model,] += attempt.cost_usd
    assert scraped.by("cost_usd_total", "model") == pytest.approx(paid, abs=1e-12)
    assert scraped.by("budget_spent_usd", "budget")["day",] == pytest.approx(scraped.sum("cost_usd_total"), abs=1e-12)
    assert scraped.by("tenant_cost_usd_total", "tenant")["acme",] == pytest.approx(
        math.fsum(each.outcome.cost_usd for each in trails if each.decision.tenant == "acme"), abs=1e-12
    )

    ended = Counter(("answered" if each.ok else "failed",) for each in outcomes)
    assert scraped.by("requests_total", "outcome") == ended == {("answered",): 15, ("failed",): 1}
    calls = Counter((each.model, each.failure or "answered") for one in outcomes for each in one.attempts)
    assert scraped.by("attempts_total", "model", "outcome") == calls
    assert scraped.by("attempts_total", "provider").keys() == {("host0",)}
    assert scraped.sum("retries_total") == sum(
        len(each.attempts) - len({attempt.model for attempt in each.attempts}) for each in outcomes
    )
    usages = [each.usage for each in outcomes if each.usage is not None]
    assert scraped.sum("input_tokens_total") == sum(each.input_tokens for each in usages)
    assert scraped.sum("output_tokens_total") == sum(each.output_tokens for each in usages)
    assert scraped.sum("request_duration_seconds_count") == 15
    assert scraped.sum("time_to_first_token_seconds_count") == 1

    decided = Counter((each.decision.context.task, each.decision.chosen) for each in trails if not each.decision.pinned)
    drawn = {
        place[:2]: n
        for place, n in scraped.by("decisions_total", "task", "model", "how").items()
        if place[2] == "drawn"
    }
    assert drawn == decided
    assert scraped.by("decisions_total", "how")["pinned",] == 1
    explored = math.fsum(1 - max(each.decision.propensities.values()) for each in trails if not each.decision.pinned)
    assert scraped.sum("exploration_ratio_sum") == pytest.approx(explored)
    assert scraped.sum("exploration_ratio_count") == scraped.sum("regret_estimate_points_count") == 15

    judged = [feedback for trail in trails for feedback in trail.feedback]
    assert scraped.sum("judged_quality_count") == len(judged) == 14
    assert scraped.sum("judged_quality_sum") == pytest.approx(sum(each.quality for each in judged))
    assert scraped.sum("judged_answers_total") == 13
    assert scraped.by("feedback_missing_ratio", "task")["code",] == pytest.approx(1 - 6 / 7)
    assert scraped.sum("feedback_lag_seconds_count") == 14


async def test_every_metric_is_there_to_be_scraped(lab, metrics):
    server, models = await a_catalog(lab)
    router = await watched(
        lab,
        metrics,
        models,
        budgets=[CAP, PACE],
        guard={"baseline": "cheap"},
        promises=[{"name": "fast", "latency_s": 5.0, "epsilon": 0.1}],
    )
    await a_day(router, server)
    named = {family.name for family in Scraped(metrics).families}
    assert named == {family.name.removesuffix("_total") for family in FAMILIES}
    learned = Scraped(metrics).by("learned_quality_ratio", "task", "model")
    beliefs = {(task, model) for task in router.learner.decider.tasks for model in models}
    assert learned.keys() == beliefs


async def test_a_circuit_that_opens_is_seen(lab, metrics):
    server = await lab.server("500")
    router = await watched(lab, metrics, {"only": server}, breaker={"consecutive": 2, "open_s": 30.0})
    with pytest.raises(UnansweredError):
        await router.chat("hello")
    scraped = Scraped(metrics)
    assert scraped.by("breaker_state", "model", "state")["only", "open"] == 1
    assert scraped.by("model_callable", "model")["only",] == 0
    assert scraped.by("breaker_changes_total", "model", "state")["only", "open"] == 1


async def test_money_that_the_store_does_not_know_of_is_counted_all_the_same(lab, metrics, monkeypatch):
    router = await watched(lab, metrics, {"small": await lab.server()}, budgets=[CAP])

    async def fail(settlement):
        raise StoreError("the disk is full")

    monkeypatch.setattr(router.learner.store, "settle", fail)
    answer = await router.chat("hello")
    scraped = Scraped(metrics)
    assert scraped.sum("cost_usd_total") == pytest.approx(answer.cost_usd, abs=1e-12)
    assert scraped.sum("cost_usd_total") == scraped.sum("budget_spent_usd") > 0
    assert scraped.sum("unrecorded_outcomes_total") == 1
    assert scraped.by("store_failures_total", "doing") == {("settle a decision",): 1}


async def test_a_call_that_the_caller_makes_counts_once_recorded(lab, metrics):
    router = await watched(lab, metrics, {"small": await lab.server()}, budgets=[CAP])
    decision = router.decide("hello", task="qa")
    assert Scraped(metrics).sum("requests_total") == 0
    for _ in range(2):
        router.record(decision, usage=Usage(10, 20), latency_s=1.0)
        await router.feedback(decision.decision_id, quality=1.0)
    scraped = Scraped(metrics)
    assert (scraped.sum("requests_total"), scraped.sum("output_tokens_total")) == (1, 20)
    assert scraped.sum("cost_usd_total") == pytest.approx(5e-5, abs=1e-12)
    assert scraped.sum("judgements_total") == 1


async def test_another_configuration_and_the_end_of_the_router_leave_it_readable(lab, metrics):
    server, models = await a_catalog(lab)
    router = await watched(lab, metrics, models, budgets=[CAP])
    for model in models:
        await router.chat("hello", task="qa", model=model)
    await router.reload(lab.write({"cheap": server}, budgets=[CAP]))
    scraped = Scraped(metrics)
    assert scraped.by("reloads_total", "outcome") == {("applied",): 1}
    assert scraped.by("attempts_total", "model", "provider") == {("cheap", "host0"): 1, ("dear", ""): 1}
    assert scraped.by("learned_cost_usd", "model").keys() == {("cheap",)}
    await router.aclose()
    assert Scraped(metrics).by("requests_in_flight") == {(): 0}
