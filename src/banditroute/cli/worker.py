"""`python -m banditroute.cli.worker JOB`: one worker of a gateway, started by its supervisor and by nobody else."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

from banditroute.cli import event_loop
from banditroute.cli.staying import made_to_stay
from banditroute.errors import InputError, MissingExtraError, StoreError
from banditroute.gateway.workers.channel import Channel
from banditroute.gateway.workers.job import Job, job_of

with made_to_stay():
    from banditroute.gateway.serve import attend
    from banditroute.gateway.workers.crew import crew_of


async def work(job: Job, end: socket.socket) -> int:
    """Serves until told to end; the exit code.

    Args:
        job: what to do.
        end: the channel's.
    """
    with Channel(end, job.host, job.url) as channel, crew_of(job) as crew:
        _leave_signals_to(channel)
        try:
            await attend(Path(job.config), channel, channel, lambda _: channel.ready(), crew)
        except (InputError, MissingExtraError, StoreError) as error:
            channel.failed(str(error))
            return 2
    return 0


def _leave_signals_to(channel: Channel) -> None:
    """Has the supervisor follow signals that are sent to a whole group; SIGTERM is for this process: it is replaced."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, channel.leave)
    for number in (signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, _nothing)


def _nothing() -> None:
    """The supervisor follows it."""


if __name__ == "__main__":
    _job, _channel = job_of(sys.argv[1])
    sys.exit(event_loop.run(work(_job, socket.socket(fileno=_channel))))
