"""banditroute: routes each LLM call to the model worth its money.

The public names load on first use (PEP 562), so importing the package costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from banditroute._version import __version__

if TYPE_CHECKING:
    from banditroute.assemble import open_router as open_router
    from banditroute.changes import Changes as Changes
    from banditroute.config import RouterConfig as RouterConfig
    from banditroute.config import load_config as load_config
    from banditroute.desk import Terms as Terms
    from banditroute.errors import BanditrouteError as BanditrouteError
    from banditroute.errors import BrokenStreamError as BrokenStreamError
    from banditroute.errors import BudgetExceededError as BudgetExceededError
    from banditroute.errors import ConfigError as ConfigError
    from banditroute.errors import CoolingDownError as CoolingDownError
    from banditroute.errors import DeadlineError as DeadlineError
    from banditroute.errors import InputError as InputError
    from banditroute.errors import InvalidRequestError as InvalidRequestError
    from banditroute.errors import LeaseExceededError as LeaseExceededError
    from banditroute.errors import NoEligibleModelError as NoEligibleModelError
    from banditroute.errors import NotServedError as NotServedError
    from banditroute.errors import ProviderError as ProviderError
    from banditroute.errors import RejectedError as RejectedError
    from banditroute.errors import RequestError as RequestError
    from banditroute.errors import StoreError as StoreError
    from banditroute.errors import UnansweredError as UnansweredError
    from banditroute.errors import UnknownDecisionError as UnknownDecisionError
    from banditroute.learning.policy import PolicySettings as PolicySettings
    from banditroute.observe import Drifted as Drifted
    from banditroute.observe import Observer as Observer
    from banditroute.observe import PeersChanged as PeersChanged
    from banditroute.observe import Reloaded as Reloaded
    from banditroute.observe import RolloutChanged as RolloutChanged
    from banditroute.observe import StoreCrowded as StoreCrowded
    from banditroute.records import Alarm as Alarm
    from banditroute.records import Answer as Answer
    from banditroute.records import ChatRequest as ChatRequest
    from banditroute.records import Context as Context
    from banditroute.records import Decision as Decision
    from banditroute.records import Delta as Delta
    from banditroute.records import Demand as Demand
    from banditroute.records import Feedback as Feedback
    from banditroute.records import Outcome as Outcome
    from banditroute.records import Usage as Usage
    from banditroute.reloading import reload_on_sighup as reload_on_sighup
    from banditroute.router import Router as Router
    from banditroute.routing.budgets import Cap as Cap
    from banditroute.routing.budgets import PacedBudget as PacedBudget
    from banditroute.routing.budgets import Scope as Scope
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
    from banditroute.storage.protocol import Trail as Trail
    from banditroute.sync import SyncRouter as SyncRouter

_HOME = {
    "Alarm": "records",
    "Answer": "records",
    "BanditrouteError": "errors",
    "BrokenStreamError": "errors",
    "BudgetExceededError": "errors",
    "Cap": "routing.budgets",
    "Capabilities": "routing.catalog",
    "Catalog": "routing.catalog",
    "Changes": "changes",
    "ChatRequest": "records",
    "ConfigError": "errors",
    "Context": "records",
    "CoolingDownError": "errors",
    "DeadlineError": "errors",
    "Decider": "routing.decider",
    "Decision": "records",
    "Delta": "records",
    "Demand": "records",
    "Drifted": "observe",
    "Feedback": "records",
    "InputError": "errors",
    "InvalidRequestError": "errors",
    "LeaseExceededError": "errors",
    "Model": "routing.catalog",
    "NoEligibleModelError": "errors",
    "NotServedError": "errors",
    "Observer": "observe",
    "Outcome": "records",
    "OutcomeTable": "simulation.table",
    "PacedBudget": "routing.budgets",
    "PeersChanged": "observe",
    "PolicySettings": "learning.policy",
    "Price": "routing.catalog",
    "ProviderError": "errors",
    "RejectedError": "errors",
    "Reloaded": "observe",
    "RequestError": "errors",
    "RolloutChanged": "observe",
    "Router": "router",
    "RouterConfig": "config",
    "Scope": "routing.budgets",
    "SimulationResult": "simulation.results",
    "StoreCrowded": "observe",
    "StoreError": "errors",
    "SyncRouter": "sync",
    "Terms": "desk",
    "Trail": "storage.protocol",
    "UnansweredError": "errors",
    "UnknownDecisionError": "errors",
    "Usage": "records",
    "load_config": "config",
    "load_table": "simulation.loading",
    "open_router": "assemble",
    "reload_on_sighup": "reloading",
    "save_table": "simulation.saving",
    "simulate": "simulation.run",
}

__all__ = [
    "Alarm",
    "Answer",
    "BanditrouteError",
    "BrokenStreamError",
    "BudgetExceededError",
    "Cap",
    "Capabilities",
    "Catalog",
    "Changes",
    "ChatRequest",
    "ConfigError",
    "Context",
    "CoolingDownError",
    "DeadlineError",
    "Decider",
    "Decision",
    "Delta",
    "Demand",
    "Drifted",
    "Feedback",
    "InputError",
    "InvalidRequestError",
    "LeaseExceededError",
    "Model",
    "NoEligibleModelError",
    "NotServedError",
    "Observer",
    "Outcome",
    "OutcomeTable",
    "PacedBudget",
    "PeersChanged",
    "PolicySettings",
    "Price",
    "ProviderError",
    "RejectedError",
    "Reloaded",
    "RequestError",
    "RolloutChanged",
    "Router",
    "RouterConfig",
    "Scope",
    "SimulationResult",
    "StoreCrowded",
    "StoreError",
    "SyncRouter",
    "Terms",
    "Trail",
    "UnansweredError",
    "UnknownDecisionError",
    "Usage",
    "__version__",
    "load_config",
    "load_table",
    "open_router",
    "reload_on_sighup",
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
