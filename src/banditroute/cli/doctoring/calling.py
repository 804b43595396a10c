"""One real, tiny call of each provider: the only part that costs money, and only where it is asked for."""

from collections.abc import AsyncIterator
from dataclasses import replace

from banditroute.assemble import open_router
from banditroute.cli.doctoring.lines import Line, State
from banditroute.config import RouterConfig, StoreConfig
from banditroute.config.findings import dollars, typical_usd
from banditroute.errors import RequestError, UnansweredError
from banditroute.router import Router
from banditroute.routing.catalog import Model

_WITHIN_S = 30.0
_MOST_TOKENS = 16


async def call_lines(config: RouterConfig) -> AsyncIterator[Line]:
    """What each provider's cheapest model answers to a word; nothing is kept, learned or counted."""
    bare = replace(
        config, store=StoreConfig(kind="memory"), graders=(), judges=(), shadow=None, budgets=(), promises=()
    )
    async with open_router(bare) as router:
        for provider in config.providers:
            models = [model for model in config.catalog if model.provider == provider.name]
            if models:
                yield await _called(router, min(models, key=typical_usd))


async def _called(router: Router, model: Model) -> Line:
    try:
        answer = await router.chat("Say ok.", model=model.name, timeout_s=_WITHIN_S, max_tokens=_MOST_TOKENS)
    except (UnansweredError, RequestError) as error:
        return Line(State.wrong, "call", f"{model.name}: {error}", "mend what its provider says")
    cost = f"for {dollars(answer.cost_usd)}" if answer.cost_usd else "free of charge"
    return Line(State.ok, "call", f"{model.name} answers in {answer.latency_s:.2f} s, {cost}")
