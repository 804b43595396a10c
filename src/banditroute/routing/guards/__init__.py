"""Guard rails: rules that keep live decisions from what an operator does not want."""

from banditroute.routing.guards.baseline import BaselineGuard
from banditroute.routing.guards.exploring import ExplorationCap
from banditroute.routing.guards.found import BestKnown
from banditroute.routing.guards.making import guards_of
from banditroute.routing.guards.settings import GuardSettings
from banditroute.routing.guards.switchboard import Switch, Switchboard, SwitchName

__all__ = [
    "BaselineGuard",
    "BestKnown",
    "ExplorationCap",
    "GuardSettings",
    "Switch",
    "SwitchName",
    "Switchboard",
    "guards_of",
]
