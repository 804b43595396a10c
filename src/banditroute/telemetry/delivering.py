"""The metrics of what is under way, and of who can be called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from banditroute.delivery.breaker import State
from banditroute.works import Works

from .families import Readings, gauge, only

REQUESTS = gauge("banditroute_requests_in_flight", "Requests that are decided and not settled.")
CALLS = gauge("banditroute_calls_in_flight", "Calls under way, streams being read included.", "provider")
WAITING = gauge("banditroute_calls_waiting", "Calls that wait for a connection or a key.", "provider")
BREAKER = gauge(
    "banditroute_breaker_state", "1 for the state that a model's circuit is in, 0 for the others.", "model", "state"
)
CALLABLE = gauge("banditroute_model_callable", "1 where a model can be called now.", "model")
AVAILABILITY = gauge(
    "banditroute_model_availability_ratio", "Share of a model's calls that were answered, lately.", "model"
)

FAMILIES = (REQUESTS, CALLS, WAITING, BREAKER, CALLABLE, AVAILABILITY)

_STATES: tuple[State, ...] = get_args(State)


def readings(works: Sequence[Works], now: float) -> Iterator[Readings]:
    """How delivery stands; the last of the works are in force, those before still finish what they have."""
    yield only(REQUESTS, sum(len(each.serving.under_way) for each in works))
    yield from _calls(works)
    health = works[-1].availability.health(now)
    yield Readings(BREAKER, [((each.model, state), float(each.state == state)) for each in health for state in _STATES])
    yield Readings(CALLABLE, [((each.model,), float(not each.refusal)) for each in health])
    yield Readings(AVAILABILITY, [((each.model,), each.availability) for each in health])


def _calls(works: Sequence[Works]) -> Iterator[Readings]:
    """By provider; an endpoint that two works share is counted once."""
    wires = {endpoint.wire: (name, endpoint) for each in works for name, endpoint in each.endpoints.items()}
    calls, waiting = Counter[str](), Counter[str]()
    for name, endpoint in wires.values():
        calls[name] += endpoint.in_flight
        waiting[name] += endpoint.waiting
    yield Readings(CALLS, [((name,), n) for name, n in calls.items()])
    yield Readings(WAITING, [((name,), n) for name, n in waiting.items()])
