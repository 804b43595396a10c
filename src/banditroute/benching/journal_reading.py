"""What the lines of a benchmark's journal amount to, and whether they go with what is to be run now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.fingerprints import Fingerprints
from banditroute.benching.journal_lines import (
    FORMAT,
    BegunLine,
    CallLine,
    HeadLine,
    JudgedLine,
    LeftLine,
    Line,
    ModelLine,
)
from banditroute.errors import InputError

_ANEW = "put it back, or begin anew with another --out"


@dataclass(slots=True)
class Kept:
    """What a journal holds.

    Attributes:
        calls: those that are finished.
        spent_usd: dollars of everything in it that is finished, judging included; judging_usd: of judging alone.
        lost_usd: the most that calls may have cost of which nothing was heard any more; lost: how many these are.
    """

    calls: dict[CallKey, FinishedCall] = field(default_factory=dict[CallKey, FinishedCall])
    spent_usd: float = 0.0
    judging_usd: float = 0.0
    lost_usd: float = 0.0
    lost: int = 0


def check(lines: list[Line], prints: Fingerprints, path: Path) -> None:
    """Raises InputError where finished calls would not be the same today."""
    if not lines:
        return
    first = lines[0]
    if not isinstance(first, HeadLine) or first.format != FORMAT:
        raise InputError("is no journal of this version's benchmarks", remedy="name another --out", path=str(path))
    answered = {line.model for line in lines if isinstance(line, CallLine) and not line.failure}
    changed = [f"model {name}" for name in sorted(changed_models(lines, prints.models) & answered)]
    changed += ["the prompts"] * (first.prompts != prints.prompts)
    changed += ["graders or judges"] * (first.grading != prints.grading)
    if changed:
        raise InputError(f"changed since it was begun: {', '.join(changed)}", remedy=_ANEW, path=str(path))


def changed_models(lines: list[Line], now: Mapping[str, str]) -> set[str]:
    """Models that are not what they were when they were last asked."""
    then = {line.model: line.fingerprint for line in lines if isinstance(line, ModelLine)}
    return {model for model, fingerprint in now.items() if then.get(model, fingerprint) != fingerprint}


def kept_of(lines: list[Line], mended: set[str], *, retry_failed: bool) -> Kept:
    """What a journal's lines amount to.

    Args:
        lines: all of them.
        mended: models whose failures are to be forgotten; what they cost is not.
        retry_failed: those of all models are.
    """
    kept = Kept()
    open_calls: dict[CallKey, list[float]] = {}
    for line in lines:
        match line:
            case BegunLine():
                open_calls.setdefault(line.key, []).append(line.most_usd or 0.0)
            case LeftLine():
                kept.spent_usd += line.spent_usd
                _close(open_calls, line.key)
            case JudgedLine():
                kept.spent_usd += line.spent_usd
                kept.judging_usd += line.spent_usd
            case CallLine():
                call = line.call
                kept.spent_usd += call.spent_usd
                _close(open_calls, call.key)
                _keep(kept.calls, call, again=retry_failed or call.key.model in mended)
            case _:
                pass
    lost = [usd for each in open_calls.values() for usd in each]
    kept.lost, kept.lost_usd = len(lost), sum(lost)
    return kept


def _close(open_calls: dict[CallKey, list[float]], key: CallKey) -> None:
    if open_calls.get(key):
        open_calls[key].pop()


def _keep(calls: dict[CallKey, FinishedCall], call: FinishedCall, *, again: bool) -> None:
    if call.failure and again:
        calls.pop(call.key, None)
    else:
        calls[call.key] = call
