"""A configuration in words and tables that fit 80 columns."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.cli.config_words import (
    Words,
    answer_limits,
    budget_words,
    delivery_words,
    grading_words,
    key_words,
    routing_words,
    shadow_words,
    store_words,
    takes,
)
from banditroute.cli.tables import plain_console
from banditroute.config import RouterConfig
from banditroute.config.findings import TYPICAL_INPUT_TOKENS, TYPICAL_OUTPUT_TOKENS, Finding, typical_usd
from banditroute.reports.format import money_column

_TYPICAL = f"{TYPICAL_INPUT_TOKENS} tokens in, {TYPICAL_OUTPUT_TOKENS} out"


def print_config(config: RouterConfig, findings: Sequence[Finding], environ: Mapping[str, str]) -> None:
    """Prints what every part of the configuration means, then what is doubtful."""
    console = plain_console()
    for title, *tables in (
        ("Providers", _providers(config, environ)),
        (
            f"Models: dollars per million tokens, a typical request has {_TYPICAL}",
            _prices(config),
            _capabilities(config),
        ),
        ("Budgets", _words(budget_words(config) or [("none", "nothing bounds what is spent")])),
        ("Store", _words(store_words(config.store))),
        ("Routing", _words(routing_words(config.routing))),
        ("Quality", _words(grading_words(config) or [("nobody", "grades: quality comes from feedback alone")])),
        *((("Shadow", _words(shadow)),) if (shadow := shadow_words(config)) else ()),
        ("Delivery", _words(delivery_words(config))),
    ):
        console.print(Text(title, style="bold"))
        for table in tables:
            console.print(table)
            console.print()
    _print_environment(console, config)
    _print_findings(console, findings)
    console.print(_summary(config, findings), soft_wrap=True)


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)


def _providers(config: RouterConfig, environ: Mapping[str, str]) -> Table:
    table = _table()
    for heading in ("provider", "kind", "base URL", "keys"):
        table.add_column(heading, overflow="fold", header_style="dim")
    for each, keys in zip(config.providers, key_words(config, environ), strict=True):
        table.add_row(*map(Text, (each.name, each.kind, each.base_url, keys)))
    return table


def _prices(config: RouterConfig) -> Table:
    table = _table()
    for heading in ("model", "provider", "upstream"):
        table.add_column(heading, overflow="fold", header_style="dim")
    for heading in ("$ in", "$ out", "$/typical request"):
        table.add_column(heading, justify="right", no_wrap=True, header_style="dim")
    models = config.catalog.models
    rates = [money_column([getattr(model.price, key) for model in models]) for key in _RATES]
    typical = money_column([typical_usd(model) for model in models])
    for model, *figures in zip(models, *rates, typical, strict=True):
        table.add_row(*map(Text, (model.name, model.provider, model.upstream, *figures)))
    return table


_RATES = ("input_usd_per_mtok", "output_usd_per_mtok")


def _capabilities(config: RouterConfig) -> Table:
    table = _table()
    table.add_column("model", overflow="fold", header_style="dim")
    for heading in ("window, tokens", "answer, tokens"):
        table.add_column(heading, justify="right", no_wrap=True, header_style="dim")
    table.add_column("takes", overflow="fold", header_style="dim")
    for model in config.catalog:
        table.add_row(*map(Text, (model.name, *answer_limits(model), takes(model))))
    return table


def _words(rows: Words) -> Table:
    table = _table()
    table.show_header = False
    table.add_column(overflow="fold", style="dim")
    table.add_column(overflow="fold")
    for name, words in rows:
        table.add_row(Text(name), Text(words))
    return table


def _print_environment(console: Console, config: RouterConfig) -> None:
    """Prints one line a variable, whole: they are to be found again by their names."""
    for each in config.from_environment:
        console.print(f"{each.key}: from {each.variable}", soft_wrap=True)
    if config.from_environment:
        console.print()


def _print_findings(console: Console, findings: Sequence[Finding]) -> None:
    for each in findings:
        console.print(f"warning: {each.place}: {each.problem}; {each.remedy}", soft_wrap=True)
    if findings:
        console.print()


def _summary(config: RouterConfig, findings: Sequence[Finding]) -> str:
    warnings = "no warnings" if not findings else "1 warning" if len(findings) == 1 else f"{len(findings)} warnings"
    return f"{config.path}: can be used, {warnings}"
