"""The live decision: what is logged is what was drawn from, and what is learned is what was shown."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import ConfigError, InputError, NoEligibleModelError
from banditroute.learning import posterior as posteriors
from banditroute.learning.evidence import merged
from banditroute.learning.pacer import Pacer
from banditroute.learning.pacing import Pacing
from banditroute.learning.policy import EPSILON_GREEDY, GREEDY, LINUCB, THOMPSON, Exploration, PolicySettings
from banditroute.learning.priors import QUALITY, TOKENS_CENTRE
from banditroute.records import Context, Decision, Demand, Outcome, Usage
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price, Tier
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import Lesson
from banditroute.routing.odds import policy_version

TIERED = Price(1.0, 4.0, tiers=(Tier(1_000, Price(2.0, 8.0)),))
CATALOG = Catalog(
    (
        Model("small", "p", "small", Price(0.1, 0.4), Capabilities(context_window=2_000)),
        Model("middle", "p", "middle", TIERED, Capabilities(max_output_tokens=800)),
        Model("large", "p", "large", Price(10.0, 40.0), Capabilities(vision=True)),
    )
)
TASKS = ("code", "qa")


def decided(decider: Decider, context: Context, demand: Demand | None = None, u: float = 0.5) -> Decision:
    demand = Demand(context.input_tokens) if demand is None else demand
    return decider.decide(context, demand, decision_id="d", now=1.0, u=u)


def taught(features: int = 2, requests: int = 120, **options: float) -> Decider:
    """A decider that has seen every model in both classes: quality and seconds rise with the price."""
    rng = np.random.default_rng(0)
    decider = Decider(CATALOG, TASKS, features, **options)  # type: ignore[arg-type]
    for i in range(requests):
        context = Context(TASKS[i % 2], tuple(rng.standard_normal(features)), int(rng.integers(20, 900)))
        arm = int(rng.integers(3))
        quality = float(rng.random() < 0.5 + 0.2 * arm)
        decider.learn(context, CATALOG.names[arm], quality=quality, output_tokens=100 * (arm + 1), latency_s=arm + 1.0)
    decider.refresh()
    return decider


LEARNED = taught()
LESSON = Lesson("qa", "small", "none", (1.0, 0.0), (0.5, None, None, None))


@given(
    task=st.sampled_from((*TASKS, "never seen")),
    features=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    tokens=st.integers(0, 4_000),
    denied=st.frozensets(st.sampled_from(("small", "middle"))),
    vision=st.booleans(),
    u=st.floats(0, 1, exclude_max=True),
)
@settings(deadline=None)
def test_propensities_are_a_distribution_over_the_eligible(
    task: str, features: tuple[float, float], tokens: int, denied: frozenset[str], vision: bool, u: float
) -> None:
    demand = Demand(tokens, vision=vision, denied=denied)
    decision = decided(LEARNED, Context(task, features, tokens), demand, u)
    assert math.isclose(sum(decision.propensities.values()), 1.0, abs_tol=1e-12)
    assert all(p >= 0 for p in decision.propensities.values())
    assert decision.propensity == decision.propensities[decision.chosen] > 0
    assert decision.propensities.keys() == decision.forecasts.keys()
    assert decision.propensities.keys() | decision.excluded.keys() == set(CATALOG.names)
    assert not decision.propensities.keys() & (decision.excluded.keys() | denied)
    for forecast in decision.forecasts.values():
        assert 0 <= forecast.quality <= 1
        assert min(forecast.quality_sd, forecast.cost_usd, forecast.latency_s, forecast.output_tokens) > 0


def test_the_uniform_picks_each_model_as_often_as_logged() -> None:
    context, n = Context("qa", (0.1, -0.2), 100), 2_000
    drawn = [decided(LEARNED, context, u=(i + 0.5) / n).chosen for i in range(n)]
    for name, p in decided(LEARNED, context).propensities.items():
        assert drawn.count(name) / n == pytest.approx(p, abs=1 / n)


def test_the_same_arguments_give_the_same_decision() -> None:
    decider = taught(budget_usd=0.001)
    context = Context("code", (0.3, 0.4), 70)
    first = decided(decider, context)
    assert decided(decider, context) == first
    assert (first.decision_id, first.at, first.context) == ("d", 1.0, context)
    assert first.shadow_prices == {"global": decider.shadow_price}
    assert first.policy_version == "thompson-1"


def test_a_decision_is_its_own() -> None:
    context, demand = Context("qa", (0.0, 0.0), 9), Demand(9, vision=True)
    first = decided(LEARNED, context, demand)
    first.excluded.clear()  # type: ignore[attr-defined]
    assert decided(LEARNED, context, demand).excluded.keys() == {"small", "middle"}


def test_every_eligible_model_keeps_the_floor() -> None:
    decision = decided(LEARNED, Context("qa", (0.0, 0.0), 100))
    assert min(decision.propensities.values()) > 0
    greedy = Decider(CATALOG, settings=PolicySettings(exploration=GREEDY))
    greedy.learn(Context("qa"), "middle", quality=1.0)
    assert decided(greedy, Context("qa")).propensities == {"small": 0.0, "middle": 1.0, "large": 0.0}


def test_nobody_eligible_raises_with_all_reasons() -> None:
    with pytest.raises(NoEligibleModelError, match="middle: does not take images") as caught:
        decided(LEARNED, Context("qa", (0.0, 0.0), 9), Demand(9, vision=True, denied=frozenset({"large"})))
    assert caught.value.reasons.keys() == set(CATALOG.names)
    with pytest.raises(NoEligibleModelError, match="the catalog is empty"):
        decided(Decider(Catalog()), Context("qa"))


def test_what_closes_models_now_is_passed_on() -> None:
    context, demand = Context("qa", (0.0, 0.0), 100), Demand(100, max_output_tokens=100)
    decision = LEARNED.decide(
        context, demand, decision_id="d", now=0.0, u=0.5, level_usd=0.001, unavailable={"small": "cooling down"}
    )
    assert decision.propensities == {"middle": 1.0}
    assert decision.excluded["small"] == "cooling down"
    assert "the budget has $0.001 left" in decision.excluded["large"]


def test_a_better_model_is_preferred_once_it_is_known() -> None:
    decider = Decider(CATALOG, TASKS)
    for _ in range(40):
        decider.learn(Context("qa"), "small", quality=0.2)
        decider.learn(Context("qa"), "middle", quality=0.9)
        decider.learn(Context("qa"), "large", quality=0.5)
    decision = decided(decider, Context("qa"))
    assert decision.propensities["middle"] > 0.98
    assert decision.forecasts["middle"].quality == pytest.approx(0.9, abs=0.1)


def test_dollars_are_forecast_from_tokens_and_the_price_in_force() -> None:
    for tokens in (500, 1_000, 1_001):
        decision = decided(LEARNED, Context("qa", (0.0, 0.0), tokens))
        for name, forecast in decision.forecasts.items():
            expected = CATALOG[name].price.estimate_usd(tokens, forecast.output_tokens)
            assert forecast.cost_usd == pytest.approx(expected)
    assert decided(LEARNED, Context("qa", (0.0, 0.0), 90)).forecasts["middle"].output_tokens == pytest.approx(200, 0.2)


def test_an_answer_is_expected_no_longer_than_it_may_be() -> None:
    decider = Decider(CATALOG)
    for _ in range(30):
        decider.learn(Context("qa"), "middle", output_tokens=5_000)
    assert decided(decider, Context("qa")).forecasts["middle"].output_tokens == 800
    limited = decided(decider, Context("qa"), Demand(10, max_output_tokens=50))
    assert {forecast.output_tokens for forecast in limited.forecasts.values()} == {50.0}


def test_a_budget_is_kept_by_the_shadow_price() -> None:
    budget_usd, rng = 0.002, np.random.default_rng(3)
    decider = Decider(CATALOG, TASKS, budget_usd=budget_usd)
    spent: list[float] = []
    for i in range(1_200):
        context = Context(TASKS[i % 2], (), 300)
        decision = decided(decider, context, u=float(rng.random()))
        arm = CATALOG.arm(decision.chosen)
        cost_usd = CATALOG[decision.chosen].price.estimate_usd(300, 200)
        spent.append(cost_usd)
        decider.learn(context, decision.chosen, quality=0.5 + 0.2 * arm, output_tokens=200, latency_s=1.0)
        decider.spend(cost_usd)
        if decider.refresh_due:
            decider.refresh()
    assert np.mean(spent[200:]) == pytest.approx(budget_usd, rel=0.05)
    assert decider.shadow_price > 0
    unbounded = Decider(CATALOG)
    unbounded.spend(1.0)
    assert unbounded.shadow_price == 0


def test_a_shadow_price_is_solved_anew_from_recent_contexts() -> None:
    pacer = Pacer(1.0, Pacing(), resolve_at=(2,))
    for _ in range(2):
        pacer.remember(
            np.array([0.5, 0.9, 1.0]), np.zeros(3), np.array([0.1, 10.1, 20.0]), np.array([True, True, False])
        )
        pacer.spend(1.0)
    assert float(pacer.price[0]) == pytest.approx(0.04, rel=0.05)  # at which ten budgets buy the .4 between the two
    assert pacer.share(np.array([2.0])).tolist() == [2.0]


def test_models_expected_to_be_too_slow_are_left_out_unless_all_are() -> None:
    context = Context("qa", (0.0, 0.0), 100)
    decision = decided(LEARNED, context, Demand(100, max_latency_s=1.7))
    assert decision.propensities == {"small": 1.0}
    assert "the caller allows 1.7 s" in decision.excluded["large"]
    seconds = decided(LEARNED, context).forecasts["large"].latency_s
    assert f"expected to take {seconds:.3g} s" in decision.excluded["large"]
    hopeless = decided(LEARNED, context, Demand(100, max_latency_s=0.01))
    assert len(hopeless.propensities) == 3
    assert not hopeless.excluded


def test_seconds_may_be_worth_quality() -> None:
    context = Context("qa", (0.0, 0.0), 100)
    patient, hasty = (decided(taught(quality_per_s=per_s), context).propensities for per_s in (0.0, 0.5))
    assert hasty["small"] > 0.98 > patient["small"]


def test_missing_quality_teaches_tokens_and_latency_only() -> None:
    decider = Decider(CATALOG, TASKS)
    before = decided(decider, Context("qa"))
    decider.learn(Context("qa"), "small", output_tokens=10, latency_s=0.2)
    after = decided(decider, Context("qa"))
    quality, tokens, latency, ttft = decider.signals.evidence
    assert (quality.n.sum(), tokens.n.sum(), latency.n.sum(), ttft.n.sum()) == (0, 1, 1, 0)
    assert after.forecasts["small"].quality == before.forecasts["small"].quality
    assert after.forecasts["small"].output_tokens < before.forecasts["small"].output_tokens
    assert after.forecasts["small"].latency_s < before.forecasts["small"].latency_s
    decider.learn(Context("new class"), "small")
    assert decider.tasks == TASKS


def test_learning_is_the_exact_bayesian_update_of_its_edge() -> None:
    decider = taught(requests=30)
    context = Context("qa", (0.5, -1.0), 200)
    x = np.array([1.0, math.log(201) - TOKENS_CENTRE, 0.5, -1.0])
    before = posteriors.Posterior(*(part.copy() for part in decider.signals.posterior))
    decider.learn(context, "middle", quality=0.25)
    edge = (1, CATALOG.arm("middle"))
    precision = np.linalg.inv(before.covariance[edge])
    updated = precision + np.outer(x, x) / before.noise[edge]
    mean = np.linalg.solve(updated, precision @ before.mean[edge] + x * 0.25 / before.noise[edge])
    after = decider.signals.posterior
    np.testing.assert_allclose(after.mean[edge], mean, rtol=1e-8)
    np.testing.assert_allclose(after.covariance[edge], np.linalg.inv(updated), rtol=1e-8, atol=1e-14)
    untouched = np.ones(after.noise.shape, dtype=bool)
    untouched[edge] = False
    np.testing.assert_array_equal(after.block[untouched], before.block[untouched])


def test_late_feedback_in_any_order_teaches_the_same() -> None:
    rng = np.random.default_rng(5)
    seen = [(Context(TASKS[i % 2], (), 50 + i), CATALOG.names[i % 3], float(rng.random())) for i in range(60)]
    prompt, late = Decider(CATALOG, TASKS), Decider(CATALOG, TASKS)
    for context, model, quality in seen:
        prompt.learn(context, model, quality=quality, output_tokens=100, latency_s=1.0)
        late.learn(context, model, output_tokens=100, latency_s=1.0)
    for context, model, quality in reversed(seen):
        late.learn(context, model, quality=quality)
    prompt.refresh()
    late.refresh()
    for mine, other in zip(prompt.signals.posterior, late.signals.posterior, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-10)


def test_an_unknown_class_joins_when_something_is_learned_of_it() -> None:
    declared, growing = Decider(CATALOG, (*TASKS, "new")), Decider(CATALOG, TASKS)
    for decider in (declared, growing):
        for i in range(30):
            decider.learn(Context(TASKS[i % 2], (), 100), CATALOG.names[i % 3], quality=0.3 * (i % 3), latency_s=1.0)
        decider.refresh()
    context = Context("new", (), 100)
    assert_alike(decided(growing, context), decided(declared, context))
    assert growing.tasks == TASKS  # deciding alone adds nothing: made-up names cost no memory
    for decider in (declared, growing):
        for _ in range(5):
            decider.learn(context, "small", quality=1.0)
    assert growing.tasks == declared.tasks == (*TASKS, "new")
    assert_alike(decided(growing, context), decided(declared, context))
    for decider in (declared, growing):
        decider.refresh()
    assert_alike(decided(growing, context), decided(declared, context))
    assert_alike(decided(growing, Context("newer", (), 100)), decided(declared, Context("newer", (), 100)))
    for mine, other in zip(growing.signals.evidence, declared.signals.evidence, strict=True):
        np.testing.assert_array_equal(mine.n, other.n)


def test_a_decider_may_start_without_classes() -> None:
    decider = Decider(CATALOG)
    assert decider.tasks == ()
    decided(decider, Context("qa"))
    decider.learn(Context("qa"), "small", quality=1.0)
    decider.refresh()
    assert decider.tasks == ("qa",)
    forecasts = decided(decider, Context("qa")).forecasts
    assert forecasts["small"].quality > QUALITY.mean


def test_a_refresh_agrees_with_solving_the_evidence() -> None:
    decider = taught(requests=40)
    quality = decider.signals.evidence[0]
    solved = posteriors.solve(merged(quality), QUALITY)
    np.testing.assert_allclose(decider.signals.posterior.block[:, :3], solved.block)


def test_refreshes_grow_rarer() -> None:
    decider = Decider(CATALOG)
    due: list[int] = []
    for i in range(100):
        decider.learn(Context("qa"), "small", quality=0.5)
        if decider.refresh_due:
            due.append(i + 1)
            decider.refresh()
            assert not decider.refresh_due
    growth = PolicySettings().refresh_growth - 1.0
    assert due[0] == PolicySettings().refresh_first
    assert all(later - sooner == max(8, int(sooner * growth)) for sooner, later in pairwise(due))


@pytest.mark.parametrize(
    ("exploration", "version"),
    [
        (THOMPSON, "thompson-1"),
        (GREEDY, "greedy-1"),
        (LINUCB, "linucb-1"),
        (EPSILON_GREEDY, "epsilon-1"),
        (dataclasses.replace(THOMPSON, decisions=0.0), "thompson-1"),
    ],
)
def test_the_policy_is_named_by_how_it_explores(exploration: Exploration, version: str) -> None:
    assert policy_version(exploration) == version


def test_optimism_prefers_the_less_known_of_equals() -> None:
    decider = Decider(CATALOG, settings=PolicySettings(exploration=LINUCB))
    for model, times in (("small", 50), ("middle", 5), ("large", 50)):
        for _ in range(times):
            decider.learn(Context("qa"), model, quality=QUALITY.mean)
    assert decided(decider, Context("qa")).chosen == "middle"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ({"quality": 1.2}, "quality: 1.2 is not a quality"),
        ({"quality": math.nan}, "quality: nan is not a quality"),
        ({"output_tokens": -1}, "output_tokens: -1 is not an amount"),
        ({"latency_s": math.inf}, "latency_s: inf is not an amount"),
    ],
)
def test_an_outcome_out_of_range_is_refused_and_leaves_no_trace(outcome: dict[str, float], said: str) -> None:
    decider = Decider(CATALOG)
    with pytest.raises(InputError, match=said):
        decider.learn(Context("qa"), "small", **outcome)  # type: ignore[arg-type]
    assert decider.tasks == ()
    assert all(evidence.n.sum() == 0 for evidence in decider.signals.evidence)


def test_contexts_of_another_width_or_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="features: 1 features where 2 are expected"):
        decided(LEARNED, Context("qa", (0.0,)))
    with pytest.raises(InputError, match="not a finite number"):
        decided(LEARNED, Context("qa", (0.0, math.nan)))
    with pytest.raises(ConfigError, match="did you mean 'small'"):
        LEARNED.learn(Context("qa", (0.0, 0.0)), "smal", quality=1.0)


@pytest.mark.parametrize("budget_usd", [0.0, -1.0, math.inf, math.nan])
def test_a_budget_is_a_positive_number(budget_usd: float) -> None:
    with pytest.raises(InputError, match="budget_usd"):
        Decider(CATALOG, budget_usd=budget_usd)


@pytest.mark.parametrize("cost_usd", [-0.1, math.nan])
def test_a_cost_is_a_number_of_dollars(cost_usd: float) -> None:
    with pytest.raises(InputError, match="cost_usd"):
        Decider(CATALOG, budget_usd=1.0).spend(cost_usd)


def assert_alike(first: Decision, second: Decision) -> None:
    assert first.chosen == second.chosen
    assert first.propensities == pytest.approx(second.propensities, abs=1e-9)
    for name, forecast in first.forecasts.items():
        assert dataclasses.astuple(forecast) == pytest.approx(dataclasses.astuple(second.forecasts[name]), rel=1e-7)


class TestInheritance:
    def test_another_decider_knows_what_the_first_knew(self):
        other = Decider(CATALOG, ("qa",), 2)
        other.inherit(LEARNED)
        for task in (*TASKS, "never seen"):
            expected = LEARNED.forecasts(task, 100, (0.5, -0.5))
            for name, forecast in other.forecasts(task, 100, (0.5, -0.5)).items():
                assert forecast.quality == pytest.approx(expected[name].quality, rel=1e-9)
                assert forecast.quality_sd == pytest.approx(expected[name].quality_sd, rel=1e-9)
                assert forecast.output_tokens == pytest.approx(expected[name].output_tokens, rel=1e-9)

    def test_what_is_known_of_a_model_outlasts_its_absence_and_its_name(self):
        without = Decider(CATALOG.removed("middle"), (), 2)
        without.inherit(LEARNED)
        assert "middle" not in without.forecasts("qa", 100)
        back = Decider(CATALOG.renamed("middle", "centre"), (), 2)
        back.inherit(without)
        known = LEARNED.forecasts("qa", 100)["middle"]
        assert back.forecasts("qa", 100)["centre"].quality == pytest.approx(known.quality, rel=1e-9)

    def test_a_pace_goes_on_and_a_dollar_keeps_its_price_under_another_amount(self):
        before = Decider(CATALOG, TASKS, 2, budget_usd=1e-4)
        for _ in range(60):
            before.spend(1.5e-4)
        same, double = (Decider(CATALOG, TASKS, 2, budget_usd=usd) for usd in (1e-4, 2e-4))
        for other in (same, double):
            other.inherit(before)
        assert same.paces == before.paces
        (had,), (has,) = before.paces, double.paces
        assert has.log_price - math.log(2e-4) == pytest.approx(had.log_price - math.log(1e-4))

    def test_a_change_that_a_reload_falls_into_is_found_as_without_it(self):
        """A model's answers turn bad; the configuration is reloaded before that is sure."""
        plain, before = Decider(CATALOG, TASKS), Decider(CATALOG, TASKS)
        other = Decider(CATALOG.removed("small"), ("qa",))
        rng = np.random.default_rng(0)
        values = [0.9 + 0.05 * rng.standard_normal() for _ in range(150)] + [0.3] * 12
        found = []
        for number, value in enumerate(values):
            if number == 155:
                other.inherit(before)
            for decider in (plain, other if number >= 155 else before):
                decider.learn(Context(TASKS[number % 2], (), 100), "large", quality=min(value, 1.0))
                if decider.refresh_due:
                    decider.refresh()
                found += [(number, decider is plain, alarm.seen) for alarm in decider.beliefs.take_alarms(1.0)]
        (at, *_), *others = found
        assert at > 155
        assert sorted(found) == [(at, False, found[0][2]), (at, True, found[0][2])], others

    def test_an_edited_price_is_solved_for_at_once(self):
        """The large model becomes ten times cheaper: its share moves with the next request, not with the next bill."""

        def after(edit) -> tuple[float, float]:
            rng = np.random.default_rng(1)
            decider = Decider(CATALOG, TASKS, budget_usd=5e-4)
            for number in range(200):
                context = Context(TASKS[number % 2], (), 100)
                decision = decided(decider, context, u=float(rng.random()))
                arm = CATALOG.arm(decision.chosen)
                decider.spend(decision.forecasts[decision.chosen].cost_usd)
                decider.learn(context, decision.chosen, quality=(0.4, 0.6, 0.9)[arm], output_tokens=50, latency_s=1.0)
                if decider.refresh_due:
                    decider.refresh()
            later = Decider(edit(CATALOG), TASKS, budget_usd=5e-4)
            later.inherit(decider)
            return decider.shadow_price, later.shadow_price

        price, same = after(lambda catalog: catalog)
        assert same == pytest.approx(price), "nothing was edited"
        price, cheaper = after(lambda catalog: catalog.with_price("large", Price(1.0, 4.0)))
        assert cheaper < 0.6 * price
        price, dearer = after(lambda catalog: catalog.with_price("middle", Price(30.0, 120.0)).removed("small"))
        assert dearer != pytest.approx(price, rel=0.01)

    def test_a_catalog_that_catches_up_with_the_bills_changes_no_price(self):
        """The provider asks twice as much, which was noticed; now the file says so too."""
        before = Decider(CATALOG, TASKS, budget_usd=5e-4)
        usage = Usage(100, 50)
        due_usd = CATALOG["large"].price.cost_usd(usage)
        for number in range(80):
            decision = decided(before, Context("qa", (), 100), u=(0.618 * number) % 1.0)
            paid = Outcome("d", "large", 1.0, usage, 2 * due_usd, 1.0, billed_usd=2 * due_usd)
            before.spend(paid.cost_usd)
            before.settled(decision, paid)
            before.learn(decision.context, "large", quality=0.9, output_tokens=50, latency_s=1.0)
        before.refresh()
        assert [alarm.signal for alarm in before.beliefs.take_alarms(1.0)] == ["price"]
        later = Decider(CATALOG.with_price("large", Price(20.0, 80.0)), TASKS, budget_usd=5e-4)
        later.inherit(before)
        assert later.shadow_price == pytest.approx(before.shadow_price)
        now, then = (each.forecasts("qa", 100)["large"].cost_usd for each in (later, before))
        assert now == pytest.approx(then)

    def test_a_lesson_under_a_former_name_is_of_the_model_today(self):
        decider = Decider(CATALOG.renamed("small", "tiny"), TASKS)
        for name in ("small", "tiny"):
            decider.take(dataclasses.replace(LESSON, model=name))
        decider.take(dataclasses.replace(LESSON, model="gone"))
        decider.refresh()
        assert decider.signals.evidence[0].n.sum() == 2.0
