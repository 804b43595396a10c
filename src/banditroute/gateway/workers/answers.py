"""What a worker answers the others, and what it does because one of them was told to."""

from __future__ import annotations

from collections.abc import Mapping

from banditroute.errors import BanditrouteError
from banditroute.gateway.dashboard.controls import DRAIN, RELOAD, Reload
from banditroute.gateway.dashboard.panel import SHARE, Panel
from banditroute.gateway.front import Front
from banditroute.gateway.metrics import METRICS
from banditroute.gateway.workers.siblings import Answer
from banditroute.telemetry import Metrics, exposition

DRAINING = "draining"
"""Asks whether operators have the gateway refuse new requests."""

YES, NO = b"yes", b"no"


def answers_of(metrics: Metrics, worker: str, panel: Panel, front: Front, reload: Reload) -> Mapping[str, Answer]:
    """The answers, by the kind of question.

    Args:
        metrics: its numbers.
        worker: what they are told apart by.
        panel: what it has to show.
        front: is drained.
        reload: puts the configuration in force as it is now.
    """

    async def numbers(_: str) -> bytes:
        return exposition(metrics, worker=worker)[0]

    async def share(span: str) -> bytes:
        return panel.share(span).told()

    async def drain(wanted: str) -> bytes:
        front.draining = front.closing.is_set() or wanted == YES.decode()
        return YES

    async def draining(_: str) -> bytes:
        return YES if front.draining and not front.closing.is_set() else NO

    async def anew(_: str) -> bytes:
        try:
            await reload()
        except BanditrouteError:  # its observer has been told why
            return NO
        return YES

    return {METRICS: numbers, SHARE: share, DRAIN: drain, DRAINING: draining, RELOAD: anew}
