"""Serving until the process is told to end."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
import typer

from banditroute.gateway.entrance import Place


def run(config: Path, host: str, port: int, workers: int, *, json: bool) -> None:
    """Serves; says where once it listens."""

    def listening(url: str, pids: Sequence[int] = ()) -> None:
        if json:
            line = {"url": url, "pid": os.getpid()} | ({"workers": list(pids)} if pids else {})
            sys.stdout.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE).decode())
        else:
            by = f" with {len(pids)} workers" if pids else ""
            typer.echo(f"serving at {url}{by} (OpenAI clients: base_url={url}/v1)")
            typer.echo(f"dashboard at {url}/dashboard")
        sys.stdout.flush()

    place = Place(host, port)
    if workers > 1:
        # Its process serves nobody, so it needs no numpy and no aiohttp.
        from banditroute.gateway.workers.supervisor import supervise

        asyncio.run(supervise(config, place, workers, listening))
    else:
        from banditroute.cli import event_loop
        from banditroute.cli.staying import made_to_stay

        with made_to_stay():
            from banditroute.gateway.serve import serve

        event_loop.run(serve(config, place, listening))
