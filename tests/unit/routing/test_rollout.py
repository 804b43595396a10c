"""The rollout, live: newcomers are tried, told from founders, held back where dear, and dropped once surely worse."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from banditroute.learning.rollout import RolloutSettings
from banditroute.observe import RolloutChanged
from banditroute.records import Context, Decision, Demand, Outcome, Usage
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import Lesson, inputs_of, log_tokens
from banditroute.routing.rollout import Rollout, rollout_of
from banditroute.routing.standings import Standing

TASKS = ("code", "qa", "chat")
SMALL, LARGE = Model("small", "p", "small", Price(0.1, 1.0)), Model("large", "p", "large", Price(0.4, 4.0))
FOUNDERS = Catalog((SMALL, LARGE))
SETTINGS = RolloutSettings()
TOKENS = 100
LARGE_USD = 4.4e-4  # 100 tokens of prompt and 100 of answer

Quality = Callable[[str, str], float]


def newcomer(price: float = 1.0, *, canary: bool | None = None, name: str = "new") -> Model:
    return Model(name, "p", name, Price(price / 10, price), canary=canary)


def decider_of(catalog: Catalog, settings: RolloutSettings = SETTINGS, budget_usd: float | None = None) -> Decider:
    return Decider(catalog, TASKS, budget_usd=budget_usd, rules=[rollout_of(settings, catalog)])


def rule_of(decider: Decider) -> Rollout:
    (rule,) = (rule for rule in decider.steering.rules if isinstance(rule, Rollout))
    return rule


def standing(decider: Decider, model: str = "new") -> Standing:
    (found,) = (each for each in rule_of(decider).standings if each.model == model)
    return found


class Traffic:
    """Requests one after the other, each answered and judged at once."""

    def __init__(self, decider: Decider, quality: Quality, seed: int = 0) -> None:
        self.decider, self.quality = decider, quality
        self.rng = np.random.default_rng(seed)
        self.decisions: list[Decision] = []
        self.events: list[RolloutChanged] = []

    def run(self, requests: int, allowed: frozenset[str] = frozenset()) -> Counter[str]:
        """How often each model served."""
        for number in range(requests):
            self.one(Context(TASKS[number % 3], (), TOKENS), allowed)
        return Counter(decision.chosen for decision in self.decisions[-requests:])

    def one(self, context: Context, allowed: frozenset[str] = frozenset()) -> None:
        decider = self.decider
        demand, at = Demand(TOKENS, allowed=allowed), float(len(self.decisions))
        decision = decider.decide(context, demand, decision_id=str(at), now=at, u=self.rng.random())
        self.decisions.append(decision)
        awaited = decider.expect(decision)
        usd = decision.forecasts[decision.chosen].cost_usd
        decider.spend(usd, expected_usd=awaited)
        decider.settled(decision, Outcome(str(at), decision.chosen, at, Usage(TOKENS, TOKENS), usd, 1.0))
        mean = self.quality(decision.chosen, context.task)
        judged = float(np.clip(mean + 0.15 * self.rng.standard_normal(), 0.0, 1.0))
        for values in ((None, log_tokens(TOKENS), 0.0, None), (judged, None, None, None)):
            version = decider.beliefs.encoder_version
            decider.take(Lesson(context.task, decision.chosen, version, inputs_of(context), values))
        if decider.refresh_due:
            decider.refresh()
        self.events += [event for event in decider.steering.drain() if isinstance(event, RolloutChanged)]

    def launch(self, *models: Model, settings: RolloutSettings = SETTINGS, budget_usd: float | None = None) -> None:
        """Goes on with further models, as a reload or a restart does."""
        later = decider_of(Catalog((*self.decider.catalog.models, *models)), settings, budget_usd)
        later.inherit(self.decider)
        self.decider = later


def quality(**means: float) -> Quality:
    """Of a model, or of `model_task` where that is given."""
    every = {"small": 0.6, "large": 0.9, **means}
    return lambda model, task: every.get(f"{model}_{task}", every.get(model, 0.0))


def established(of: Quality, budget_usd: float | None = None, seed: int = 0) -> Traffic:
    """Two models in use for 150 requests."""
    traffic = Traffic(decider_of(FOUNDERS, budget_usd=budget_usd), of, seed)
    traffic.run(150)
    return traffic


def test_models_there_from_the_start_are_no_newcomers() -> None:
    traffic = Traffic(decider_of(Catalog((*FOUNDERS.models, newcomer(40.0)))), quality(new=0.95))
    for _ in range(10):
        traffic.run(10, allowed=frozenset({"small", "large"}))
        assert rule_of(traffic.decider).standings == ()
    assert traffic.run(100)["new"] > 10, "no canary holds it back, dear as it is"


def test_without_newcomers_nothing_is_bent() -> None:
    bent, plain = Traffic(decider_of(FOUNDERS), quality()), Traffic(Decider(FOUNDERS, TASKS), quality())
    for traffic in (bent, plain):
        traffic.run(200)
    assert [each.propensities for each in bent.decisions] == [each.propensities for each in plain.decisions]


def test_a_newcomer_has_its_trial_and_then_wins_by_itself() -> None:
    traffic = established(quality(new=0.97))
    traffic.launch(newcomer())
    assert standing(traffic.decider).stage == "trial"
    assert traffic.run(100)["new"] >= 10
    assert traffic.run(300)["new"] > 150
    assert [event.stage for event in traffic.events] == ["trial", "open"]


def test_no_more_than_the_trials_share_is_promised_and_it_is_what_is_logged() -> None:
    traffic = established(quality(new=0.1))
    traffic.launch(newcomer(), newcomer(name="other"))
    traffic.run(1)
    (decision,) = traffic.decisions[-1:]
    assert min(decision.propensities["new"], decision.propensities["other"]) >= SETTINGS.trial_share / 2 - 1e-12
    assert sum(decision.propensities.values()) == pytest.approx(1.0)


def test_requests_under_way_count_for_the_trial() -> None:
    """A trial of ten is not one of fifty because the answers take their time."""
    settings = replace(SETTINGS, trial_share=0.9)
    traffic = established(quality(new=0.1, new_code=0.1))
    traffic.launch(newcomer(), settings=settings)
    decider, chosen = traffic.decider, Counter[str]()
    for number in range(60):
        context, u = Context("code", (), TOKENS), traffic.rng.random()
        decision = decider.decide(context, Demand(TOKENS), decision_id=str(number), now=0.0, u=u)
        decider.expect(decision)
        chosen[decision.chosen] += 1
        floor = settings.trial_share if chosen["new"] - (decision.chosen == "new") < settings.trial_requests else 0.0
        assert decision.propensities["new"] >= floor - 1e-12
    assert chosen["new"] < 40


def test_a_bad_newcomer_is_rolled_back_and_only_probed() -> None:
    traffic = established(quality(new=0.3))
    traffic.launch(newcomer())
    assert traffic.run(1_200)["new"] <= 20
    assert standing(traffic.decider).stage == "rolled back"
    assert traffic.events[-1].stage == "rolled back"
    assert "quality points" in traffic.events[-1].reason
    tail = [decision.propensities["new"] for decision in traffic.decisions[-100:]]
    assert np.allclose(tail, SETTINGS.probe_share)


def test_probes_find_that_it_is_better_now() -> None:
    means = {"new": 0.3}
    traffic = established(lambda model, task: quality(**means)(model, task), seed=1)
    traffic.launch(newcomer(), settings=replace(SETTINGS, probe_share=0.1))
    traffic.run(150)
    assert standing(traffic.decider).stage == "rolled back"
    means["new"] = 1.0
    traffic.run(1_000)
    assert traffic.run(300)["new"] > 100


def test_bad_on_average_it_still_serves_what_it_is_good_at() -> None:
    traffic = established(quality(new=0.2, new_chat=0.99, large_chat=0.5, small_chat=0.5))
    traffic.launch(newcomer())
    traffic.run(900)
    served = Counter(decision.context.task for decision in traffic.decisions[-300:] if decision.chosen == "new")
    assert served["chat"] >= 60, "of 100"
    assert served["code"] + served["qa"] <= 10


def test_a_newcomer_that_does_not_fit_the_budget_has_no_trial() -> None:
    budget_usd = LARGE_USD
    traffic = established(quality(new=0.0), budget_usd)
    traffic.launch(newcomer(price=9.0, canary=False), budget_usd=budget_usd)
    traffic.run(300)
    assert Counter(decision.chosen for decision in traffic.decisions)["new"] < SETTINGS.trial_requests


def test_a_dearer_newcomer_goes_through_the_canarys_stages() -> None:
    traffic = established(quality(large=0.7, new=0.99))
    traffic.launch(newcomer(price=8.0))
    assert standing(traffic.decider).stage == "canary 1%"
    traffic.run(2_500)
    stages = list(dict.fromkeys(event.stage for event in traffic.events))
    assert stages == ["canary 1%", "canary 5%", "canary 25%", "open"]
    assert traffic.run(300)["new"] > 200
    bounds = {"canary 1%": 0.01, "canary 5%": 0.05, "canary 25%": 0.25}
    assert max(d.propensities.get("new", 0.0) for d in traffic.decisions[150:500]) <= max(bounds.values())
    assert max(d.propensities.get("new", 0.0) for d in traffic.decisions[150:200]) <= 0.01 + 1e-12


@pytest.mark.parametrize(
    ("price", "canary", "policy", "stage"),
    [
        (1.0, None, "dearer", "trial"),
        (8.0, None, "dearer", "canary 1%"),
        (8.0, None, "none", "trial"),
        (1.0, None, "all", "canary 1%"),
        (1.0, True, "none", "canary 1%"),
        (8.0, False, "all", "trial"),
    ],
)
def test_who_goes_through_a_canary(price: float, canary: bool | None, policy: str, stage: str) -> None:
    traffic = established(quality())
    traffic.launch(newcomer(price, canary=canary), settings=replace(SETTINGS, canary=policy))  # type: ignore[arg-type]
    assert standing(traffic.decider).stage == stage


def test_a_restart_knows_who_is_new_and_where_it_stood() -> None:
    traffic = established(quality(new=0.3))
    traffic.launch(newcomer())
    traffic.run(400)
    traffic.decider.refresh()
    before = standing(traffic.decider)
    traffic.launch()
    assert standing(traffic.decider) == before
    assert not traffic.decider.steering.drain(), "nothing new to tell"


def test_a_store_from_before_rollouts_has_founders_only_among_those_that_served() -> None:
    traffic = established(quality())
    later = decider_of(Catalog((*FOUNDERS.models, newcomer())))
    later.restore(traffic.decider.beliefs.learned, ())
    assert [each.model for each in rule_of(later).standings] == ["new"]


def test_a_founder_that_never_served_is_one_after_a_restart_too() -> None:
    dear = newcomer(40.0, name="dear")
    traffic = Traffic(decider_of(Catalog((*FOUNDERS.models, dear))), quality(dear=0.9))
    traffic.run(60, allowed=frozenset({"small", "large"}))
    traffic.launch(newcomer())
    assert [each.model for each in rule_of(traffic.decider).standings] == ["new"]
    assert [record.budget for record in traffic.decider.paces] == ["rollout/dear", "rollout/new"]


def test_where_everybody_served_nothing_is_kept_beside_the_evidence() -> None:
    assert established(quality()).decider.paces == ()


def test_a_renamed_founder_stays_one_and_a_renamed_newcomer_too() -> None:
    dear = newcomer(40.0, name="dear")
    traffic = Traffic(decider_of(Catalog((*FOUNDERS.models, dear))), quality(dear=0.9))
    traffic.run(60, allowed=frozenset({"small", "large"}))
    traffic.launch(newcomer())
    traffic.run(30)
    renamed = (
        replace(LARGE, name="grand", formerly=("large",)),
        replace(dear, name="dearer", formerly=("dear",)),
        replace(newcomer(), name="newer", formerly=("new",)),
    )
    later = decider_of(Catalog((SMALL, *renamed)))
    later.inherit(traffic.decider)
    assert [each.model for each in rule_of(later).standings] == ["newer"]


def test_one_that_served_long_enough_is_a_model_like_any_other() -> None:
    settings = replace(SETTINGS, trial_requests=2)
    traffic = established(quality(new=1.0))
    traffic.launch(newcomer(), settings=settings)
    traffic.run(400)
    assert rule_of(traffic.decider).standings == ()
    traffic.launch(settings=settings)
    assert rule_of(traffic.decider).standings == ()


def test_news_of_a_newcomer_are_due_soon() -> None:
    """Thousands were learned: the next solving anew is far off, but for a newcomer's sake it comes after two."""
    traffic = established(quality())
    traffic.launch(newcomer())
    decider = traffic.decider
    assert not decider.refresh_due
    for _ in range(2):
        decider.learn(Context("qa", (), TOKENS), "large", quality=0.9)
        assert not decider.refresh_due
    for due in (False, True):
        decider.learn(Context("qa", (), TOKENS), "new", quality=0.9)
        assert decider.refresh_due is due
    decider.refresh()
    assert not decider.refresh_due


def test_somebody_must_answer() -> None:
    traffic = established(quality(new=0.3))
    traffic.launch(newcomer())
    traffic.run(300)
    decision = traffic.decider.decide(
        Context("qa", (), TOKENS), Demand(TOKENS, allowed=frozenset({"new"})), decision_id="d", now=0.0, u=0.5
    )
    assert decision.propensities == {"new": 1.0}
