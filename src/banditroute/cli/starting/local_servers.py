"""Model servers on this machine: asked at their usual ports, all at once, which models they have."""

import asyncio
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from banditroute.cli.starting.found import Found
from banditroute.config.delivery_tables import checked_url
from banditroute.delivery.model_lists import Server, ask_models
from banditroute.errors import ConfigError, InputError, ProviderError
from banditroute.providers.model_lists import ListedModel
from banditroute.routing.catalog import Capabilities, Model, Price

WITHIN_S = 1.0
MOST_MODELS = 8
_OURS = "banditroute"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_OTHER_PURPOSES = re.compile(r"embed|rerank|whisper|\bbge\b|\btts\b", re.IGNORECASE)


class Usual(NamedTuple):
    """A kind of server, and where it usually listens."""

    name: str
    port: int
    variable: str = ""


USUAL: tuple[Usual, ...] = (
    Usual("ollama", 11434, "OLLAMA_HOST"),  # where its own client looks, too
    Usual("vllm", 8000),
    Usual("llamacpp", 8080),
    Usual("lmstudio", 1234),
    Usual("sglang", 30000),
)


class Address(NamedTuple):
    """A place to look at, and what to call who is there."""

    name: str
    base_url: str


def addresses(environ: Mapping[str, str], named: Collection[str] = (), urls: Sequence[str] = ()) -> list[Address]:
    """Where to look: the usual ports, or of those only the named ones, and addresses that were given.

    Raises:
        InputError: what was given is no address.
    """
    usual = [each for each in USUAL if not named or each.name in named]
    given = [Address("local" if not place else f"local-{place + 1}", _base_url(url)) for place, url in enumerate(urls)]
    return [*(Address(each.name, _usual_url(each, environ)) for each in usual), *given]


async def local_found(places: Sequence[Address], usd_per_mtok: float = 0.0) -> list[Found]:
    """The servers that answer, in that order, each once; every model of theirs costs the same."""
    lists = await asyncio.gather(*(_models(place) for place in places))
    price = Price(usd_per_mtok, usd_per_mtok)
    found: dict[str, Found] = {}
    for place, models in zip(places, lists, strict=True):
        if models:
            found.setdefault(_where(place.base_url), _found(place, models, price))
    return list(found.values())


def is_among(found: Sequence[Found], url: str) -> bool:
    """Whether the server at an address that was given has been found, be it at a usual port."""
    return _where(_base_url(url)) in {_where(each.base_url) for each in found if each.base_url is not None}


async def _models(place: Address) -> tuple[ListedModel, ...]:
    """What chats there; nothing where nobody is, or a gateway of this library."""
    try:
        listed = await ask_models(Server("openai", place.base_url), None, WITHIN_S, time.time)
    except ProviderError:
        return ()
    if any(each.owner == _OURS for each in listed.models):
        return ()
    return tuple(each for each in listed.models if not _OTHER_PURPOSES.search(each.name))


def _found(place: Address, models: Sequence[ListedModel], price: Price) -> Found:
    taken = tuple(_model(place.name, each, price) for each in models[:MOST_MODELS])
    return Found(
        place.name, "openai", place.base_url, None, taken, f"answers at {place.base_url}", len(models) - len(taken)
    )


def _model(provider: str, listed: ListedModel, price: Price) -> Model:
    able = Capabilities(context_window=listed.context_window)
    return Model(f"{provider}/{listed.name}", provider, listed.name, price, able)


def _usual_url(usual: Usual, environ: Mapping[str, str]) -> str:
    told = environ.get(usual.variable, "").strip() if usual.variable else ""
    parts = urlsplit(_absolute(told, usual.variable)) if told else None
    if parts is None or parts.hostname is None:
        return f"http://127.0.0.1:{usual.port}/v1"
    # What a server listens on is not where it is.
    host = "127.0.0.1" if parts.hostname == "0.0.0.0" else parts.hostname
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{parts.port or usual.port}/v1"


def _base_url(url: str) -> str:
    parts = urlsplit(_absolute(url, "--local"))
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"


def _where(base_url: str) -> str:
    """The place of a base URL, the same for each name of this machine."""
    parts = urlsplit(base_url)
    return f"{'' if parts.hostname in _HERE else parts.hostname}:{parts.port}{parts.path}"


def _absolute(url: str, field: str) -> str:
    """The URL that was meant, with its scheme.

    Raises:
        InputError: it is none.
    """
    try:
        return checked_url(url if "//" in url else f"http://{url}", "http://127.0.0.1:8000/v1")
    except ConfigError as error:
        raise InputError(error.problem, remedy=error.remedy, field=field) from None
