"""LiteLLM's Router, its deployments chosen by banditroute: a routing strategy that decides, and a callback that learns.

LiteLLM goes on to make the calls, with its retries, fallbacks and cooldowns; each of its attempts is a decision here.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any, Protocol, cast

try:
    from litellm.integrations.custom_logger import CustomLogger
    from litellm.types.router import CustomRoutingStrategyBase
except ImportError as error:
    raise ImportError("banditroute.adapters.litellm needs LiteLLM; run: pip install 'litellm>=1.110'") from error

from banditroute.adapters.litellm_reading import (
    Asked,
    Deployment,
    asked_of,
    decision_id_of,
    marked,
    name_of,
    seconds_of,
    usage_of,
)
from banditroute.errors import ConfigError
from banditroute.records import Decision, Usage
from banditroute.routing.catalog import Catalog

_MOST_UNDER_WAY = 10_000  # decisions whose outcome is awaited; of older ones nothing came, and nothing will


class Decides(Protocol):
    """What is asked of a router; both `Router` and `SyncRouter` are one."""

    @property
    def catalog(self) -> Catalog:
        """Its models."""
        ...

    def decide(self, messages: Any, **asked: Any) -> Decision:
        """Which model to call."""
        ...

    def record(
        self, decision: Decision, *, usage: Usage | None, latency_s: float, ttft_s: float | None, ok: bool
    ) -> None:
        """Takes in what came of it."""
        ...


class LiteLLMRouter(Protocol):
    """What is asked of `litellm.Router`."""

    async def select(self, model: str, request_kwargs: Any, *, kind: Any, **more: Any) -> Any:
        """The deployments of a group that are not cooling down, or the one that the caller asked for."""
        ...

    def register_plugin(self, plugin: Any) -> Any:
        """Has a strategy pick every deployment from now on."""
        ...


class Strategy(CustomRoutingStrategyBase, CustomLogger):
    """Picks deployments of `litellm.Router` by banditroute's decisions, and records what came of them.

    A deployment stands for the model of the catalog that its `model_info` names as `banditroute`, or else for that of
    its id, or else for that of its `litellm_params.model`, with the provider before the slash or without. Of several
    for one model any serves. A group without such deployments, and requests that are no chats, LiteLLM's healthy
    deployments serve in turn by chance.

    Args:
        router: decides; open, and used from one event loop if it is not a `SyncRouter`.
        lite: whose deployments are picked.
        seed: of the draw among deployments of one model.
    """

    def __init__(self, router: Decides, lite: LiteLLMRouter, *, seed: int | None = None) -> None:
        super().__init__()
        self._router = router
        self._lite = lite
        self._chance = random.Random(seed)
        self._under_way: OrderedDict[str, Decision] = OrderedDict()
        self.name = f"banditroute-{token_hex(8)}"  # LiteLLM takes callbacks of one class for one unless this differs

    async def async_get_available_deployment(  # pyright: ignore[reportIncompatibleMethodOverride] # it returns one
        self,
        model: str,
        messages: Any = None,
        input: Any = None,  # noqa: A002 - LiteLLM's own name
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
    ) -> Deployment:
        """The deployment that serves an attempt.

        Raises:
            NoEligibleModelError, BudgetExceededError: as `Router.decide` does.
        """
        kwargs: dict[str, Any] = {} if request_kwargs is None else request_kwargs
        given = {"messages": messages, "input": input, "specific_deployment": specific_deployment}
        healthy = await self._lite.select(model, kwargs, kind="healthy", **given)
        if isinstance(healthy, Mapping):
            return cast("Deployment", healthy)
        return self._picked(cast("Sequence[Deployment]", healthy), asked_of(messages, kwargs))

    def get_available_deployment(self, *_: Any, **__: Any) -> Any:
        """Nothing: LiteLLM says which deployments are healthy only to those who await it.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("banditroute picks for `await router.acompletion(...)`, not for `completion`")

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Takes in an attempt that was answered."""
        from_cache = bool(kwargs.get("cache_hit"))
        self._ended(kwargs, usage_of(response_obj), start_time, end_time, ok=not from_cache)

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:  # noqa: ARG002
        """Takes in an attempt that failed."""
        self._ended(kwargs, None, start_time, end_time, ok=False)

    def _picked(self, healthy: Sequence[Deployment], asked: Asked | None) -> Deployment:
        known: dict[str, list[Deployment]] = {}
        for deployment in healthy:
            name = name_of(deployment, self._router.catalog)
            if name is not None:
                known.setdefault(name, []).append(deployment)
        if asked is None or not known:
            return self._chance.choice(healthy)
        decision = self._router.decide(asked.messages, allowed=tuple(known), **asked.terms, **asked.params)
        self._under_way[decision.decision_id] = decision
        if len(self._under_way) > _MOST_UNDER_WAY:
            self._under_way.popitem(last=False)
        return marked(self._chance.choice(known[decision.chosen]), decision.decision_id)

    def _ended(
        self, kwargs: Mapping[str, Any], usage: Usage | None, began: datetime, ended: datetime, *, ok: bool
    ) -> None:
        """Records an attempt; one that somebody else picked for is none of ours."""
        decision = self._under_way.pop(decision_id_of(kwargs), None)
        if decision is not None:
            latency_s, ttft_s = seconds_of(kwargs, began, ended)
            self._router.record(decision, usage=usage, latency_s=latency_s, ttft_s=ttft_s, ok=ok)


def attach(lite: LiteLLMRouter, router: Decides, *, seed: int | None = None) -> Strategy:
    """The strategy, at work: it picks every deployment of a `litellm.Router` from now on and hears how calls end.

    Args:
        lite: a `litellm.Router`.
        router: an open `Router` of the same event loop, or an open `SyncRouter`.
        seed: of the draw among deployments of one model.

    Raises:
        ConfigError: it is no router of a LiteLLM of 1.110 or later.
    """
    import litellm

    if not (hasattr(lite, "select") and hasattr(lite, "register_plugin")):
        raise ConfigError("this LiteLLM has no Router.select", remedy="upgrade: pip install 'litellm>=1.110'")
    strategy = Strategy(router, lite, seed=seed)
    lite.register_plugin(strategy)
    litellm.logging_callback_manager.add_litellm_callback(strategy)
    return strategy


def detach(strategy: Strategy) -> None:
    """Has the strategy hear of no more calls; to have others picked by, set LiteLLM's `routing_strategy`."""
    import litellm

    litellm.logging_callback_manager.remove_callback_from_all_lists(strategy)
