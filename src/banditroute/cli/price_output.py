"""What became of a price list, as tables for people and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.cli.catalog_toml import model_table
from banditroute.cli.json_output import write_json
from banditroute.routing.pricelist import Finding, PriceImport, Severity

_MOST_OF_A_CHECK = 10


def print_json(result: PriceImport, file: Path) -> None:
    """Prints one JSON document: every finding, counted and one by one, and every model as its table in router.toml."""
    document = {
        "file": str(file),
        "rows": result.rows,
        "imported": len(result.models),
        "counts": [
            {"severity": severity, "check": check, "findings": count}
            for (severity, check), count in _ordered_counts(result)
        ],
        "findings": [asdict(finding) for finding in result.findings],
        "models": [model_table(model) for model in result.models],
    }
    write_json(document)


def print_import(result: PriceImport, file: Path, written: Path | None) -> None:
    """Prints the findings check by check, the gravest first, with their numbers, and what was imported."""
    console = Console(markup=False, highlight=False, emoji=False)
    for (severity, check), _ in _ordered_counts(result):
        findings = [each for each in result.findings if (each.severity, each.check) == (severity, check)]
        _print_check(console, f"{severity}: {check}, {len(findings):,}", findings)
    where = f", written to {written}" if written else ""
    console.print(f"{file}: {len(result.models):,} of {result.rows:,} rows became models{where}", soft_wrap=True)


def _ordered_counts(result: PriceImport) -> Sequence[tuple[tuple[Severity, str], int]]:
    gravity = list(Severity).index
    return sorted(result.counts().items(), key=lambda item: (gravity(item[0][0]), item[0][1]))


def _print_check(console: Console, title: str, findings: Sequence[Finding]) -> None:
    """Prints one check's first findings; a problem that all of them share stands in the title alone."""
    problems = {each.problem for each in findings}
    shared = problems.pop() if len(problems) == 1 else ""
    console.print(Text(f"{title}: {shared}" if shared else title, style="bold"))
    console.print(_findings_table(findings[:_MOST_OF_A_CHECK], with_problems=not shared))
    if len(findings) > _MOST_OF_A_CHECK:
        console.print(f"... and {len(findings) - _MOST_OF_A_CHECK:,} more: --json lists them all")
    console.print()


def _findings_table(findings: Sequence[Finding], *, with_problems: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("model", overflow="fold", header_style="dim")
    table.add_column("key", no_wrap=True, header_style="dim")
    table.add_column("value", justify="right", no_wrap=True, header_style="dim")
    if with_problems:
        table.add_column("problem", overflow="fold", header_style="dim")
    for each in findings:
        problem = [each.problem] if with_problems else []
        table.add_row(*map(Text, (each.model, each.key, _value(each), *problem)))
    return table


def _value(finding: Finding) -> str:
    if finding.value is None:
        return "-"
    return finding.value if isinstance(finding.value, str) else f"{finding.value:.10g}"
