"""`banditroute feedback`: judgements that come in files."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Take in judgements from files.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Judgements: .csv or .jsonl, or either as .gz.")],
    config: Annotated[
        Path | None, typer.Option(metavar="router.toml", help="Into this router's store, beside it or without it.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Or to this gateway, such as http://127.0.0.1:8080.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="Where the gateway's key is, if it asks for one.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who judged, where a row does not say. [default: import]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look everything up and write nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Take in judgements, one a row: how good an answer was, or what a user did with it.

    Columns: decision_id, request_id or session_id; quality from 0 to 1, or signal; and where there are any source, at
    (seconds since the epoch, or a date and time), weight, every (the whole session). The same source counts once for
    each answer, so the same file may be imported again. Ends with 1 where a row could not be taken in.
    """
    from banditroute.cli.feedback_import import Asked, run  # numpy and aiohttp, which --help can do without

    if not run(Asked(file, config, url, key_env, source or "import", dry_run), json=json):
        raise typer.Exit(1)
