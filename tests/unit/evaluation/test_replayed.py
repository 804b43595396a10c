"""A router led over a log: what it decides by, what it learns from, what it pays, and what it refuses."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.replayed import Replayed
from banditroute.records import Context, Demand
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.tasks import EMBEDDINGS

MODELS = ("big", "mid", "small")
PRICES = {"big": Price(10.0, 30.0), "mid": Price(1.0, 3.0), "small": Price(0.1, 0.3)}
QUALITY = {"big": 0.9, "mid": 0.8, "small": 0.4}
WIDTH = 2


def catalog(*names: str, window: int | None = None) -> Catalog:
    able = Capabilities(context_window=window)
    return Catalog(tuple(Model(name, "any", name, PRICES[name], able) for name in names or MODELS))


def decider(*names: str, budget_usd: float | None = None, features: int = WIDTH) -> Decider:
    return Decider(catalog(*names), features=features, budget_usd=budget_usd)


def table(rows: int = 400, seed: int = 0) -> tuple[LogTable, NDArray[np.float64]]:
    """A log of a uniform policy over three models in two classes, and the quality (n, K) of every model."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, 3, rows)
    quality = (rng.random((rows, 3)) < [QUALITY[model] for model in MODELS]).astype(float)
    tokens, answer = rng.integers(50, 500, rows).astype(float), rng.integers(20, 300, rows).astype(float)
    per_token = np.array([[p.input_usd_per_mtok, p.output_usd_per_mtok] for p in PRICES.values()])[chosen] / 1e6
    log = LogTable(
        name="traffic",
        ids=tuple(f"d{i}" for i in range(rows)),
        models=MODELS,
        tasks=("code", "qa"),
        policies=("uniform",),
        policy_of=np.zeros(rows, dtype=np.int64),
        task_of=rng.integers(0, 2, rows),
        at=np.arange(rows, dtype=float),
        input_tokens=tokens,
        output_tokens=answer,
        features=rng.normal(size=(rows, WIDTH)),
        eligible=np.ones((rows, 3), dtype=np.bool_),
        chosen=chosen,
        served=chosen.copy(),
        propensity=np.full(rows, 1 / 3),
        propensities=np.full((rows, 3), 1 / 3),
        quality=quality[np.arange(rows), chosen],
        cost_usd=tokens * per_token[:, 0] + answer * per_token[:, 1],
        latency_s=rng.random(rows) + 0.1,
    )
    return log, quality


def own_log(make: Callable[[], Decider], rows: int = 300) -> LogTable:
    """A log whose decisions a decider made while it learned, as a live router's."""
    log, quality = table(rows)
    router, chance, chosen, p = make(), random.Random(5), [], []
    for i in range(rows):
        context = Context(log.tasks[log.task_of[i]], tuple(log.features[i].tolist()), int(log.input_tokens[i]))
        drawn = router.decide(
            context, Demand(context.input_tokens), decision_id=log.ids[i], now=float(i), u=chance.random()
        )
        arm = MODELS.index(drawn.chosen)
        router.learn(
            context,
            drawn.chosen,
            quality=quality[i, arm],
            output_tokens=int(log.output_tokens[i]),
            latency_s=float(log.latency_s[i]),
        )
        if router.refresh_due:
            router.refresh()
        chosen.append(arm)
        p.append([drawn.propensities[model] for model in MODELS])
    arms, spread = np.array(chosen), np.array(p)
    rows_of = np.arange(rows)
    return replace(
        log,
        chosen=arms,
        served=arms.copy(),
        propensity=spread[rows_of, arms],
        propensities=spread,
        quality=quality[rows_of, arms],
    )


def test_a_router_led_over_its_own_log_decides_as_it_did() -> None:
    log = own_log(decider)
    p = Replayed("same", decider).propensities(log)
    np.testing.assert_allclose(p, log.propensities, atol=1e-12)
    assert p.std(0).max() > 0.05  # it did learn


def test_a_second_reading_begins_anew() -> None:
    log, _ = table(100)
    target = Replayed("again", decider)
    np.testing.assert_array_equal(target.propensities(log), target.propensities(log))


def test_what_it_decides_on_depends_on_the_past_alone() -> None:
    log, _ = table(120)
    later = np.arange(log.rows) >= 60
    other = replace(
        log,
        quality=np.where(later, 1 - log.quality, log.quality),
        output_tokens=np.where(later, 5 * log.output_tokens, log.output_tokens),
        cost_usd=np.where(later, 9 * log.cost_usd, log.cost_usd),
    )
    make = lambda: decider(budget_usd=0.0005)  # noqa: E731
    one, two = (Replayed("past", make).propensities(each) for each in (log, other))
    np.testing.assert_array_equal(one[:61], two[:61])
    assert np.abs(one[61:] - two[61:]).max() > 0.01


def test_it_pays_what_its_own_choices_are_expected_to_cost_never_the_logs_bill() -> None:
    log, _ = table()
    make = lambda: decider(budget_usd=0.0005)  # noqa: E731
    p = Replayed("paced", make).propensities(log)
    dear = Replayed("paced", make).propensities(replace(log, cost_usd=1000 * log.cost_usd))
    np.testing.assert_array_equal(p, dear)


def test_it_holds_its_own_budget() -> None:
    log, _ = table(800)
    per_token = np.array([[PRICES[m].input_usd_per_mtok, PRICES[m].output_usd_per_mtok] for m in MODELS]) / 1e6
    each_usd = log.input_tokens[:, None] * per_token[:, 0] + log.output_tokens[:, None] * per_token[:, 1]
    budget_usd = 0.0008  # the dearest model's mean is some 0.008

    def spent_usd(make: Callable[[], Decider]) -> float:
        return float((Replayed("x", make).propensities(log) * each_usd).sum(1)[200:].mean())

    assert spent_usd(decider) > 3 * budget_usd
    assert spent_usd(lambda: decider(budget_usd=budget_usd)) == pytest.approx(budget_usd, rel=0.15)


def test_it_learns_of_the_model_that_served() -> None:
    log, _ = table(200)
    small, big = MODELS.index("small"), MODELS.index("big")
    log = replace(
        log,
        chosen=np.full(200, small),
        served=np.full(200, big),
        quality=np.ones(200),
        latency_s=np.full(200, 60.0),
    )
    kept = decider()
    Replayed("fallback", lambda: kept).propensities(log)
    beliefs, fresh = (each.forecasts("qa", 200) for each in (kept, decider()))
    assert beliefs["big"].quality > 0.95
    assert beliefs["big"].quality_sd < 0.5 * beliefs["small"].quality_sd
    # The time of a decision with a fallback is not that of the model that answered in the end.
    assert beliefs["big"].latency_s == pytest.approx(fresh["big"].latency_s)


def test_what_is_not_on_record_teaches_nothing() -> None:
    log, _ = table(100)
    kept = decider()
    silent = replace(
        log,
        quality=np.full(100, np.nan),
        output_tokens=np.zeros(100),
        latency_s=np.zeros(100),
        propensity=log.propensity,
    )
    Replayed("silent", lambda: kept).propensities(silent)
    nobody = replace(log, served=np.full(100, -1))
    Replayed("nobody", lambda: kept).propensities(nobody)
    assert all(sums.n.sum() == 0 for sums in kept.signals.evidence)


def test_a_frozen_one_decides_as_it_stood() -> None:
    log, _ = table(150)
    log = replace(
        log, task_of=np.zeros(150, dtype=np.int64), features=np.ones((150, WIDTH)), input_tokens=np.full(150, 99.0)
    )
    p = Replayed("frozen", lambda: decider(budget_usd=0.0005), learns=False).propensities(log)
    assert (p == p[0]).all()
    moving = Replayed("moving", lambda: decider(budget_usd=0.0005)).propensities(log)
    assert (moving != moving[0]).any()


def test_only_what_was_eligible_and_both_know_is_drawn() -> None:
    log, _ = table(300)
    eligible = np.random.default_rng(3).random((300, 3)) < 0.6
    eligible[np.arange(300), log.chosen] = True
    eligible[:, MODELS.index("mid")] = True
    log = replace(log, eligible=eligible)
    p = Replayed("two", lambda: decider("mid", "small")).propensities(log)
    assert (p[~eligible] == 0).all()
    assert (p[:, MODELS.index("big")] == 0).all()
    np.testing.assert_allclose(p.sum(1), 1.0)


def test_decisions_between_models_that_it_lacks_are_refused_with_counts() -> None:
    log, _ = table(30)
    eligible = np.ones((30, 3), dtype=np.bool_)
    eligible[:7] = [True, False, False]
    log = replace(log, eligible=eligible, chosen=np.zeros(30, dtype=np.int64))
    with pytest.raises(InputError) as caught:
        Replayed("two.toml", lambda: decider("mid", "small")).propensities(log)
    said = str(caught.value)
    assert "7 of 30 decisions are between models none of which two.toml could draw (7 x big)" in said
    assert "it has mid, small" in said


def test_prompts_longer_than_its_models_take_are_refused() -> None:
    log, _ = table(30)
    short = Decider(catalog(window=100), features=WIDTH)
    with pytest.raises(InputError, match=r"of 30 decisions .* could draw \(\d+ x big, mid, small\)"):
        Replayed("short", lambda: short).propensities(log)


def test_where_nothing_was_drawn_it_need_not_decide() -> None:
    log, _ = table(40)
    first = np.arange(40) < 10
    eligible = np.where(first[:, None], [True, False, False], log.eligible)
    log = replace(
        log,
        eligible=eligible,
        chosen=np.where(first, 0, log.chosen),
        propensity=np.where(first, np.nan, log.propensity),
        tasks=("code", EMBEDDINGS),
        task_of=first.astype(np.int64),
        input_tokens=np.where(first, np.nan, log.input_tokens),
    )
    kept = decider("mid", "small")
    p = Replayed("two", lambda: kept).propensities(log)
    assert (p[first] == 0).all()
    np.testing.assert_allclose(p[~first].sum(1), 1.0)
    assert kept.tasks == ("code",)


def test_features_of_another_width_are_refused_and_none_are_not_looked_at() -> None:
    log, _ = table(20)
    with pytest.raises(InputError, match=r"traffic: features: 2 features a decision, and other decides by 3"):
        Replayed("other", lambda: decider(features=3)).propensities(log)
    blind = replace(log, features=np.zeros((20, 0)))
    with pytest.raises(InputError, match="no features a decision, and other decides by 2"):
        Replayed("other", decider).propensities(blind)
    without = Replayed("without", lambda: decider(features=0))
    np.testing.assert_array_equal(without.propensities(log), without.propensities(blind))


def test_prompts_of_unknown_length_are_refused_with_counts() -> None:
    log, _ = table(20)
    log = replace(log, input_tokens=np.where(np.arange(20) < 3, np.nan, log.input_tokens))
    with pytest.raises(InputError, match="input_tokens: 3 of 20 decisions have none"):
        Replayed("priced", decider).propensities(log)


def test_progress_counts_up_to_the_log() -> None:
    log, _ = table(600)
    told: list[tuple[int, int | None]] = []
    Replayed("slow", decider, progress=lambda done, total: told.append((done, total))).propensities(log)
    assert told[0] == (0, 600)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] > 500


def test_the_estimate_of_a_policy_that_moves_agrees_with_the_truth() -> None:
    log, quality = table(2000, seed=4)
    target = Replayed("learning", lambda: decider(budget_usd=0.002))
    p = target.propensities(log)
    truth = float((p * quality).sum(1).mean())
    found = evaluate(log, [target], ("ips", "dr"))
    assert found.targets[0].ess > 100
    for estimator in ("ips", "dr"):
        value = found.of("learning", estimator).quality
        assert value is not None
        low, high = value.ci95
        assert low <= truth <= high
        assert high - low < 0.2
