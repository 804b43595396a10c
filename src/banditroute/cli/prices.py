"""`banditroute prices`: public price lists as tables of models."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Import public price lists, and hold prices against them.", no_args_is_help=True)


@app.command("import")
def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="litellm's price map, as .json or as .jsonl, plain or .gz.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="catalog.toml", help="Write the models there, ready for router.toml.")
    ] = None,
    provider: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this provider's models; repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only models of such names; repeatable.")
    ] = None,
    free: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Models of such names are free where the list says 0; repeatable."),
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier list, to hold the prices against.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Report models retired by then, YYYY-MM-DD. [default: today]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Check a price list and turn its rows into [[models]] tables.

    Every row becomes a model, or a finding says why not: unknown prices, 0 that may not mean free, prices per thousand
    tokens among prices per token, and more.
    """
    from banditroute.cli.price_import import Request, run  # rich and numpy, which --help can do without

    request = Request(
        providers=tuple(provider or ()),
        models=tuple(model or ()),
        free=tuple(free or ()),
        earlier=earlier,
        as_of=as_of,
    )
    run(file, request, out=out, json=json)


@app.command()
def diff(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A newer list, as for `import`. [default: the built-in one]")
    ] = None,
    config: Annotated[Path, typer.Option(metavar="FILE", help="The router's configuration.")] = Path("router.toml"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show where the prices in router.toml differ from a list's; change nothing.

    Exits with 1 where one differs, so that a scheduled job can tell.
    """
    from banditroute.cli.price_diff import run  # rich and numpy, which --help can do without

    run(file, config, json=json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model of the built-in list, or a pattern.")],
) -> None:
    """Print what the built-in list says of a model, as a [[models]] table."""
    from banditroute.cli.price_diff import show as shown

    shown(name)
