"""Guards: what they leave is what is drawn from and logged, and what they let through stays within their terms."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from banditroute.learning.guard import Conservative
from banditroute.learning.knowing import Known
from banditroute.observe import BestDoubted, BestFound, SwitchPassedOver
from banditroute.records import Context, Decision, Demand, Outcome
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.guards import BestKnown, GuardSettings, Switch, Switchboard, guards_of
from banditroute.routing.rules import Rule
from banditroute.routing.steering import Steering
from banditroute.routing.tasks import JUDGE_TASK

DAY_S = 86_400.0
NAMES = ("small", "middle", "large")
CATALOG = Catalog(
    tuple(Model(name, "p", name, Price(usd, 4 * usd)) for name, usd in zip(NAMES, (0.1, 1.0, 10.0), strict=True))
)
QUALITY = {"small": 0.6, "middle": 0.8, "large": 0.82}
CODE = Context("code", (), 400)


class World:
    """A decider among models of known mean quality, and everything that happened to it."""

    def __init__(self, settings: GuardSettings, quality: dict[str, float] = QUALITY, seed: int = 0) -> None:
        self.decider = Decider(CATALOG, ("code", "qa"), rules=guards_of(settings))
        self.quality = quality
        self.decisions: list[Decision] = []
        self.got = np.zeros(0)
        self._rng = np.random.default_rng(seed)

    def decided(self, now: float = 0.0, demand: Demand | None = None, task: str = "code") -> Decision:
        number = len(self.decisions)
        decision = self.decider.decide(
            replace(CODE, task=task), demand or Demand(400), decision_id=f"d{number}", now=now, u=self._rng.random()
        )
        self.decider.expect(decision)
        self.decisions.append(decision)
        return decision

    def request(self, now: float = 0.0, demand: Demand | None = None, task: str = "code") -> Decision:
        """One request, decided, served and judged."""
        decision = self.decided(now, demand, task)
        self.decider.settled(decision, outcome(decision, decision.chosen))
        quality = float(self._rng.random() < self.quality[decision.chosen])
        self.decider.learn(decision.context, decision.chosen, quality=quality, output_tokens=100, latency_s=1.0)
        self.got = np.append(self.got, self.quality[decision.chosen])
        if self.decider.refresh_due:
            self.decider.refresh()
        return decision


def outcome(decision: Decision, served: str) -> Outcome:
    return Outcome(decision.decision_id, served, decision.at + 1.0, None, 1e-4, 1.0, ok=bool(served))


def records_into(rules: Sequence[Rule], others: Sequence[Rule]) -> None:
    for rule in others:
        rule.restore([record for each in rules for record in each.records()])


@pytest.mark.parametrize(
    "settings",
    [GuardSettings(most_exploration=0.05), GuardSettings(baseline="large"), GuardSettings(known=Known()), None],
    ids=["exploration", "baseline", "known", "switches"],
)
class TestCount:
    """A guard counts the decisions that it was asked about, each once."""

    def world(self, settings: GuardSettings | None) -> World:
        world = World(settings or GuardSettings())
        if settings is None:
            Switchboard(world.decider.steering, GuardSettings(only="large", freeze=True))
        return world

    def counted(self, decider: Decider) -> set[int]:
        return {record.requests for record in decider.paces if record.budget.startswith("guard/")}

    def test_a_judges_call_is_none_of_them(self, settings: GuardSettings | None) -> None:
        world = self.world(settings)
        world.request(), world.request(task=JUDGE_TASK + "qa")
        assert self.counted(world.decider) == {1}

    def test_what_was_on_its_way_at_a_reload_is_counted_once(self, settings: GuardSettings | None) -> None:
        world, reloaded = self.world(settings), self.world(settings)
        decision = world.decided()
        reloaded.decider.inherit(world.decider)
        reloaded.decider.expect(decision)
        assert self.counted(reloaded.decider) == {1}


@pytest.mark.parametrize("settings", [GuardSettings(known=Known()), GuardSettings(most_exploration=0.05)])
def test_a_guard_of_exploring_bends_nothing_that_a_cap_decides(settings: GuardSettings) -> None:
    world = World(settings)
    world.request()
    forced = world.decider.decide(CODE, Demand(400), decision_id="c", now=0.0, u=0.5, cheapest=True)
    world.decider.expect(forced)
    assert [record.requests for record in world.decider.paces] == [1]


class TestExplorationCap:
    def test_no_decision_explores_beyond_it(self) -> None:
        free, capped = World(GuardSettings()), World(GuardSettings(most_exploration=0.05))
        for _ in range(60):
            free.request(), capped.request()
        assert max(1.0 - max(d.propensities.values()) for d in free.decisions) > 0.2
        assert max(1.0 - max(d.propensities.values()) for d in capped.decisions) <= 0.05 + 1e-12
        assert all(sum(d.propensities.values()) == pytest.approx(1.0) for d in capped.decisions)

    def test_none_at_all_is_greedy(self) -> None:
        world = World(GuardSettings(most_exploration=0.0))
        assert {world.request().propensity for _ in range(20)} == {1.0}

    def test_the_days_dollars_bound_what_dearer_models_are_expected_to_cost(self) -> None:
        day_usd = 5e-3
        world = World(GuardSettings(explore_usd_per_day=day_usd), {"small": 0.9, "middle": 0.9, "large": 0.9})
        for number in range(200):
            world.request(now=number * 2 * DAY_S / 200)
        best = [max(d.forecasts, key=lambda name: d.forecasts[name].quality) for d in world.decisions]
        extra = np.zeros(2)
        for decision, name in zip(world.decisions, best, strict=True):
            costs = {each: forecast.cost_usd for each, forecast in decision.forecasts.items()}
            extra[int(decision.at // DAY_S)] += sum(
                p * max(costs[each] - costs[name], 0.0) for each, p in decision.propensities.items()
            )
        assert (extra <= day_usd * 1.001).all()
        assert extra.min() > 0.5 * day_usd, "a bound that never binds would show nothing"

    def test_the_day_goes_on_after_a_restart(self) -> None:
        (cap,) = guards_of(GuardSettings(explore_usd_per_day=1.0))
        (again,) = guards_of(GuardSettings(explore_usd_per_day=1.0))
        world = World(GuardSettings())
        world.decider.steering.add(cap)
        for _ in range(10):
            world.request(now=5.0)
        records_into([cap], [again])
        assert again.used_usd(5.0) == cap.used_usd(5.0) > 0.0
        assert again.used_usd(5.0 + DAY_S) == 0.0


class TestBaseline:
    TERMS = Conservative(alpha=0.05)

    def guarded(self, baseline: str, quality: dict[str, float] = QUALITY, seed: int = 0) -> World:
        return World(GuardSettings(baseline=baseline, terms=self.TERMS), quality, seed)

    def test_it_never_falls_behind_where_free_choosing_does(self) -> None:
        behind = {"free": 0, "guarded": 0}
        for seed in range(6):
            worlds = {"free": World(GuardSettings(), seed=seed), "guarded": self.guarded("large", seed=seed)}
            for name, world in worlds.items():
                for _ in range(100):
                    world.request()
                margin = world.got.cumsum() - 0.95 * 0.82 * np.arange(1, 101)
                behind[name] += bool((margin < 0.0).any())
        assert behind["free"] >= 5
        assert behind["guarded"] == 0

    def test_it_begins_with_the_baseline_and_says_why(self) -> None:
        first = self.guarded("middle").request()
        assert first.propensities == {"middle": 1.0}
        assert set(first.excluded) == {"small", "large"}
        assert "against the baseline" in first.excluded["small"]
        assert first.policy_version.endswith("+baseline:middle")

    def test_it_leaves_a_bad_baseline_behind(self) -> None:
        world = self.guarded("small", {"small": 0.5, "middle": 0.9, "large": 0.9})
        chosen = [world.request().chosen for _ in range(400)]
        assert chosen[-100:].count("small") < 10

    def test_where_the_baseline_cannot_serve_the_request_is_left_alone(self) -> None:
        world = self.guarded("middle")
        decision = world.request(demand=Demand(400, denied=frozenset({"middle"})))
        assert set(decision.propensities) == {"small", "large"}

    def test_a_cap_that_is_reached_has_the_cheapest_all_the_same(self) -> None:
        world = self.guarded("large")
        decision = world.decider.decide(CODE, Demand(400), decision_id="c", now=0.0, u=0.5, cheapest=True)
        assert decision.chosen == "small"

    def test_who_served_in_the_end_is_what_counts(self) -> None:
        as_decided, fallen_back, failed = (self.guarded("middle") for _ in range(3))
        for world, served in ((as_decided, "middle"), (fallen_back, "small"), (failed, "")):
            decision = world.decided()
            world.decider.settled(decision, outcome(decision, served))
        margins = [world.decider.steering.rules[0].margin for world in (as_decided, fallen_back, failed)]
        assert margins[0] > 0.0 > margins[1]
        assert margins[2] == pytest.approx(0.0)

    def test_the_margin_survives_a_restart(self) -> None:
        world = self.guarded("middle")
        for _ in range(120):
            world.request(task="code" if len(world.decisions) % 2 else "qa")
        again = self.guarded("middle")
        again.decider.inherit(world.decider)
        before, after = (each.decider.steering.rules[0].margin for each in (world, again))
        assert after == pytest.approx(before)
        assert before > 1.0
        assert [r.requests for r in again.decider.paces if r.budget.startswith("guard/")] == [120]

    def test_the_margin_survives_a_new_name_of_the_baseline(self) -> None:
        world = self.guarded("middle")
        for _ in range(20):
            world.request()
        renamed = Decider(
            CATALOG.renamed("middle", "centre"), rules=guards_of(GuardSettings(baseline="centre", terms=self.TERMS))
        )
        renamed.restore({}, world.decider.paces)
        assert renamed.steering.rules[0].margin == pytest.approx(world.decider.steering.rules[0].margin)
        assert renamed.steering.rules[0].margin != 0.0

    def test_a_class_that_becomes_known_is_accounted_for(self) -> None:
        world = World(GuardSettings(baseline="middle", terms=Conservative(alpha=0.5)))
        for number in range(60):
            world.request(task=f"new {number % 3}")
        earned = world.got.sum() - 0.5 * 0.8 * 60
        assert world.decider.steering.rules[0].margin == pytest.approx(earned, abs=8.0)
        assert earned > 15.0


class TestBestKnown:
    def test_a_class_whose_best_is_plain_explores_no_more_and_says_so_once(self) -> None:
        world = World(GuardSettings(known=Known(0.9, 0.02)), {"small": 0.2, "middle": 0.4, "large": 0.95})
        for _ in range(400):
            world.request()
        (event,) = world.decider.steering.drain()
        assert (event.task, event.model) == ("code", "large")
        assert isinstance(event, BestFound)
        assert event.confidence >= 0.9
        assert world.decisions[-1].propensities == {"small": 0.0, "middle": 0.0, "large": 1.0}
        other = world.request(task="qa")
        assert max(other.propensities.values()) < 1.0
        assert not world.decider.steering.drain()

    def test_it_explores_again_when_told_of_a_change(self) -> None:
        rule = BestKnown(Known(0.9, 0.05))
        world = World(GuardSettings(), {"small": 0.2, "middle": 0.4, "large": 0.95})
        world.decider.steering.add(rule)
        for _ in range(500):
            world.request()
        assert rule.found == {"code": "large"}
        rule.resume("qa")
        assert rule.found == {"code": "large"}
        rule.resume("code")
        assert rule.found == {}
        assert isinstance(world.decider.steering.drain()[-1], BestDoubted)
        assert world.request().propensities["small"] > 0.0

    def test_it_explores_again_when_the_best_gets_worse(self) -> None:
        world = World(GuardSettings(known=Known(0.9, 0.05)), {"small": 0.2, "middle": 0.6, "large": 0.95})
        for _ in range(400):
            world.request()
        assert world.decisions[-1].propensity == 1.0
        world.quality = {**world.quality, "large": 0.0}
        for _ in range(600):
            world.request()
        kinds = [type(event) for event in world.decider.steering.drain()]
        assert kinds[:2] == [BestFound, BestDoubted]


class TestSwitches:
    def board(self, settings: GuardSettings | None = None) -> tuple[Decider, Switchboard]:
        decider = Decider(CATALOG)
        return decider, Switchboard(decider.steering, settings or GuardSettings())

    def test_they_go_on_counting_over_a_reload_and_when_they_are_thrown_again(self) -> None:
        world = World(GuardSettings())
        board = Switchboard(world.decider.steering, GuardSettings(only="large"))
        world.request(), world.request()
        world.decider = Decider(CATALOG, ("code", "qa"))
        board.follow(world.decider.steering, GuardSettings(only="large"))
        world.request()
        board.thrown("only", "", 1.0), world.request()
        board.thrown("only", "middle", 2.0), world.request()
        assert [(each.budget, each.requests, each.level) for each in world.decider.paces] == [("guard/only", 4, 4.0)]

    def decide(self, decider: Decider, demand: Demand | None = None) -> Decision:
        return decider.decide(CODE, demand or Demand(400), decision_id="d", now=7.0, u=0.999)

    def test_everything_goes_to_one_model(self) -> None:
        decider, board = self.board()
        before = self.decide(decider)
        board.thrown("only", "middle", 1.0)
        decision = self.decide(decider)
        assert (decision.chosen, decision.propensity) == ("middle", 1.0)
        assert decision.propensities == {"small": 0.0, "middle": 1.0, "large": 0.0}
        assert decision.policy_version == f"{before.policy_version}+only:middle"
        board.thrown("only", "", 2.0)
        assert self.decide(decider).propensities == before.propensities

    def test_what_it_cannot_serve_the_others_do_and_it_is_told_once(self) -> None:
        decider, _ = self.board(GuardSettings(only="middle"))
        for _ in range(2):
            decision = decider.decide(
                CODE, Demand(400), decision_id="d", now=7.0, u=0.5, unavailable={"middle": "its circuit is open"}
            )
            assert set(decision.propensities) == {"small", "large"}
        assert decider.steering.drain() == [SwitchPassedOver("middle", 7.0)]
        self.decide(decider)
        self.decide(decider, Demand(400, allowed=frozenset({"large"})))
        assert decider.steering.drain() == [], "a caller who names its model is no news"

    def test_frozen_takes_the_best_without_trying(self) -> None:
        decider, board = self.board()
        for name in NAMES:
            decider.learn(CODE, name, quality=QUALITY[name], output_tokens=10, latency_s=1.0)
        board.thrown("freeze", "exploration", 1.0)
        decision = self.decide(decider)
        assert (decision.chosen, decision.propensity) == ("large", 1.0)
        assert decision.policy_version.endswith("+frozen")

    def test_one_model_wins_over_frozen_whichever_was_thrown_first(self) -> None:
        decider, board = self.board(GuardSettings(only="small", freeze=True))
        for name in NAMES:
            decider.learn(CODE, name, quality=QUALITY[name], output_tokens=10, latency_s=1.0)
        assert self.decide(decider).chosen == "small"
        board.thrown("freeze", "", 1.0)
        board.thrown("freeze", "exploration", 2.0)
        assert self.decide(decider).chosen == "small"

    def test_what_was_said_last_holds(self) -> None:
        _, board = self.board(GuardSettings(only="small"))
        kept = board.thrown("only", "large", 1.0)
        assert kept == Switch("only", "large", 1.0, "small")
        _, same = self.board(GuardSettings(only="small"))
        same.take_up(kept)
        assert same.values["only"] == "large"
        _, edited = self.board(GuardSettings(only="middle"))
        edited.take_up(kept)
        assert edited.values["only"] == "middle"

    def test_another_decider_is_bent_likewise_but_where_its_file_says_otherwise(self) -> None:
        old, board = self.board()
        board.thrown("only", "large", 1.0)
        new = Decider(CATALOG)
        board.follow(new.steering, GuardSettings(freeze=True))
        assert self.decide(new).chosen == "large"
        assert board.values == {"only": "large", "freeze": "exploration"}
        assert not old.steering.rules
        board.follow(Decider(CATALOG).steering, GuardSettings(only="middle", freeze=True))
        assert board.values["only"] == "middle"


def test_nothing_set_makes_no_rule() -> None:
    assert guards_of(GuardSettings()) == ()
    steering = Steering()
    Switchboard(steering, GuardSettings())
    assert not steering.rules
