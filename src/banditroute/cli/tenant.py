"""`banditroute tenant`: everything that is on record of one tenant, to be handed over or deleted."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Export or delete everything of one tenant.", no_args_is_help=True)

Config = Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The tenant.")]


@app.command("export")
def export(
    config: Config,
    name: Name,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl[.gz]", help="Write it there instead of standard output.")
    ] = None,
) -> None:
    """Write everything on record of a tenant, one JSON object a line.

    A line for each decision, with its outcome, charges, judgements and, if they are kept, messages; and one for each
    key of the gateway, without its hash. Works beside a running router; changes nothing.
    """
    from banditroute.cli.tenant_data import hand_over  # numpy and pydantic, which --help can do without

    hand_over(config, name, out)


@app.command("delete")
def delete(
    config: Config,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Delete a tenant's decisions, outcomes, judgements, prompts and keys, and what they taught.

    What it spent stays in the sums of budgets that others share, so that caps hold; budgets of its own start anew.
    Works beside a running router; exit 1 where some of its requests are on their way: run it again then.
    """
    from banditroute.cli.tenant_data import forget

    if not forget(config, name, yes=yes, json=json):
        raise typer.Exit(1)
