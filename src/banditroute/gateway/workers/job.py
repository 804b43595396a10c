"""What a worker is started to do, as it is told on its command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """What one worker is to do.

    Attributes:
        config: the path of a router.toml.
        host: where the supervisor listens, as it was asked for; url: the same as a URL.
        number: which worker it is, from 1; count: of how many.
        folder: of the gateway, for what the workers share; nobody else may look into it.
        again: it takes the place of one that ended.
    """

    config: str
    host: str
    url: str
    number: int
    count: int
    folder: str
    again: bool = False

    def told(self, channel: int) -> str:
        """The one argument that says it all.

        Args:
            channel: the file descriptor that the worker inherits.
        """
        return json.dumps({"channel": channel, **asdict(self)})


def job_of(told: str) -> tuple[Job, int]:
    """The job, and the file descriptor of the channel."""
    fields = json.loads(told)
    channel = fields.pop("channel")
    return Job(**fields), channel
