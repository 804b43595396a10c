"""What there is to route to: services whose keys the environment holds."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from banditroute.cli.services import SERVICES, Service
from banditroute.config.known_models import known_models
from banditroute.routing.catalog import Model


class Found(NamedTuple):
    """A provider to route to.

    Attributes:
        name: what the new configuration calls it.
        kind: its protocol.
        base_url: where it is; None = where its kind's own service is.
        key_variable: the environment variable of its key; None = no key is sent.
        models: what is to be called there, from cheap to dear.
        how: how it was found, in a few words.
        left_out: models that it has besides.
    """

    name: str
    kind: str
    base_url: str | None
    key_variable: str | None
    models: tuple[Model, ...]
    how: str
    left_out: int = 0


def services_found(environ: Mapping[str, str], named: Collection[str] = ()) -> Iterator[Found]:
    """The services with a key, or those that are named, key or not; with their first models of the built-in list."""
    for service in SERVICES:
        variable = service.key_variable(environ)
        if service.name in named or (not named and variable is not None):
            yield _found(service, variable)


def _found(service: Service, variable: str | None) -> Found:
    models = _first_models(service)
    how = f"{variable} is set" if variable else f"{service.variables[0]} is not set yet"
    return Found(service.name, service.kind, service.base_url, variable or service.variables[0], models, how)


def _first_models(service: Service) -> tuple[Model, ...]:
    known = known_models()
    return tuple(known.models[name] for name in known.first.get(service.listed_as, ()))
