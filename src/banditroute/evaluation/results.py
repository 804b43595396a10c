"""What an evaluation found: typed, ready to be printed, written as JSON or drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SIGNALS = ("quality", "cost_usd", "latency_s")
"""What is estimated of a policy: quality in [0, 1], dollars and seconds per request."""


Z95 = 1.959964
"""Standard deviations within which 95% of a normal lie."""


class Interval(NamedTuple):
    """An interval in the unit of what it is of; its confidence is said by whoever holds it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Value:
    """One signal of one policy by one estimator.

    Attributes:
        mean: the estimate, per request.
        ci95: holds for one look, at this log: of quality a bootstrap, of dollars and seconds put right for rare draws.
        anytime95: holds for every look at once, however often one looks: a confidence sequence; None where the
            estimator has none.
        gain: the estimate less what the logging policy got on the same rows.
        gain_ci95: the interval of that difference, for one look, by the same resamples.
        gain_anytime95: the same for every look; None likewise.
        rows: how many decisions know the signal.
    """

    mean: float
    ci95: Interval
    anytime95: Interval | None
    gain: float
    gain_ci95: Interval
    gain_anytime95: Interval | None
    rows: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """One policy by one estimator.

    Attributes:
        policy: the target's name, as asked for.
        estimator: ips, snips, dm, dr or switch-dr.
        quality: per request; None where nobody judged an answer.
        cost_usd: dollars per request.
        latency_s: seconds per request.
    """

    policy: str
    estimator: str
    quality: Value | None
    cost_usd: Value
    latency_s: Value


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much the log says of a target at one model.

    Attributes:
        model: which.
        logged_share: share of the logged decisions that drew it.
        target_share: share of decisions that the target would give it.
        matched: decisions that drew it and have weight in the estimate.
        ess: their effective number.
        max_weight: the largest weight among them.
        unseen_share: share of decisions that the target would give it where the log could not have drawn it.
    """

    model: str
    logged_share: float
    target_share: float
    matched: int
    ess: float
    max_weight: float
    unseen_share: float


@dataclass(frozen=True, slots=True)
class Target:
    """One policy that was evaluated, and how far the log carries it.

    Attributes:
        policy: its name, as asked for.
        ess: how many decisions of its own the log is worth: (sum w)^2 / sum w^2 of what was drawn, or of what could
            have been drawn, if that is less.
        ess_judged: the same among the decisions whose quality is known.
        max_weight: the largest importance weight.
        mean_weight: 1 but for chance, where the log is sound and could have drawn all that the target would.
        unseen_share: share of the target's choices that the log could not have drawn: no estimate speaks of them.
        overlap: by model.
        carries: whether the evidence carries a verdict.
        verdict: one sentence or two: what switching to it would bring, or what is missing to say so.
    """

    policy: str
    ess: float
    ess_judged: float
    max_weight: float
    mean_weight: float
    unseen_share: float
    overlap: tuple[Overlap, ...]
    carries: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Logged:
    """What a logging policy got on its own traffic: measured, not estimated.

    Attributes:
        policy: its name in the log; empty where rows name none.
        rows: its decisions.
        drawn: those of them that were left to chance; only these are evidence on other policies.
        quality: mean over judged rows and its 95% interval; None where nobody judged.
        cost_usd: likewise of all rows; latency_s likewise.
        judged: rows whose quality is known.
    """

    policy: str
    rows: int
    drawn: int
    quality: tuple[float, Interval] | None
    cost_usd: tuple[float, Interval]
    latency_s: tuple[float, Interval]
    judged: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """Rows that take no part in the estimates, and why.

    Attributes:
        reason: in plain words.
        rows: how many.
        first_line: the first of them in the file, counted from 1; None where the log is not from a file.
    """

    reason: str
    rows: int
    first_line: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All targets by all estimators on one log.

    Attributes:
        log: its name.
        models: (K,) names.
        rows: decisions in the file.
        used: decisions that the estimates rest on: drawn by chance, with a sound propensity.
        logged: each logging policy's own results, by name.
        targets: in the order asked for.
        estimates: targets slowest, estimators in the order asked for.
        set_aside: rows that take no part.
        notes: plain sentences for the reader: what was absent or assumed.
    """

    log: str
    models: tuple[str, ...]
    rows: int
    used: int
    logged: tuple[Logged, ...]
    targets: tuple[Target, ...]
    estimates: tuple[Estimate, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]

    def of(self, policy: str, estimator: str) -> Estimate:
        """The estimate of a policy by an estimator; raises KeyError where it was not asked for."""
        for each in self.estimates:
            if (each.policy, each.estimator) == (policy, estimator):
                return each
        raise KeyError((policy, estimator))
