"""`banditroute keys`: who may use the gateway, beside the keys that the environment holds."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Make, list and revoke keys of the gateway.", no_args_is_help=True)

Config = Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command("create")
def create(
    config: Config,
    name: Annotated[str, typer.Option(metavar="NAME", help="What reports call it.")],
    tenant: Annotated[str, typer.Option(metavar="NAME", help="On whose behalf its requests are.")] = "",
    model: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="A model that may answer it; repeatable. None: all.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(metavar="TASK", help="A task class that it may name; repeatable. None: any.")
    ] = None,
    requests_per_minute: Annotated[
        float | None, typer.Option(metavar="N", min=0.001, help="How many requests it may make.")
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="It may read every tenant's decisions.")] = False,
    json: Json = False,
) -> None:
    """Make a key and show it, once: what is kept is a hash.

    A gateway that runs on the same store lets it in within seconds.
    """
    from banditroute.cli.key_store import Bounds, make  # numpy and pydantic, which --help can do without

    bounds = Bounds(tenant, tuple(model or ()), tuple(task or ()), requests_per_minute, admin)
    make(config, name, bounds, json=json)


@app.command("list")
def list_(config: Config, json: Json = False) -> None:
    """List the keys that were made, revoked ones too."""
    from banditroute.cli.key_store import show

    show(config, json=json)


@app.command("revoke")
def revoke(
    config: Config,
    name: Annotated[str, typer.Option(metavar="NAME", help="Which key.")],
    json: Json = False,
) -> None:
    """Refuse a key from now on; a gateway that runs on the same store does within seconds."""
    from banditroute.cli.key_store import take_back

    take_back(config, name, json=json)
