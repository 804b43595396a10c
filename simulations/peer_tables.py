"""Tables of docs/peers.md: one row for each policy and budget, one column for each stretch between events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from banditroute.simulation.results import Phase, PolicyResult
from peer_remarks import REMARKS

Rows = dict[str, list[tuple[str, PolicyResult]]]
"""Of each scenario the policies' names and what they got, budget by budget."""

_IN_USE = 0.1  # share of so many requests that follow
_FOLLOWING = 50


class Newcomer(NamedTuple):
    """How a newcomer fared, mean over orders.

    Attributes:
        requests: how many it served.
        steady_after: requests after its launch from which on it serves a tenth of any 50; None = it never does.
    """

    requests: float
    steady_after: int | None


def summary_table(rows: Rows) -> str:
    """Quality over all stretches and budgets, and the dearest stretch of all."""
    policies = list(dict.fromkeys(policy for policy, _ in max(rows.values(), key=len)))
    lines = [_line("scenario", *policies), _line(*["---"] * (len(policies) + 1))]
    for scenario, results in rows.items():
        cells = [_summary([result for name, result in results if name == policy]) for policy in policies]
        lines.append(_line(f"`{scenario}`" if "_" in scenario or scenario == "outage" else scenario, *cells))
    return "\n".join(lines)


def scenario_table(scenario: str, results: list[tuple[str, PolicyResult]]) -> str:
    """One scenario in full."""
    phases = results[0][1].phases
    newcomers = scenario.startswith("newcomer")
    head = ["budget", "policy", "quality", *(f"{phase.first}–{phase.last}" for phase in phases)]
    remarks = [f"- {remark}." for remark in REMARKS.get(scenario, ())]
    lines = [f"### {scenario}", "", *remarks, *([""] if remarks else [])]
    head += ["newcomer: requests", "in steady use after"] if newcomers else []
    lines += [_line(*head), _line(*["---"] * len(head))]
    for policy, result in results:
        cells = [f"${result.budget_usd:.2g}", policy, _points(result.quality.mean()), *map(_stretch, result.phases)]
        lines.append(_line(*cells, *(_newcomer_cells(newcomer_of(result)) if newcomers else ())))
    return "\n".join(lines)


def newcomer_of(result: PolicyResult) -> Newcomer:
    """How the model in the last column fared after the last event."""
    last, (requests, share) = result.phases[-1], (result.trace.requests, result.trace.share[:, -1])
    served = np.cumsum(share * np.diff(np.r_[0, requests]))
    ahead = np.searchsorted(requests, requests + _FOLLOWING)
    begun = np.flatnonzero((requests >= last.first) & (ahead < requests.size))
    following = (served[ahead[begun]] - served[begun]) / (requests[ahead[begun]] - requests[begun])
    steady = np.flatnonzero(np.minimum.accumulate(following[::-1])[::-1] >= _IN_USE)
    after = int(requests[begun[steady[0]]]) - last.first if steady.size else None
    return Newcomer(float(last.share[-1]) * (last.last - last.first), after)


def _summary(results: list[PolicyResult]) -> str:
    if not results:
        return ""
    phases = [phase for result in results for phase in result.phases]
    quality = np.mean([phase.quality.mean() for phase in phases])
    used = [_used(phase) for phase in phases]
    return f"{_points(quality)}, {max(u.mean() for u in used):.2f} ({max(u.max() for u in used):.2f})"


def _stretch(phase: Phase) -> str:
    used = _used(phase)
    return f"{_points(phase.quality.mean())}, {used.mean():.2f} ({used.max():.2f})"


def _used(phase: Phase) -> np.ndarray:
    used = phase.utilisation
    assert used is not None, "every run has a budget"
    return used


def _newcomer_cells(newcomer: Newcomer) -> tuple[str, str]:
    return f"{newcomer.requests:.0f}", "never" if newcomer.steady_after is None else f"{newcomer.steady_after}"


def _points(quality: float) -> str:
    return f"{quality:.3f}".removeprefix("0")


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
