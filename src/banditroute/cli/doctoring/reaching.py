"""Whether providers can be reached, take their keys, have the models, and agree on the time."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from banditroute.cli.doctoring.lines import Line, State
from banditroute.config import ProviderConfig, RouterConfig, missing_keys
from banditroute.delivery.model_lists import ModelList, Server, ask_models
from banditroute.errors import BrokenReplyError, ConfigError, ProviderError, Remedy

WITHIN_S = 5.0
_MOST_APART_S = 5.0
_TOO_FAR_APART_S = 300.0


class Reached(NamedTuple):
    """What came of asking a provider, with one of its keys, for its models."""

    provider: ProviderConfig
    variable: str
    came: ModelList | ProviderError | ConfigError


async def reach(config: RouterConfig, environ: Mapping[str, str]) -> list[Reached]:
    """Every provider asked once with each key that can be sent, all at once; costs nothing."""
    missing = {key.variable for key in missing_keys(config, environ)}
    asked = [(provider, variable) for provider in config.providers for variable in provider.api_key_env or ("",)]
    sendable = [(provider, variable) for provider, variable in asked if variable not in missing]
    return await asyncio.gather(*(_ask(provider, variable, environ) for provider, variable in sendable))


async def _ask(provider: ProviderConfig, variable: str, environ: Mapping[str, str]) -> Reached:
    server = Server(provider.kind, provider.base_url, provider.options, provider.transport)
    key = environ[variable] if variable else None
    try:
        came = await ask_models(server, key, WITHIN_S, time.time)
    except (ProviderError, ConfigError) as error:
        return Reached(provider, variable, error)
    return Reached(provider, variable, came)


def provider_lines(config: RouterConfig, reached: Sequence[Reached]) -> Iterator[Line]:
    """One line for each provider and key."""
    for each in reached:
        if isinstance(each.came, ModelList):
            yield _answered(config, each.provider.name, each.came)
        elif isinstance(each.came, ConfigError):
            yield Line(State.wrong, "providers", f"{each.provider.name}: {each.came}")
        else:
            yield _failed(each.provider, each.variable, each.came)


def _failed(provider: ProviderConfig, variable: str, error: ProviderError) -> Line:
    """Who says no is there, and may yet serve what it does not list."""
    name, status = provider.name, error.status or 0
    if error.needs_mending:
        told = f"{name} refuses {f'the key in {variable}' if variable else 'who shows no key'}: {error}"
        return Line(State.wrong, "providers", told, "mend the key or its account, or name its variable in api_key_env")
    if error.remedy is Remedy.LATER:
        return Line(State.look, "providers", f"{name} is there, and busy: {error}", "see its rate limits")
    if isinstance(error, BrokenReplyError) or 400 <= status < 500:
        told = f"{name} answers, but lists no models: {error}"
        return Line(State.look, "providers", told, f"see that base_url is right: {provider.base_url}")
    told = f"{name} at {provider.base_url}: {error}"
    return Line(State.wrong, "providers", told, "start it, or mend base_url, the network or the proxy")


def _answered(config: RouterConfig, name: str, came: ModelList) -> Line:
    wanted = [model.upstream for model in config.catalog if model.provider == name]
    listed = {model.name for model in came.models}
    absent = [upstream for upstream in wanted if upstream not in listed]
    told = f"{name} answers in {came.latency_s:.2f} s"
    if absent and came.models:
        remedy = "mend upstream, or load the model; some providers serve more than they list"
        return Line(State.look, "providers", f"{told}, but does not list {', '.join(absent)}", remedy)
    return Line(State.ok, "providers", f"{told}, has {'its model' if len(wanted) == 1 else 'all of its models'}")


def clock_lines(reached: Sequence[Reached]) -> Iterator[Line]:
    """Whether this machine's clock agrees with the nearest of the providers'."""
    told = [
        (each.came.ahead_s, each.provider.name)
        for each in reached
        if isinstance(each.came, ModelList) and each.came.ahead_s is not None
    ]
    if not told:
        yield Line(State.ok, "clock", "no provider tells the time")
        return
    ahead_s, name = min(told, key=lambda each: abs(each[0]))
    if abs(ahead_s) <= _MOST_APART_S:
        yield Line(State.ok, "clock", f"agrees with that of {name}")
        return
    state = State.wrong if abs(ahead_s) > _TOO_FAR_APART_S else State.look
    apart = f"{abs(ahead_s):,.0f} s {'behind' if ahead_s > 0 else 'ahead of'} that of {name}"
    yield Line(state, "clock", apart, "set the time (NTP): caps end and waits are counted by it")
