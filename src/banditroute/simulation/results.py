"""What a simulation found: typed, in arrays, ready to be printed, written as JSON or drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FixedModel:
    """What always calling one model gets on the rows where it is observed."""

    quality: float
    cost_usd: float
    rows: int


@dataclass(frozen=True, slots=True)
class Frontier:
    """A cost-quality curve: quality (P,) reachable at each cost_usd (P,), both increasing, dollars per request."""

    cost_usd: Floats
    quality: Floats

    def at(self, budget_usd: float) -> float:
        """Quality at a budget: linear between points; below the first point, that of the first point."""
        return float(np.interp(budget_usd, self.cost_usd, self.quality))


@dataclass(frozen=True, slots=True)
class Trace:
    """How a run went over time, sampled at T points of the scored stream.

    Attributes:
        requests: (T,) scored requests seen so far; the last is all of them.
        spend_usd: (S, T) dollars spent so far, per seed.
        quality: (S, T) mean quality of the stretch that ends at each point, per seed.
        share: (T, K) each model's share of that stretch, mean over seeds.
    """

    requests: NDArray[np.int64]
    spend_usd: Floats
    quality: Floats
    share: Floats


@dataclass(frozen=True, slots=True)
class Edge:
    """One (task class, model) pair: what was learned of it and what is true, mean over seeds.

    Attributes:
        task: task class; "all" where the table has none.
        model: model name.
        share: share of the class's scored requests that went to the model.
        quality: learned mean quality, nan where the policy does not learn; quality_sd its posterior sd.
        cost_usd: learned mean dollars, nan likewise.
        true_quality: mean over the table's rows of that class, as it is at the end.
        true_cost_usd: likewise.
    """

    task: str
    model: str
    share: float
    quality: float
    quality_sd: float
    cost_usd: float
    true_quality: float
    true_cost_usd: float


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of the scored stream; first is inclusive, last exclusive (request indices).

    Attributes:
        quality: (S,) mean quality, per seed; cost_usd likewise, in dollars.
        budget_usd: dollars per request that it was meant to cost; None = unconstrained.
        share: (K,) share of each model, mean over seeds; empty where nobody counted.
        latency_s: (S,) mean seconds per answer, per seed; None where the table knows none.
    """

    first: int
    last: int
    quality: Floats
    cost_usd: Floats
    budget_usd: float | None = None
    share: Floats = field(default_factory=lambda: np.zeros(0))
    latency_s: Floats | None = None

    @property
    def utilisation(self) -> Floats | None:
        """Dollars per request over the budget, per seed (S,); None without a budget."""
        return None if self.budget_usd is None else self.cost_usd / self.budget_usd


@dataclass(frozen=True, slots=True)
class ByRequest:
    """What each of n scored requests got, mean over seeds, in the order of the table.

    Attributes:
        quality: (n,); cost_usd: (n,) dollars.
        tasks: (C,) names of the task classes; task_of: (n,) index into them.
    """

    quality: Floats
    cost_usd: Floats
    tasks: tuple[str, ...]
    task_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CapWindow:
    """How one window of a cap ended, in the S seeds in which requests came in it.

    Attributes:
        budget: the cap; period: its window, as 2026-11-25 or 2026-11.
        allowed_usd: (S,) dollars that might be spent in it, carried ones included.
        spent_usd: (S,) dollars that were.
    """

    budget: str
    period: str
    allowed_usd: Floats
    spent_usd: Floats

    @property
    def share(self) -> Floats:
        """(S,) what was spent over what might be."""
        return self.spent_usd / self.allowed_usd


@dataclass(frozen=True, slots=True)
class Lateness:
    """How a promise of latency was kept in S seeds.

    Attributes:
        latency_s: seconds after which an answer is late; epsilon: the share of answers that may be.
        late: (S,) share that was.
        given_up: (S,) quality points a request that the promise cost, as the router reckons.
    """

    latency_s: float
    epsilon: float
    late: Floats
    given_up: Floats


@dataclass(frozen=True, slots=True)
class Sighting:
    """A change of a model that a policy noticed in one stream order.

    Attributes:
        seed: the stream order.
        request: scored requests before it; negative in the warm-up.
        model: which model; task: in which class, None = in all of them together.
        signal: quality or cost_usd.
        shift: by how much, as estimated then: quality points, or the log of the factor of dollars.
        seen: answers that this was estimated from.
    """

    seed: int
    request: int
    model: str
    task: str | None
    signal: str
    shift: float
    seen: int


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One policy at one budget over S seeds.

    Attributes:
        policy: its name as asked for, e.g. "thompson" or "fixed:small".
        budget_usd: dollars per request; None = unconstrained.
        seeds: (S,) the stream orders.
        quality: (S,) mean quality of the scored requests.
        cost_usd: (S,) mean dollars of the scored requests.
        share: (K,) share of each model, mean over seeds.
        envelope_quality: the best mix of two fixed models at this budget.
        oracle_quality: the constrained per-prompt oracle at this budget.
        phases: stretches between events; one where nothing happens.
        trace: how it went over time.
        edges: every (task class, model) pair.
        by_request: request by request; None where nobody counted.
        windows: how the windows of caps ended; none where there are no caps.
        sightings: the changes of models that it noticed, seed by seed.
        lateness: how the promise of latency was kept; None where there is none.
    """

    policy: str
    budget_usd: float | None
    seeds: tuple[int, ...]
    quality: Floats
    cost_usd: Floats
    share: Floats
    envelope_quality: float
    oracle_quality: float
    phases: tuple[Phase, ...]
    trace: Trace
    edges: tuple[Edge, ...]
    by_request: ByRequest | None = None
    windows: tuple[CapWindow, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    lateness: Lateness | None = None

    @property
    def mean_budget_usd(self) -> float | None:
        """The budget, averaged over the requests where a scenario changes it; None = unconstrained at some time."""
        budgets = [phase.budget_usd for phase in self.phases if phase.budget_usd is not None]
        if len(budgets) < len(self.phases):
            return None
        if len(set(budgets)) == 1:
            return budgets[0]
        return float(np.average(budgets, weights=[phase.last - phase.first for phase in self.phases]))

    @property
    def utilisation(self) -> Floats | None:
        """Dollars per scored request over the mean budget, per seed (S,); None without a budget."""
        budget = self.mean_budget_usd
        return None if budget is None else self.cost_usd / budget


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """All policies at all budgets on one table.

    Attributes:
        table: its name, as given.
        warmup: the warm-up table's name, if any.
        requests: scored requests per seed.
        models: (K,) names, the order of every K-axis.
        fixed: what each model alone gets.
        envelope: best mixes of two fixed models.
        oracle: the constrained per-prompt oracle.
        results: in the order asked for, budgets fastest.
        decisions_per_s: simulated decisions per second of wall time, warm-up included.
        notes: plain sentences for the reader: what was absent, ineligible or unreachable.
        scenario: the scenario's name, if any.
    """

    table: str
    warmup: str | None
    requests: int
    models: tuple[str, ...]
    fixed: Mapping[str, FixedModel]
    envelope: Frontier
    oracle: Frontier
    results: tuple[PolicyResult, ...]
    decisions_per_s: float
    notes: tuple[str, ...]
    scenario: str | None = None


def mean_ci95(values: Floats) -> tuple[float, float, float]:
    """Mean and its 95% Student-t interval over seeds: (mean, low, high); the interval is the mean for one seed."""
    from scipy.special import stdtrit  # small and quick to import, unlike scipy.stats

    mean = float(values.mean())
    n = values.size
    if n < 2:
        return mean, mean, mean
    half = float(stdtrit(n - 1, 0.975) * values.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half
