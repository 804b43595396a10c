"""Serving until the process is told to end."""

import os
import sys
from pathlib import Path

import orjson
import typer

from banditroute.cli import event_loop
from banditroute.gateway.serve import Place, serve


def run(config: Path, host: str, port: int, *, json: bool) -> None:
    """Serves; says where once it listens."""

    def listening(url: str) -> None:
        if json:
            line = orjson.dumps({"url": url, "pid": os.getpid()}, option=orjson.OPT_APPEND_NEWLINE)
            sys.stdout.write(line.decode())
        else:
            typer.echo(f"serving at {url} (OpenAI clients: base_url={url}/v1)")
            typer.echo(f"dashboard at {url}/dashboard")
        sys.stdout.flush()

    event_loop.run(serve(config, Place(host, port), listening))
