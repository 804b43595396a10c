"""The JSON of `banditroute simulate --json`: a promise to those who script it, so add freely and rename nothing."""

from typing import TypedDict

from banditroute.simulation.results import (
    CapWindow,
    Floats,
    Lateness,
    Phase,
    PolicyResult,
    Sighting,
    SimulationResult,
    mean_ci95,
)


class Interval(TypedDict):
    """A mean over seeds with its 95% interval [low, high]."""

    mean: float
    ci95: list[float]


class Spread(TypedDict):
    """A mean over seeds and the worst seed."""

    mean: float
    max: float


class FixedDocument(TypedDict):
    """What always calling one model gets, and on how many rows it is observed."""

    quality: float
    cost_usd: float
    rows: int


class SeedDocument(TypedDict):
    """One stream order."""

    seed: int
    quality: float
    cost_usd: float


# "from" is a keyword, hence this form.
PhaseDocument = TypedDict(
    "PhaseDocument",
    {
        "from": int,
        "to": int,
        "quality": Interval,
        "cost_usd": Interval,
        "utilisation": Spread | None,
        "budget_usd": float | None,
        "share": dict[str, float],
        "latency_s": Interval | None,
    },
)


class WindowDocument(TypedDict):
    """How one window of a cap ended: dollars spent, and their share of what it allowed."""

    budget: str
    window: str
    usd: float
    spent_usd: Spread
    share: Spread


class SightingDocument(TypedDict):
    """A change of a model that was noticed; dollars by the log of their factor."""

    seed: int
    request: int
    model: str
    task: str | None
    signal: str
    shift: float
    seen: int


class LatenessDocument(TypedDict):
    """How a promise of latency was kept: the share of late answers, and what that cost."""

    latency_s: float
    epsilon: float
    late: Spread
    quality_given_up: float


class PolicyDocument(TypedDict):
    """One policy at one budget; budget and utilisation are null where it is unconstrained."""

    policy: str
    budget_usd: float | None
    quality: Interval
    cost_usd: Interval
    utilisation: Spread | None
    share: dict[str, float]
    envelope_quality: float
    oracle_quality: float
    per_seed: list[SeedDocument]
    phases: list[PhaseDocument]
    windows: list[WindowDocument]
    alarms: list[SightingDocument]
    slo: LatenessDocument | None


class SimulationDocument(TypedDict):
    """The whole answer."""

    requests: int
    models: list[str]
    fixed: dict[str, FixedDocument]
    results: list[PolicyDocument]
    decisions_per_s: float
    notes: list[str]
    scenario: str | None


def simulation_json(result: SimulationResult) -> SimulationDocument:
    """The result as plain values, ready to be written as JSON."""
    return {
        "requests": result.requests,
        "models": list(result.models),
        "fixed": {
            name: {"quality": model.quality, "cost_usd": model.cost_usd, "rows": model.rows}
            for name, model in result.fixed.items()
        },
        "results": [_policy(each, result.models) for each in result.results],
        "decisions_per_s": result.decisions_per_s,
        "notes": list(result.notes),
        "scenario": result.scenario,
    }


def _policy(result: PolicyResult, models: tuple[str, ...]) -> PolicyDocument:
    return {
        "policy": result.policy,
        "budget_usd": result.budget_usd,
        "quality": _interval(result.quality),
        "cost_usd": _interval(result.cost_usd),
        "utilisation": _utilisation(result.cost_usd, result.mean_budget_usd),
        "share": dict(zip(models, result.share.tolist(), strict=True)),
        "envelope_quality": result.envelope_quality,
        "oracle_quality": result.oracle_quality,
        "per_seed": [
            {"seed": seed, "quality": quality, "cost_usd": cost_usd}
            for seed, quality, cost_usd in zip(
                result.seeds, result.quality.tolist(), result.cost_usd.tolist(), strict=True
            )
        ],
        "phases": [_phase(phase, models) for phase in result.phases],
        "windows": [_window(window) for window in result.windows],
        "alarms": [_sighting(sighting) for sighting in result.sightings],
        "slo": None if result.lateness is None else _lateness(result.lateness),
    }


def _phase(phase: Phase, models: tuple[str, ...]) -> PhaseDocument:
    return {
        "from": phase.first,
        "to": phase.last,
        "quality": _interval(phase.quality),
        "cost_usd": _interval(phase.cost_usd),
        "utilisation": _utilisation(phase.cost_usd, phase.budget_usd),
        "budget_usd": phase.budget_usd,
        "share": dict(zip(models, phase.share.tolist(), strict=False)),
        "latency_s": None if phase.latency_s is None else _interval(phase.latency_s),
    }


def _window(window: CapWindow) -> WindowDocument:
    return {
        "budget": window.budget,
        "window": window.period,
        "usd": float(window.allowed_usd.mean()),
        "spent_usd": _spread(window.spent_usd),
        "share": _spread(window.share),
    }


def _sighting(sighting: Sighting) -> SightingDocument:
    return {
        "seed": sighting.seed,
        "request": sighting.request,
        "model": sighting.model,
        "task": sighting.task,
        "signal": sighting.signal,
        "shift": sighting.shift,
        "seen": sighting.seen,
    }


def _lateness(lateness: Lateness) -> LatenessDocument:
    return {
        "latency_s": lateness.latency_s,
        "epsilon": lateness.epsilon,
        "late": _spread(lateness.late),
        "quality_given_up": float(lateness.given_up.mean()),
    }


def _spread(values: Floats) -> Spread:
    return {"mean": float(values.mean()), "max": float(values.max())}


def _interval(values: Floats) -> Interval:
    mean, low, high = mean_ci95(values)
    return {"mean": mean, "ci95": [low, high]}


def _utilisation(cost_usd: Floats, budget_usd: float | None) -> Spread | None:
    if budget_usd is None:
        return None
    return {"mean": float(cost_usd.mean()) / budget_usd, "max": float(cost_usd.max()) / budget_usd}
