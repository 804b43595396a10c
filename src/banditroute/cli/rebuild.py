"""`banditroute rebuild`: what the log amounts to, computed anew and compared with what is kept."""

from pathlib import Path
from typing import Annotated

import typer

from banditroute.errors import InputError


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where log and state differ.")] = False,
    reencode: Annotated[
        bool, typer.Option("--reencode", help="First encode kept prompts with the configured encoder.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Compute beliefs and spending anew from the log.

    Puts them in the place of what is kept where they differ. Stop the router first: while it has the store open,
    nothing is changed. --check may run beside it. After a change of encoder, --reencode brings decisions over whose
    prompts were kept; the others teach the new encoder nothing.
    """
    from banditroute.cli.rebuilding import bring_over, run  # numpy and pydantic, which --help can do without

    if reencode and check:
        raise InputError("--check changes nothing, and --reencode does", remedy="leave one of them out")
    if reencode:
        bring_over(config, json=json)
    elif not run(config, check=check, json=json):
        raise typer.Exit(1)
