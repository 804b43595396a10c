"""The work of `banditroute tune`: reads a table, a log or a store, tunes, writes the report, prints."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from banditroute.cli import tuning_json, tuning_view
from banditroute.cli.arguments import Classes, Features
from banditroute.cli.chart_files import write_export
from banditroute.cli.progress import progress_bar
from banditroute.cli.sources import is_log, is_router, stored_log
from banditroute.errors import InputError
from banditroute.evaluation.loading import LoadedLog, load_log
from banditroute.evaluation.results import SetAside
from banditroute.reports import format as form
from banditroute.simulation.loading import load_table
from banditroute.sweeping.executor import Executor
from banditroute.tuning.from_table import Replay, tune_table
from banditroute.tuning.questions import Questions
from banditroute.tuning.results import Tuning


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        source: an outcome table, a decision log, or a router.toml, which stands for the log in its store.
        questions: what is wanted of it.
        warmup: a table that is streamed first and not scored.
        seeds: stream orders.
        features: where features come from.
        classes: where task classes come from.
        executor: who does the work.
        keep: file of finished budgets.
        log_policy: of a log, only rows that this policy logged; None = all.
        leave_out: of a log, go on without rows that cannot be evidence.
    """

    source: Path
    questions: Questions
    warmup: Path | None
    seeds: range
    features: Features
    classes: Classes
    executor: Executor
    keep: Path | None
    log_policy: str | None
    leave_out: bool


def run(asked: Asked, *, json: bool, report: Path | None, export: Path | None = None) -> None:
    """Tunes, writes report and charts if wanted, and prints.

    Raises:
        InputError: the table, the log or an option cannot be used.
        StoreError: the store cannot be read.
        MissingExtraError: the table or the report needs what is not installed.
    """
    found = answer(asked)
    if report is not None:
        from banditroute.reports.tuning import write_tuning_report  # matplotlib, for who wants a page

        write_tuning_report(found, report)
    if json:
        tuning_json.print_tuning(found)
    else:
        tuning_view.print_tuning(found, report)
    if export is not None:
        from banditroute.reports.tuning import tuning_report

        write_export(tuning_report(found), export, quiet=json)


def answer(asked: Asked) -> Tuning:
    """What was found; a progress bar shows on a terminal meanwhile."""
    if is_router(asked.source):
        loaded, _ = stored_log(asked.source, policy=asked.log_policy, leave_out=asked.leave_out)
        return _of_log(asked, loaded)
    if is_log(asked.source):
        return _of_log(asked, load_log(asked.source, policy=asked.log_policy, leave_out=asked.leave_out))
    return _of_table(asked)


def _of_log(asked: Asked, loaded: LoadedLog) -> Tuning:
    _refuse(((asked.warmup, "--warmup"), (asked.keep, "--keep")), "a decision log is not replayed")

    from banditroute.tuning.from_log import tune_log

    with progress_bar("tuning") as progress:
        found = tune_log(loaded.log, asked.questions, progress=progress, executor=asked.executor)
    return replace(found, notes=(*_left_out(loaded.set_aside), *found.notes))


def _left_out(set_aside: Sequence[SetAside]) -> Iterator[str]:
    for each in set_aside:
        where = "" if each.first_line is None else f" (first on line {each.first_line})"
        yield f"{form.plural(each.rows, 'row')} left out: {each.reason}{where}."


def _of_table(asked: Asked) -> Tuning:
    _refuse(
        ((asked.log_policy, "--log-policy"), (asked.leave_out or None, "--leave-out")),
        "an outcome table was not logged",
    )
    _check_keep(asked.keep)
    table = load_table(asked.source)
    warmup = None if asked.warmup is None else load_table(asked.warmup)
    try:
        with progress_bar("tuning") as progress:
            replay = Replay(
                asked.seeds,
                asked.features.value,
                asked.classes.value,
                keep=asked.keep,
                progress=progress,
                executor=asked.executor,
            )
            return tune_table(table, asked.questions, warmup=warmup, replay=replay)
    except KeyboardInterrupt:
        if asked.keep is not None:
            sys.stderr.write(f"interrupted; finished budgets are kept in {asked.keep}: run it again to go on\n")
        raise


def _refuse(given: Sequence[tuple[object, str]], problem: str) -> None:
    """Raises InputError for an option that says nothing here."""
    for value, option in given:
        if value is not None:
            raise InputError(problem, remedy="leave the option out", field=option)


def _check_keep(keep: Path | None) -> None:
    """Raises InputError unless finished budgets can be kept: better now than after the first of them."""
    if keep is None:
        return
    if not keep.parent.is_dir():
        raise InputError(f"there is no directory {keep.parent}", remedy="make it first", field="--keep")
    if not os.access(keep if keep.exists() else keep.parent, os.W_OK):
        raise InputError(f"{keep} cannot be written", remedy="choose another place", field="--keep")
