"""`banditroute db`: whether the store is sound, a copy of it, and bringing an older one up to date."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check, copy and upgrade the store.", no_args_is_help=True)

Config = Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]


@app.command("check")
def check(config: Config, json: Json = False) -> None:
    """Look whether the store is sound; exit 1 where something is not as it should be.

    The version of its tables, the file itself, whether beliefs and spending are what the log says and which of them
    are not, what is on its way, who is at work on it, how large it is and how far back it goes. Works beside a running
    router; changes nothing.
    """
    from banditroute.cli.checking import run  # numpy and pydantic, which --help can do without

    if not run(config, json=json):
        raise typer.Exit(1)


@app.command("backup")
def backup(
    config: Config,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; nothing may be there yet.")],
    json: Json = False,
) -> None:
    """Copy the store as it is now, beside a running router, and read the copy back.

    A store on a server is copied with the server's own tool, which is named then.
    """
    from banditroute.cli.keeping_copies import back_up

    back_up(config, file, json=json)


@app.command("migrate")
def migrate(
    config: Config,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")] = False,
    backup: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to make the copy; left out: beside the store."),
    ] = None,
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Make no copy.")] = False,
    json: Json = False,
) -> None:
    """Bring a store that an earlier version wrote up to date, after making a copy of it.

    A router does so by itself when it starts; this says what is done, and keeps what was. Stop the router first.
    """
    from banditroute.cli.keeping_copies import upgrade

    upgrade(config, backup, dry_run=dry_run, no_backup=no_backup, json=json)
