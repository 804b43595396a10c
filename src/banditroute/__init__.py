"""banditroute: routes each LLM call to the model worth its money.

The public names load on first use (PEP 562), so importing the package costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from banditroute._version import __version__

if TYPE_CHECKING:
    from banditroute.errors import BanditrouteError as BanditrouteError
    from banditroute.errors import InputError as InputError
    from banditroute.errors import NoEligibleModelError as NoEligibleModelError
    from banditroute.learning.policy import PolicySettings as PolicySettings
    from banditroute.records import Context as Context
    from banditroute.records import Decision as Decision
    from banditroute.records import Demand as Demand
    from banditroute.records import Usage as Usage
    from banditroute.routing.catalog import Capabilities as Capabilities
    from banditroute.routing.catalog import Catalog as Catalog
    from banditroute.routing.catalog import Model as Model
    from banditroute.routing.catalog import Price as Price
    from banditroute.routing.decider import Decider as Decider
    from banditroute.simulation.loading import load_table as load_table
    from banditroute.simulation.results import SimulationResult as SimulationResult
    from banditroute.simulation.run import simulate as simulate
    from banditroute.simulation.saving import save_table as save_table
    from banditroute.simulation.table import OutcomeTable as OutcomeTable

_HOME = {
    "BanditrouteError": "errors",
    "Capabilities": "routing.catalog",
    "Catalog": "routing.catalog",
    "Context": "records",
    "Decider": "routing.decider",
    "Decision": "records",
    "Demand": "records",
    "InputError": "errors",
    "Model": "routing.catalog",
    "NoEligibleModelError": "errors",
    "OutcomeTable": "simulation.table",
    "PolicySettings": "learning.policy",
    "Price": "routing.catalog",
    "SimulationResult": "simulation.results",
    "Usage": "records",
    "load_table": "simulation.loading",
    "save_table": "simulation.saving",
    "simulate": "simulation.run",
}

__all__ = [
    "BanditrouteError",
    "Capabilities",
    "Catalog",
    "Context",
    "Decider",
    "Decision",
    "Demand",
    "InputError",
    "Model",
    "NoEligibleModelError",
    "OutcomeTable",
    "PolicySettings",
    "Price",
    "SimulationResult",
    "Usage",
    "__version__",
    "load_table",
    "save_table",
    "simulate",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
