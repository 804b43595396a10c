"""Calls that brought no answer, by what went wrong."""

from banditroute.benching.results import BenchResult
from banditroute.reports import columns
from banditroute.reports.parts import Note, Section, Table
from banditroute.reports.sections.bench.standing import by_cost


def failures_section(result: BenchResult) -> Section:
    """The section: a row per kind of failure, a column per model, cheapest first; a sentence where nothing failed."""
    title, kinds = "What failed", result.failures
    if not kinds:
        return Section("failures", title, "", (Note("Every call was answered."),))
    names = sorted(kinds, key=lambda name: (-kinds[name], name))
    by_model = [
        columns.counts(row.model, row.model, [row.failures.get(name, 0) for name in names]) for row in by_cost(result)
    ]
    table = Table(
        name="failures-table",
        caption="Calls that brought no answer after all retries. They count in no mean of quality or time.",
        columns=(
            columns.words("failure", "What went wrong", names),
            *by_model,
            columns.counts("all", "In all", [kinds[name] for name in names]),
        ),
    )
    return Section("failures", title, "", (table,))
