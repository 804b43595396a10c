"""A whole benchmark: from a plan to an outcome table on disk and what it says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from banditroute.benching.estimating import CostEstimate, estimate_cost
from banditroute.benching.figures import figures_of
from banditroute.benching.fingerprints import fingerprints_of
from banditroute.benching.grading import Weighing
from banditroute.benching.journal import Journal
from banditroute.benching.journal_reading import Kept
from banditroute.benching.planning import BenchPlan
from banditroute.benching.results import BenchResult
from banditroute.benching.running import Progress, Ran, run_bench
from banditroute.benching.settings import RunSettings
from banditroute.benching.summarizing import summarize
from banditroute.benching.tabulating import outcome_table
from banditroute.benching.wording import dollars
from banditroute.errors import InputError, MissingExtraError
from banditroute.simulation.formats import Layout, format_of
from banditroute.simulation.saving import save_table
from banditroute.sweeping.executor import Executor
from banditroute.sweeping.serial import Serial

_SETTINGS = RunSettings()
_HERE = Serial()


def journal_of(out: Path) -> Path:
    """Where the calls of a table are on record."""
    return out.with_name(f"{out.name}.calls")


def check_out(out: Path) -> None:
    """Makes sure that the table can be written: better now than when it is paid for.

    Raises:
        InputError: it cannot, or it is there already and no benchmark of ours has made it.
        MissingExtraError: its format needs an extra.
    """
    if format_of(str(out)).layout is Layout.PARQUET and find_spec("pyarrow") is None:
        raise MissingExtraError("a Parquet file", "parquet")
    if not out.parent.is_dir():
        raise InputError(f"there is no directory {out.parent}", remedy="make it first", field="--out")
    if out.is_dir() or not os.access(out if out.exists() else out.parent, os.W_OK):
        raise InputError(f"{out} cannot be written", remedy="choose another place", field="--out")
    if out.exists() and not journal_of(out).is_file():
        raise InputError(f"{out} is there already", remedy="choose another name, or remove it", field="--out")


def preview(plan: BenchPlan, out: Path | None = None, *, retry_failed: bool = False) -> CostEstimate:
    """What the calls that are still to be made for a table will cost; nothing is written that was not there.

    Raises:
        InputError: the record of earlier calls does not go with the plan.
    """
    if out is None or not journal_of(out).exists():
        return estimate_cost(plan)
    with Journal(journal_of(out), fingerprints_of(plan), retry_failed=retry_failed) as journal:
        return _estimate(plan, journal.kept)


async def bench(
    plan: BenchPlan,
    out: Path,
    settings: RunSettings = _SETTINGS,
    *,
    environ: Mapping[str, str] | None = None,
    announce: Callable[[CostEstimate], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
    executor: Executor = _HERE,
) -> BenchResult:
    """What the benchmark found, its outcome table written to `out`.

    Every finished call stands in `out` + ".calls" before it counts. Running it again goes on where the last run ended,
    however it did: no finished call is made or paid twice.

    Args:
        plan: what to run.
        out: the table: .jsonl, .jsonl.gz, .csv or .parquet.
        settings: how to run.
        environ: where the keys are; None = the process's environment.
        announce: is told what it will cost, before the first call.
        progress: is told after each call.
        executor: has answers graded, see `banditroute.sweeping`.

    Raises:
        InputError: the table cannot be written, or the record of earlier calls does not go with the plan.
        ConfigError: a key is missing; or a limit of dollars is set and nothing bounds what a model's answers cost.
    """
    check_out(out)
    with Journal(journal_of(out), fingerprints_of(plan), retry_failed=settings.retry_failed) as journal:
        if announce is not None:
            announce(_estimate(plan, journal.kept))
        ran = await run_bench(plan, journal, settings, environ=environ, progress=progress, executor=executor)
        return _finished(plan, ran, journal.kept, out, keep_prompts=settings.keep_prompts)


def _finished(plan: BenchPlan, ran: Ran, before: Kept, out: Path, *, keep_prompts: bool) -> BenchResult:
    figures = figures_of(plan, ran.calls, Weighing.learned(plan.graders, plan.judges, ran.calls.values()))
    result = summarize(plan, ran, figures)
    table = outcome_table(plan, figures, keep_prompts=keep_prompts)
    notes = list(result.notes)
    if table is None:
        notes.append("no answer has a quality, so there is no table")
    else:
        save_table(table, out)
    if before.lost:
        most = f"up to {dollars(before.lost_usd)} of what is spent is theirs"
        notes.append(f"{before.lost} calls were under way when an earlier run was cut off; {most}")
    return replace(result, notes=tuple(notes))


def _estimate(plan: BenchPlan, kept: Kept) -> CostEstimate:
    return estimate_cost(plan, kept.calls, kept.spent_usd + kept.lost_usd)
