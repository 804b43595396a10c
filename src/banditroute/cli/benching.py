"""The work of `banditroute bench`: reads, says what it will cost, runs, and shows what it found."""

import sys
from dataclasses import dataclass
from pathlib import Path

from banditroute.benching.bench import bench, journal_of, preview
from banditroute.benching.estimating import CostEstimate
from banditroute.benching.planning import BenchPlan, plan_bench
from banditroute.benching.prompts import read_prompts
from banditroute.benching.results import BenchResult
from banditroute.benching.settings import RunSettings
from banditroute.cli import benching_json, benching_view
from banditroute.cli.benching_progress import spending_bar
from banditroute.cli.chart_files import write_export
from banditroute.cli.event_loop import run as run_loop
from banditroute.config import load_config
from banditroute.errors import InputError
from banditroute.sweeping.executor import Executor


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command was asked for."""

    prompts: Path
    config: Path
    out: Path | None
    models: tuple[str, ...]
    repeats: int
    max_tokens: int | None
    settings: RunSettings
    executor: Executor
    dry_run: bool
    json: bool
    report: Path | None
    export: Path | None


def run(wanted: Wanted) -> None:
    """Runs the benchmark, or says what it would cost.

    Raises:
        InputError: prompts, configuration or options cannot be used.
    """
    plan = plan_bench(
        load_config(wanted.config),
        read_prompts(wanted.prompts),
        models=wanted.models,
        repeats=wanted.repeats,
        max_tokens=wanted.max_tokens,
    )
    if wanted.dry_run:
        _show_estimate(wanted, preview(plan, wanted.out, retry_failed=wanted.settings.retry_failed))
        return
    if wanted.out is None:
        raise InputError("is missing", remedy="name a table to write, such as outcomes.jsonl", field="--out")
    result, estimate = _benched(wanted, plan, wanted.out)
    if wanted.json:
        sys.stdout.write(benching_json.result_text(result, estimate))
    else:
        benching_view.print_result(result, wanted.out)
    if wanted.report is not None:
        _report(result, wanted.report, quiet=wanted.json)
    if wanted.export is not None:
        from banditroute.reports.bench import bench_report

        write_export(bench_report(result), wanted.export, quiet=wanted.json)


def _report(result: BenchResult, path: Path, *, quiet: bool) -> None:
    from banditroute.reports.bench import write_bench_report  # matplotlib, which a run without a report can do without

    write_bench_report(result, path)
    if not quiet:
        sys.stdout.write(f"report: {path}\n")


def _benched(wanted: Wanted, plan: BenchPlan, out: Path) -> tuple[BenchResult, CostEstimate]:
    """What the benchmark found, and what it was expected to cost."""
    estimates: list[CostEstimate] = []

    def announce(estimate: CostEstimate) -> None:
        estimates.append(estimate)
        if not wanted.json:
            benching_view.print_estimate(estimate)

    try:
        with spending_bar("benchmarking", wanted.settings.most_usd) as progress:
            work = bench(plan, out, wanted.settings, announce=announce, progress=progress, executor=wanted.executor)
            return run_loop(work), estimates[0]
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted; what is finished is kept in {journal_of(out)}: run it again to go on\n")
        raise


def _show_estimate(wanted: Wanted, estimate: CostEstimate) -> None:
    if wanted.json:
        sys.stdout.write(benching_json.estimate_text(estimate))
    else:
        benching_view.print_estimate(estimate)
