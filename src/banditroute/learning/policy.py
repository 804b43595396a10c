"""The policy on arrays that serves live traffic and the simulator alike.

State has free leading axes: none when live, (R,) when R replications run side by side. Chance comes in as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .detectors import Change, Detectors, apply, fade
from .drift import PRICES, QUALITIES, Vigilance
from .evidence import Evidence, empty, observe_many, shifted
from .kinds import NUMBERS
from .newcomers import Newcomers
from .objective import expected_amount, utility
from .pacer import Pacer
from .pacing import Pacing
from .posterior import Posterior, Prediction, condition_each, predict, solve
from .priors import LOG_COST, QUALITY, Prior
from .rollout import RolloutSettings
from .selection import arm_floor, draw_each, exploration_floor, mixed
from .warm import with_warmth

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_LEAST_USD = 1e-9  # a free call, on the log scale


class Step(NamedTuple):
    """R replications' next request, and the chance to decide it with.

    Attributes:
        row: (R,) row of the table.
        task: (R,) task class.
        x: (R, X) inputs: 1, log tokens, features.
        eligible: (R, K) models that may serve.
        normal: (R, K) standard normals.
        uniform: (R,) uniforms in [0, 1).
    """

    row: Ints
    task: Ints
    x: Floats
    eligible: Bools
    normal: Floats
    uniform: Floats


class Policy(Protocol):
    """Chooses for R replications, one request each, and learns from what it chose alone."""

    def choose(self, step: Step) -> Ints:
        """The arms (R,) that serve the step."""
        ...

    def learn(self, step: Step, arm: Ints, quality: Floats, cost_usd: Floats) -> None:
        """Takes in what the chosen arms (R,) got; quality is nan where it was not judged (yet)."""
        ...

    def judge(self, step: Step, arm: Ints, quality: Floats) -> None:
        """Takes in the qualities (R,) of an earlier step's arms, judged late; nan where they were not."""
        ...

    def reprice(self, arm: int, factor: float) -> None:
        """Takes in that a model's prices are multiplied by a factor from now on."""
        ...

    def rebudget(self, budget_usd: float) -> None:
        """Takes in that the budget is another from now on, in dollars per request."""
        ...

    def welcome(self, arm: int) -> None:
        """Takes in that a model enters now."""
        ...


@dataclass(frozen=True, slots=True)
class Exploration:
    """How a policy tries what it does not know: score = mean + (sampled z + bonus) sd, then the floor.

    Attributes:
        sampled: share v of the posterior sd that Thompson sampling draws with.
        bonus: posterior sds added as optimism (LinUCB's alpha).
        decisions: share of decisions that the floor may take.
        dollars: share of the budget that it may spend.
        quality: quality points per decision that it may cost.
    """

    sampled: float = 0.0
    bonus: float = 0.0
    decisions: float = 0.0
    dollars: float = 0.0
    quality: float = 0.0

    def optimistic(self, worth: Floats, sd: Floats) -> Floats:
        """The middle (..., K) of what each arm's score is drawn around: its worth and the bonus for being unknown."""
        return worth + self.bonus * sd if self.bonus else worth

    def floor(self, eligible: Bools, worth: Floats, cost_share: Floats) -> Floats:
        """The least probability (..., K) of each arm; worth is its expected utility, cost_share dollars over budget."""
        best = np.where(eligible, worth, -np.inf).max(-1, keepdims=True)
        bounds = {"decisions": self.decisions, "dollars": self.dollars, "quality": self.quality}
        return exploration_floor(eligible, best - worth, cost_share, **bounds)

    def mixed(self, p: Sequence[float], worth: Sequence[float], cost_share: Sequence[float]) -> list[float]:
        """Probabilities p of the eligible arms, mixed with their floors: what is logged and drawn from live."""
        best, arms = max(worth), len(p)
        floor = [
            arm_floor(best - value, share, self.decisions, self.dollars, self.quality, NUMBERS) / arms
            for value, share in zip(worth, cost_share, strict=True)
        ]
        return mixed(p, floor)


THOMPSON = Exploration(sampled=0.5, decisions=0.01, dollars=0.01, quality=5e-5)
GREEDY = Exploration()
LINUCB = Exploration(bonus=0.5)
EPSILON_GREEDY = Exploration(decisions=0.05, dollars=np.inf, quality=np.inf)


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Everything that is set rather than learned.

    Attributes:
        exploration: how what is not known is tried.
        pacing: constants of the pacers.
        quality: prior of qualities; log_cost: of log dollars, where dollars are all that is seen.
        refresh_first: observations before everything is solved anew for the first time.
        refresh_growth: by how much their number grows until it is solved again.
        resolve_at: numbers of requests after which a price is solved anew from recent contexts.
        rollout: how models that enter get their chance.
        drift: how closely qualities are watched for changes; None = not at all.
        jumps: the same of dollars, tokens and seconds.
        half_life_s: seconds after which what was learned counts for half; None = for ever in full.
    """

    exploration: Exploration = THOMPSON
    pacing: Pacing = field(default_factory=Pacing)
    quality: Prior = QUALITY
    log_cost: Prior = LOG_COST
    refresh_first: int = 8
    refresh_growth: float = 1.45
    resolve_at: tuple[int, ...] = (32, 64)
    rollout: RolloutSettings = field(default_factory=RolloutSettings)
    drift: Vigilance | None = QUALITIES
    jumps: Vigilance | None = PRICES
    half_life_s: float | None = None

    @property
    def learning(self) -> tuple[Prior, int, float, Vigilance | None, Vigilance | None, float | None]:
        """What of it says how live deciders learn, rather than how they choose: alike in it, they believe the same."""
        return self.quality, self.refresh_first, self.refresh_growth, self.drift, self.jumps, self.half_life_s

    def next_refresh(self, seen: int) -> int:
        """How many observations there must be before solving anew is worth its time again."""
        return seen + max(self.refresh_first, int(seen * (self.refresh_growth - 1.0)))


class Signal:
    """One learned signal of every edge: evidence as the truth, a posterior block kept current beside it."""

    def __init__(self, prior: Prior, axes: tuple[int, int, int], width: int, vigilance: Vigilance | None) -> None:
        self.prior = prior
        self.detectors = None if vigilance is None else Detectors(axes, vigilance)
        self.evidence: Evidence = empty(axes, width)
        self.warm: Evidence | None = None
        self.posterior: Posterior = solve(self.evidence, prior)
        self._pending: list[tuple[tuple[Ints, ...], Floats, Floats]] = []

    def predict(self, task: int | Ints, x: Floats) -> Prediction:
        """The signal's mean and its variance at a context, before noise."""
        return predict(self.posterior, task, x)

    def noise(self, task: int | Ints, lead: tuple[Ints, ...]) -> Floats:
        """(..., K) noise variance of one observation of a task."""
        return self.posterior.noise[(*lead, task)]

    def learn(
        self, lead: tuple[Ints, ...], task: Ints, arm: Ints, x: Floats, y: Floats, at: Prediction
    ) -> Sequence[Change]:
        """Takes in one observation for each of R replications (nan = none); exact for their own edges at once.

        Returns the changes that it brings to light: what was learned of those edges has been moved already.
        """
        changes: Sequence[Change] = ()
        if self.detectors is not None:
            var = np.maximum(at.var[(*lead, arm)], 0.0) + self.posterior.noise[(*lead, task, arm)]
            changes = self.detectors.take(task, arm, y - at.mean[(*lead, arm)], np.sqrt(var))
        condition_each(self.posterior, task, arm, y, at)
        self._pending.append(((*lead, task, arm), x, y))
        if self.detectors is not None and changes:
            self._sum_up()
            for change in changes:
                apply(change, self.evidence, self.detectors.settings)
            self._solve_some(np.unique([change.replication for change in changes]))
        return changes

    def tick(self) -> None:
        """One more request is over: now and then, what is known of models on probation fades a little."""
        on_probation = None if self.detectors is None else self.detectors.tick()
        if self.detectors is not None and on_probation is not None:
            self._sum_up()
            fade(self.evidence, on_probation, self.detectors.settings)
            self._solve_some(np.flatnonzero(on_probation.any(1)))

    def shift(self, arm: int, by: float) -> None:
        """Moves all that was learned of a model, as if each of its observations had been larger by so much."""
        self.refresh()
        self.evidence = shifted(self.evidence, arm, by)
        self.warm = None if self.warm is None else shifted(self.warm, arm, by)
        self._solve()

    def refresh(self) -> None:
        """Solves the posterior anew from all evidence, so that edges hear of each other."""
        self._sum_up()
        self._solve()

    def _sum_up(self) -> None:
        if self._pending:
            edges, x, y = zip(*self._pending, strict=True)
            known = np.isfinite(values := np.concatenate(y))
            axes = tuple(np.concatenate(axis)[known] for axis in zip(*edges, strict=True))
            observe_many(self.evidence, axes, np.concatenate(x)[known], values[known])
            self._pending.clear()

    def begin_with(self, warm: Evidence) -> None:
        """Starts from what was measured before, over (C, K) edges, the same for every replication."""
        pairs = zip(self.evidence, warm, strict=True)
        self.warm = Evidence(*(np.broadcast_to(theirs, mine.shape).copy() for mine, theirs in pairs))
        self._solve()

    def _solve(self) -> None:
        known = self.evidence if self.warm is None else with_warmth(self.evidence, self.warm, self.prior)
        self.posterior = solve(known, self.prior)

    def _solve_some(self, replications: Ints) -> None:
        """Solves these anew; the others must not notice."""
        known = Evidence(*(part[replications] for part in self.evidence))
        if self.warm is not None:
            known = with_warmth(known, Evidence(*(part[replications] for part in self.warm)), self.prior)
        solved = solve(known, self.prior)
        self.posterior.block[replications], self.posterior.noise[replications] = solved


class Noticed(NamedTuple):
    """A change of a model's signal (quality or log_cost) that came to light after so many requests."""

    request: int
    signal: str
    change: Change


class LearningPolicy:
    """Learns quality and log dollars of every edge, and paces a budget, for R replications at once.

    Args:
        axes: (R, C, K).
        width: X, inputs of a context.
        budget_usd: (R,) dollars per request; None = unconstrained.
        settings: what is set rather than learned.

    Attributes:
        noticed: the changes of models that came to light, in the order in which they did.
    """

    def __init__(
        self, axes: tuple[int, int, int], width: int, budget_usd: Floats | None, settings: PolicySettings
    ) -> None:
        replications, _, models = axes
        self.settings = settings
        self.quality = Signal(settings.quality, axes, width, settings.drift)
        self.log_cost = Signal(settings.log_cost, axes, width, settings.jumps)
        self.pacer = Pacer(budget_usd, settings.pacing, settings.resolve_at)
        self._pulls = np.zeros((replications, models))
        self._every = np.arange(replications)
        self.noticed: list[Noticed] = []
        self._seen = 0
        self._news_at = 0  # observations there were when a model last entered
        self._next_refresh = settings.refresh_first
        self.newcomers = Newcomers(replications, models, settings.rollout)
        self._eligible = np.ones((replications, models), dtype=bool)
        self._predictions: tuple[Prediction, Prediction]

    def choose(self, step: Step) -> Ints:
        """The arms (R,): best sampled utility among the eligible, floor-mixed."""
        exploration = self.settings.exploration
        quality = self.quality.predict(step.task, step.x)
        log_cost = self.log_cost.predict(step.task, step.x)
        self._predictions = quality, log_cost
        share = self._cost_share(log_cost, step.task)
        sd = np.sqrt(np.maximum(quality.var, 0.0))
        self.pacer.remember(quality.mean, exploration.sampled * sd, share, step.eligible)
        worth = utility(quality.mean, share, self.pacer.price)
        scores = exploration.optimistic(worth, sd) + exploration.sampled * step.normal * sd
        floor, eligible = exploration.floor(step.eligible, worth, share), step.eligible
        if self.newcomers:
            self._eligible = eligible
            eligible, least = self.newcomers.bend(eligible, worth, share, self._pulls)
            floor = np.maximum(floor, least)
        return draw_each(np.where(eligible, scores, -np.inf), floor, step.uniform)

    def learn(self, step: Step, arm: Ints, quality: Floats, cost_usd: Floats) -> None:
        """Takes in one outcome for each replication and moves the shadow price."""
        self.tell(step, arm, quality, np.log(np.maximum(cost_usd, _LEAST_USD)))
        self._pulls[self._every, arm] += 1
        self.pacer.spend(cost_usd)
        self._seen += 1
        self.quality.tick()
        if self._seen == self._next_refresh:
            self.refresh()

    def judge(self, step: Step, arm: Ints, quality: Floats) -> None:
        """Takes in late judgements (R,) in the context that was decided; dollars were billed before."""
        prediction = self.quality.predict(step.task, step.x)
        self._notice("quality", self.quality.learn((self._every,), step.task, arm, step.x, quality, prediction))

    def reprice(self, arm: int, factor: float) -> None:
        """Moves what was learned of a model's dollars by a factor: an announced price acts on the next request."""
        self.log_cost.shift(arm, float(np.log(factor)))
        self.pacer.reprice(arm, factor)

    def begin_with(self, quality: Evidence, log_cost: Evidence, task: Ints, x: Floats, eligible: Bools) -> None:
        """Starts from what was measured before: beliefs of (C, K) edges, and the price that its contexts ask for.

        Args:
            quality: warm evidence.
            log_cost: likewise.
            task: (T,) classes of requests such as will come.
            x: (T, X) their inputs.
            eligible: (T, K) models that may serve them.
        """
        self.quality.begin_with(quality)
        self.log_cost.begin_with(log_cost)
        self._pulls += log_cost.n.sum(0)
        if self.pacer.budget_usd is None or task.size == 0:
            return
        contexts = [self._expected(c, inputs) for c, inputs in zip(task.tolist(), x, strict=True)]
        means, share = (np.stack(part) for part in zip(*contexts, strict=True))
        self.pacer.foresee(np.where(eligible[:, None, :], means, -np.inf), share)

    def _expected(self, task: int, x: Floats) -> tuple[Floats, Floats]:
        """Expected quality and dollars over budget of one context, both (R, K)."""
        tasks, inputs = np.full(self._every.size, task), np.tile(x, (self._every.size, 1))
        log_cost = self.log_cost.predict(tasks, inputs)
        return self.quality.predict(tasks, inputs).mean, self._cost_share(log_cost, tasks)

    def rebudget(self, budget_usd: float) -> None:
        """Paces every replication to another budget from now on, also where there was none."""
        budgets = np.full(self._every.size, budget_usd)
        if self.pacer.budget_usd is None:
            self.pacer = Pacer(budgets, self.settings.pacing, self.settings.resolve_at)
        else:
            self.pacer.rebudget(budgets)

    def welcome(self, arm: int) -> None:
        """Takes in that a model enters: it is a newcomer where others are known, and news of it travels fast again."""
        if self._seen < self.settings.rollout.trial_requests and self.log_cost.warm is None:
            return
        self.newcomers.welcome(arm)
        self._news_at, self._next_refresh = self._seen, self._seen + self.settings.refresh_first

    def tell(self, step: Step, arm: Ints, quality: Floats, log_cost: Floats) -> None:
        """Takes in what arms (R,) showed in the step's contexts, chosen or not, without spending; nan = not seen."""
        lead = (self._every,)
        of_quality, of_cost = self._predictions
        self._notice("quality", self.quality.learn(lead, step.task, arm, step.x, quality, of_quality))
        jumps = self.log_cost.learn(lead, step.task, arm, step.x, log_cost, of_cost)
        self._notice("log_cost", jumps)
        for jump in jumps:
            if jump.task is None:
                factor = np.ones(self._every.size)
                factor[jump.replication] = np.exp(jump.shift)
                self.pacer.reprice(jump.arm, factor, announced=False)

    def _notice(self, signal: str, changes: Sequence[Change]) -> None:
        self.noticed.extend(Noticed(self._seen, signal, change) for change in changes)

    def refresh(self) -> None:
        """Solves both posteriors anew and sets when to do so next."""
        self.quality.refresh()
        self.log_cost.refresh()
        self._next_refresh = self._news_at + self.settings.next_refresh(self._seen - self._news_at)
        if self.newcomers:
            evidence, posterior = self.quality.evidence, self.quality.posterior
            self.newcomers.review(evidence, posterior, self._priced, self._eligible, self._pulls)

    def _priced(self, x: Floats) -> Floats:
        """Quality points (R, C, K) that each model's dollars are worth now, at inputs (R, C, X) of each class."""
        of = self.log_cost.posterior
        mean = np.einsum("rckx,rcx->rck", of.mean, x)
        var = np.einsum("rckxy,rcx,rcy->rck", of.covariance, x, x) + of.noise
        usd_price = self.pacer.price * self.pacer.share(np.ones((self._every.size, 1)))
        return usd_price[..., None] * expected_amount(mean, var)

    def _cost_share(self, log_cost: Prediction, task: Ints) -> Floats:
        """Expected dollars over budget (R, K); a model never tried is taken to cost just the budget."""
        cost = expected_amount(log_cost.mean, log_cost.var + self.log_cost.noise(task, (self._every,)))
        share = self.pacer.share(cost)
        return share if self.pacer.budget_usd is None else np.where(self._pulls > 0, share, 1.0)


class Allocation:
    """A fixed rule: each row's arm is drawn from given probabilities, the eligible ones renormalised; learns nothing.

    Args:
        probabilities: (P, n, K) of P rules.
        rule: (R,) which of them each replication follows.
    """

    def __init__(self, probabilities: Floats, rule: Ints) -> None:
        self.probabilities = probabilities
        self.rule = rule

    def choose(self, step: Step) -> Ints:
        """The arms (R,) drawn; evenly among the eligible where the rule's own are not."""
        p = self.probabilities[self.rule, step.row] * step.eligible
        p = np.where(p.sum(1, keepdims=True) > 0, p, step.eligible)
        cumulative = np.cumsum(p, axis=1)
        return (step.uniform[:, None] * cumulative[:, -1:] < cumulative).argmax(1)

    def learn(self, step: Step, arm: Ints, quality: Floats, cost_usd: Floats) -> None:
        """Nothing to learn."""

    def judge(self, step: Step, arm: Ints, quality: Floats) -> None:
        """Nothing to learn."""

    def reprice(self, arm: int, factor: float) -> None:
        """The rule was made for whatever prices it knew."""

    def rebudget(self, budget_usd: float) -> None:
        """The rule was made for whatever budgets it knew."""

    def welcome(self, arm: int) -> None:
        """The rule was made for whatever models it knew."""
