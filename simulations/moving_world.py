"""Writes the measured part of docs/drift.md: models that change without a word, prices, outages, late judgements.

Asks, on the judged table, 20 stream orders, three budgets, classes and features: what quality and spending are in every
stretch of a scenario, how soon a silent change is noticed, how often one is that is none, and what detection costs
where nothing changes.

Run: `python simulations/moving_world.py`; about four minutes. It reads the judged table from ../shared/data.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import load_table
from banditroute.learning.policy import LearningPolicy, Noticed, PolicySettings
from banditroute.simulation.loop import play
from banditroute.simulation.policies import make_policy
from banditroute.simulation.scenario import Feedback, Scenario
from banditroute.simulation.scenario_file import load_scenario
from banditroute.simulation.stages import Script, script_of, warmup_of
from banditroute.simulation.stream import Stream, staged, stream_of
from marked_page import footnote, write_part

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"
BUDGETS_USD = (3e-4, 6.6e-4, 1.9e-3)
SEEDS = range(int(os.environ.get("SEEDS", "20")))
MISTRAL = "mistral-large-2512"
RETURN = 100  # requests within which a model that was away is to be in use again

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """What one policy did, each array (B, S, n): budgets, seeds, scored requests.

    Attributes:
        stream: what happened; script: when it changed.
        noticed: the changes that the policy noticed, replications numbered b S + s, requests counted from the warm-up.
    """

    stream: Stream
    script: Script
    arm: Ints
    quality: Floats
    cost_share: Floats
    noticed: Sequence[Noticed]

    def by_phase(self, values: Floats) -> Floats:
        """(B, S, P) means of each stretch."""
        return np.stack([values[..., first:last].mean(-1) for first, last in self.script.phases], axis=-1)


def shipped(name: str) -> Scenario:
    """A scenario of configs/scenarios."""
    return load_scenario(ROOT / "configs" / "scenarios" / f"{name}.toml")


def run(scenario: Scenario | None = None, settings: PolicySettings | None = None, policy: str = "thompson") -> Run:
    """Plays a scenario, or a stream in which nothing happens."""
    table, warmup = (load_table(DATA / f"judged9_{half}.jsonl.gz") for half in ("test", "val"))
    script = script_of(table, scenario)
    plain = stream_of(script.stages[0].table, warmup_of(warmup, scenario), features=True, classes=True)
    stream = staged(plain, script)
    budgets, seeds = np.repeat(BUDGETS_USD, len(SEEDS)), [*SEEDS] * len(BUDGETS_USD)
    made = make_policy(policy, stream, script.stages, budgets, len(seeds), settings or PolicySettings())
    played = play(stream, made, seeds)
    shape = len(BUDGETS_USD), len(SEEDS), -1
    arm = played.arm[:, stream.warm :]
    outcome = (played.row + stream.shift)[:, stream.warm :]
    share = stream.cost_usd[outcome, arm] / budgets[:, None]
    noticed = made.noticed if isinstance(made, LearningPolicy) else ()
    quality = stream.quality[outcome, arm]
    return Run(stream, script, arm.reshape(shape), quality.reshape(shape), share.reshape(shape), noticed)


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    blind = replace(PolicySettings(), drift=None, jumps=None)
    still = {name: run(settings=settings) for name, settings in (("watched", None), ("not watched", blind))}
    drop = {
        name: run(shipped("silent_drop"), settings) for name, settings in (("watched", None), ("not watched", blind))
    }
    drop["clairvoyant"] = run(shipped("silent_drop"), policy="clairvoyant")
    cuts = {f"Gemini a tenth, {word}": run(shipped(f"price_cut_{word}")) for word in ("announced", "silent")}
    away = run(shipped("outage"))
    heard = {
        "Judgements 100 requests late, seven in ten never": run(shipped("late_feedback")),
        "One in ten never, of Mistral's nine in ten": run(
            Scenario(feedback=Feedback(missing=0.1, missing_by_model={MISTRAL: 0.9}))
        ),
    }
    lines = [
        *_drop(drop),
        "",
        *_noticed(drop["watched"], still["watched"]),
        *_still(still),
        "",
        *_spending(cuts),
        "",
        *_outage(away),
        *(_lost(name, each, still["watched"]) for name, each in heard.items()),
        "",
        f"{footnote(started, __file__)}.",
    ]
    text = "\n".join(lines)
    print(text)
    write_part("drift.md", "moving world", text)


def _drop(runs: dict[str, Run]) -> list[str]:
    head = " | ".join(f"${budget:.2g}" for budget in BUDGETS_USD)
    lines = [
        "Mistral falls to .75 for the middle third. Quality before, meanwhile and after, by budget:",
        "",
        f"| | mean of all | {head} |",
        "|---|---|" + "---|" * len(BUDGETS_USD),
    ]
    for name, each in runs.items():
        means = each.by_phase(each.quality).mean(1)
        cells = " | ".join(" ".join(f"{q:.3f}" for q in phases) for phases in means)
        lines.append(f"| {name} | {means.mean():.4f} | {cells} |")
    return lines


def _noticed(drop: Run, still: Run) -> list[str]:
    pulls = _pulls_until_noticed(drop)
    known = pulls[np.isfinite(pulls)]
    requests = still.arm.shape[0] * still.arm.shape[1] * still.stream.task.size
    return [
        f"- The drop was noticed in {known.size} of {pulls.size} runs, after {np.median(known):.0f} of Mistral's own "
        f"answers (median; {np.quantile(known, 0.95):.0f} in 95 of 100 runs, {known.max():.0f} at most).",
        f"- Where nothing changed, {len(still.noticed)} alarms of any kind (quality or dollars, of a model or in one "
        f"class) in {requests:,} requests: {5000 * len(still.noticed) / requests:.2f} in 5,000.",
    ]


def _pulls_until_noticed(drop: Run) -> Floats:
    """(B S,) answers of Mistral from the drop to the first alarm on its quality; infinite where there was none."""
    model = drop.script.stages[0].table.models.index(MISTRAL)
    at, until = drop.script.phases[1]
    arm = drop.arm.reshape(-1, drop.arm.shape[-1])
    found = np.full(arm.shape[0], np.inf)
    for notice in sorted(drop.noticed, key=lambda notice: -notice.request):
        when, change = notice.request - drop.stream.warm, notice.change
        if notice.signal == "quality" and change.arm == model and at <= when < until:
            found[change.replication] = (arm[change.replication, at : when + 1] == model).sum()
    return found


def _still(runs: dict[str, Run]) -> list[str]:
    watched, blind = (each.quality.mean((0, 2)) for each in runs.values())
    difference = watched - blind
    return [
        f"- What watching costs where nothing changes: {difference.mean():+.4f} ± "
        f"{1.96 * difference.std(ddof=1) / np.sqrt(difference.size):.4f} of quality."
    ]


def _spending(runs: dict[str, Run]) -> list[str]:
    lines = [
        "| price | budget | quality before, meanwhile, after | dollars over budget, mean (worst order) |",
        "|---|---|---|---|",
    ]
    for name, each in runs.items():
        quality, spent = each.by_phase(each.quality), each.by_phase(each.cost_share)
        for b, budget in enumerate(BUDGETS_USD):
            means = " ".join(f"{q:.3f}" for q in quality[b].mean(0))
            dollars = ", ".join(f"{s.mean():.2f} ({s.max():.2f})" for s in spent[b].T)
            lines.append(f"| {name} | ${budget:.2g} | {means} | {dollars} |")
    return lines


def _outage(away: Run) -> list[str]:
    model = away.script.stages[0].table.models.index(MISTRAL)
    gone, back = away.script.phases[1]
    share = [(away.arm[..., a:b] == model).mean((1, 2)) for a, b in ((gone - 300, gone), (back, back + RETURN))]
    part = " ".join(f"{after / before:.2f}" for before, after in zip(*share, strict=True))
    spent = away.by_phase(away.cost_share).mean(1)
    dollars = "; ".join(" ".join(f"{s:.2f}" for s in phases) for phases in spent)
    return [
        f"- Mistral is away for 300 requests: in the {RETURN} after its return it has {part} of the share that it had "
        f"in the 300 before (by budget); dollars over budget before, meanwhile, after: {dollars}.",
    ]


def _lost(name: str, run: Run, still: Run) -> str:
    lost = still.quality.mean((1, 2)) - run.quality.mean((1, 2))
    return f"- {name}: quality lower by {', '.join(f'{points:.4f}' for points in lost)} (by budget)."


if __name__ == "__main__":
    main()
