"""`banditroute config`: what router.toml says, and how one comes to be."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check a router.toml, or make one of a LiteLLM configuration.", no_args_is_help=True)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A router.toml.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Say what every value means, with units, and what is wrong or doubtful.

    Exit 0 where the file can be used, warnings or not; 2 where it cannot, with one line for each reason.
    """
    from banditroute.cli.config_check import run  # numpy, pydantic and rich, which --help can do without

    run(file, json=json)


@app.command("import-litellm")
def import_litellm(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A LiteLLM proxy's config.yaml.")],
    out: Annotated[
        Path | None, typer.Option(metavar="router.toml", help="Write it there instead of standard output.")
    ] = None,
) -> None:
    """Turn a LiteLLM model_list into a router.toml.

    Keys are taken over by the name of their variable, never as they stand. What has no counterpart is named on
    standard error.
    """
    from banditroute.cli.litellm_import import run

    run(file, out=out)
