"""The work of `banditroute prices diff` and `prices show`: prices held against a list, and nothing changed."""

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from banditroute.cli.catalog_toml import model_tables
from banditroute.cli.json_output import write_json
from banditroute.cli.price_list import Compared, PriceList, built_in_list, list_in
from banditroute.cli.tables import add_figures, add_names, plain_console, titled_table
from banditroute.config import load_config
from banditroute.errors import InputError, meant
from banditroute.reports.format import percent_change
from banditroute.routing.pricelist import Change


def run(file: Path | None, config: Path, *, json: bool) -> None:
    """Shows what is different.

    Raises:
        ConfigError, PriceError: one of the files cannot be read.
        typer.Exit: with 1, where a price is different.
    """
    plan = load_config(config)
    prices = built_in_list() if file is None else list_in(file)
    compared = tuple(prices.compared(plan))
    if json:
        _print_json(compared, prices, config)
    else:
        _print(compared, prices, config)
    if any(each.changes for each in compared):
        raise typer.Exit(1)


def show(pattern: str) -> None:
    """Prints the built-in rows of models of that name, as tables of router.toml.

    Raises:
        InputError: there is none.
    """
    prices = built_in_list()
    names = [model.name for model in prices.models.values()]
    found = [model for model in prices.models.values() if _is_meant(pattern, model.name, model.upstream)]
    if not found:
        problem = f"{prices.title} has no model {pattern!r}"
        raise InputError(problem, remedy=f"{meant(pattern, names)}patterns such as 'gpt-*' work too", field="NAME")
    typer.echo(f"# From {prices.title}, dollars per million tokens.\n{model_tables(found)}", nl=False)


def _is_meant(pattern: str, *names: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _print(compared: Sequence[Compared], prices: PriceList, config: Path) -> None:
    console = plain_console()
    different = [each for each in compared if each.changes]
    if different:
        _print_changes(different, console)
    for each in compared:
        if each.retires_on is not None:
            console.print(f"{each.model.name}: its provider ends it on {each.retires_on}", soft_wrap=True)
    unlisted = [each.model.name for each in compared if not each.listed]
    if unlisted:
        console.print(f"not listed, left as declared: {', '.join(unlisted)}", soft_wrap=True)
    listed = len(compared) - len(unlisted)
    counted = f"{len(different)} of {listed} listed models differ" if different else f"{listed} listed, none differs"
    console.print(f"{config} against {prices.title}: {counted}", soft_wrap=True)


def _print_changes(different: Sequence[Compared], console: Console) -> None:
    table = titled_table("Dollars per million tokens")
    add_names(table, "model")
    add_names(table, "price")
    add_figures(table, "here", "listed", "change")
    for each in different:
        for change in each.changes:
            figures = f"{change.here_usd_per_mtok:g}", f"{change.listed_usd_per_mtok:g}", _change(change)
            table.add_row(Text(each.model.name), _named(change), *figures)
    console.print(table)
    console.print()


def _named(change: Change) -> str:
    name = change.key.removesuffix("_usd_per_mtok").replace("_", " ")
    return f"{name}, prompts above {change.above_input_tokens:,}" if change.above_input_tokens else name


def _change(change: Change) -> str:
    return "free here" if math.isinf(change.share) else percent_change(change.share)


def _print_json(compared: Sequence[Compared], prices: PriceList, config: Path) -> None:
    document = {
        "config": str(config),
        "list": prices.title,
        "as_of": prices.as_of,
        "models": [_entry(each) for each in compared],
        "differ": sum(bool(each.changes) for each in compared),
    }
    write_json(document)


def _entry(compared: Compared) -> dict[str, object]:
    changes = [
        {**change._asdict(), "change": None if math.isinf(change.share) else change.share}
        for change in compared.changes
    ]
    model = compared.model.name
    return {"model": model, "listed": compared.listed, "retires_on": compared.retires_on, "changes": changes}
