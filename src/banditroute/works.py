"""What serves requests by one configuration: made whole, swapped whole, and let go once its last request has landed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from banditroute.delivery.availability import Availability
from banditroute.delivery.dispatch import Dispatcher
from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.exchange import Wire
from banditroute.desk import Desk
from banditroute.flight import Tower
from banditroute.routing.shadow import Shadow
from banditroute.serving import Serving


@dataclass(frozen=True, slots=True)
class Works:
    """The parts that depend on the configuration; what outlives it (store, caps, connections) they only use.

    Attributes:
        desk: decides; tower: what its flights need.
        serving: serves what was decided.
        dispatcher: calls models.
        availability: which can be called.
        endpoints: each provider's live end, by its name.
        shadow: decides beside the desk; None = nobody does.
    """

    desk: Desk
    tower: Tower
    serving: Serving
    dispatcher: Dispatcher
    availability: Availability
    endpoints: Mapping[str, Endpoint]
    shadow: Shadow | None = None

    def inherit(self, before: Works, same: Mapping[str, str]) -> None:
        """Goes on from where others stand: beliefs, paces, circuits, and what requests on their way will cost.

        Args:
            before: the others; they go on with the requests that they have.
            same: models that are called as they were there, each with its name there.
        """
        decider = self.tower.decider
        decider.inherit(before.tower.decider)
        if self.shadow is not None:
            self.shadow.inherit(before.shadow, before.tower.decider.beliefs.learned)
        self.availability.inherit(before.availability, same)
        self.dispatcher.inherit(before.dispatcher, same)
        if self.serving.marker is not None and before.serving.marker is not None:
            self.serving.marker.inherit(before.serving.marker)

    def expect(self, others: Iterable[Works]) -> None:
        """Has the paced budgets feel what requests on their way at others are expected to cost."""
        for works in others:
            for flight in works.serving.under_way:
                if flight.expected_usd is not None:
                    flight.expected_usd = self.tower.decider.expect(flight.decision)

    @property
    def wires(self) -> frozenset[Wire]:
        """The ways to its providers; endpoints that are the same but for their protocol share one."""
        return frozenset(endpoint.wire for endpoint in self.endpoints.values())

    async def hang_up(self, used: Collection[Wire] = ()) -> None:
        """Closes its endpoints but those whose wires are used elsewhere."""
        await self.dispatcher.aclose()
        for endpoint in self.endpoints.values():
            if endpoint.wire not in used:
                await endpoint.aclose()
