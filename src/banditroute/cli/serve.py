"""`banditroute serve`: the router behind HTTP."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="At which port; 0 = any free one.")] = 8080,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="How many processes serve.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print where it listens as JSON.")] = False,
) -> None:
    """Serve the router over HTTP, to any OpenAI client.

    SIGTERM ends it once requests in work are finished; SIGHUP has it reload the configuration. Others than this machine
    are served where the configuration asks for keys only.
    """
    from banditroute.cli.serving import run  # numpy and aiohttp, which --help can do without

    run(config, host, port, workers, json=json)
