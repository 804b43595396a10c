"""The work of `banditroute evaluate`: reads a log or a store, evaluates, writes the report, prints."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from banditroute.cli import evaluation_json, evaluation_view
from banditroute.cli.chart_files import write_export
from banditroute.cli.evaluation_targets import Named, named
from banditroute.cli.progress import progress_bar
from banditroute.cli.sources import is_router, stored_log
from banditroute.evaluation.beside import Beside, beside_of_row
from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.loading import LoadedLog, load_log
from banditroute.evaluation.results import Evaluation
from banditroute.evaluation.shadow import ShadowComparison, by_shadow
from banditroute.evaluation.shadow_loading import load_besides
from banditroute.evaluation.shadow_measured import measured


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        log: a decision log, or a router.toml, which stands for its store.
        log_policy: only rows that this policy logged; None = all.
        policies: whom to evaluate, as typed; empty = whomever the log can speak of.
        estimators: their names.
        leave_out: go on without rows that cannot be evidence.
        seed: chance of the bootstrap.
    """

    log: Path
    log_policy: str | None
    policies: tuple[str, ...]
    estimators: tuple[str, ...]
    leave_out: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Source:
    """A log with what shadows expected beside its decisions, by their names."""

    loaded: LoadedLog
    besides: Mapping[str, Sequence[Beside]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: policies by what was drawn, shadows also by what they expected."""

    evaluation: Evaluation
    shadows: tuple[ShadowComparison, ...]


def run(asked: Asked, *, json: bool, report: Path | None, export: Path | None = None) -> None:
    """Evaluates, writes report and charts if wanted, and prints.

    Raises:
        InputError: the log, a policy or an option cannot be used.
        StoreError: the store cannot be read.
        MissingExtraError: the report needs what is not installed.
    """
    found = answer(asked)
    if report is not None:
        from banditroute.reports.evaluation import write_evaluation_report  # matplotlib, for who wants a page

        write_evaluation_report(found.evaluation, report)
    if json:
        evaluation_json.print_evaluation(found.evaluation, found.shadows)
    else:
        evaluation_view.print_evaluation(found.evaluation, found.shadows, report)
    if export is not None:
        from banditroute.reports.evaluation import evaluation_report

        write_export(evaluation_report(found.evaluation), export, quiet=json)


def answer(asked: Asked) -> Answer:
    """What was found; a progress bar shows on a terminal while a router is led over the log."""
    source = _source(asked)
    log = source.loaded.log
    with progress_bar("evaluating") as show:
        policies = named(asked.policies, log, show)
        # Where nothing was left to chance a shadow can still be compared, by what it expected.
        targets = [each.target for each in policies if each.shadow is None or log.drawn.any()]
        set_aside, seed = source.loaded.set_aside, asked.seed
        evaluation = evaluate(log, targets, asked.estimators, set_aside=set_aside, seed=seed)
    notes = (*evaluation.notes, *(note for each in policies for note in each.notes))
    return Answer(replace(evaluation, notes=notes), tuple(_compared(source, policies, asked.seed)))


def _compared(source: Source, policies: Iterable[Named], seed: int) -> Iterator[ShadowComparison]:
    """The shadows that were asked for, held against what was done."""
    for each in policies:
        besides = () if each.shadow is None else source.besides.get(each.shadow, ())
        found = measured(source.loaded.log, besides, seed=seed)
        if found is not None:
            yield found


def _source(asked: Asked) -> Source:
    if is_router(asked.log):
        loaded, rows = stored_log(asked.log, policy=asked.log_policy, leave_out=asked.leave_out)
        ids = frozenset(loaded.log.ids)
        found = (beside_of_row(row) for row in rows if row["decision_id"] in ids)
        return Source(loaded, by_shadow(each for each in found if each is not None))
    loaded = load_log(asked.log, policy=asked.log_policy, leave_out=asked.leave_out)
    log = loaded.log
    return Source(loaded, load_besides(asked.log, frozenset(log.ids)) if log.shadows else {})
