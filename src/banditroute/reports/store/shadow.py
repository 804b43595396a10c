"""What the shadow of a router would have done beside the newest decisions."""

from collections.abc import Iterable
from dataclasses import dataclass

from banditroute.config import RouterConfig
from banditroute.evaluation.beside import beside_of
from banditroute.evaluation.shadow import ShadowComparison, compared
from banditroute.routing.tasks import is_chosen_on
from banditroute.storage.protocol import Trail


@dataclass(frozen=True, slots=True)
class ShadowView:
    """The shadow of a configuration.

    Attributes:
        name: what decisions call it.
        share: of the requests, that it decides on.
        policy: the file whose settings decide; None = the configuration's own.
        looked_at: how many of the newest decisions it could have been asked about.
        comparison: what it would have done on those that it decided on; None = it decided on none.
    """

    name: str
    share: float
    policy: str | None
    looked_at: int
    comparison: ShadowComparison | None


def shadow_of(plan: RouterConfig, trails: Iterable[Trail]) -> ShadowView | None:
    """The shadow held against some decisions, newest first; None where the configuration has none."""
    settings = plan.shadow
    if settings is None:
        return None
    decisions = [trail.decision for trail in trails if is_chosen_on(trail.decision.context.task)]
    besides = [found for each in decisions if (found := beside_of(each)) and found.shadow == settings.name]
    policy = None if settings.path is None else str(settings.path)
    return ShadowView(settings.name, settings.share, policy, len(decisions), compared(besides[::-1]))
