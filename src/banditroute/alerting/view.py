"""What of a router is looked at, as of one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from banditroute.routing.accounts import Account
from banditroute.routing.pacers import CapOutlook


@dataclass(frozen=True, slots=True)
class View:
    """What a look sees.

    Attributes:
        accounts: where every cap stands.
        outlooks: what paced caps expect of the rest of their windows.
        providers: for each model, its provider.
        down: the models that cannot be called now, each with its reason.
    """

    accounts: tuple[Account, ...] = ()
    outlooks: tuple[CapOutlook, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict[str, str])
    down: Mapping[str, str] = field(default_factory=dict[str, str])
