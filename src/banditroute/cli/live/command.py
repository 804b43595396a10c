"""The live demo for somebody who waits for it."""

import sys

import orjson
import typer

from banditroute.cli import event_loop
from banditroute.cli.live.run import LiveSettings, run_live
from banditroute.cli.live.summary import kept_in, sentences, to_json
from banditroute.cli.tables import plain_console

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_INTERRUPTED = 130
_NEXT = "Next: banditroute demo --local-model (a real model), banditroute demo --outage (a server fails)."


def live_demo(settings: LiveSettings, *, json: bool) -> None:
    """Runs the demo and prints what it found; raises Exit(130), after that, where the user cut it short."""
    done = event_loop.run(run_live(settings, silent=json))
    if json:
        sys.stdout.write(orjson.dumps(to_json(done.tally, done.config), option=_JSON).decode())
    else:
        console = plain_console()
        console.print()
        for sentence in sentences(done.tally):
            console.print(sentence, soft_wrap=not console.is_terminal)
        console.print(kept_in(done.config), soft_wrap=True)
        console.print(_NEXT)
    if done.interrupted:
        raise typer.Exit(_INTERRUPTED)
