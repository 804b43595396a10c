"""Whom a model's calls go to, in the words of OpenTelemetry's conventions."""

from __future__ import annotations

from urllib.parse import urlsplit

from banditroute.config import RouterConfig
from banditroute.routing.tasks import EMBEDDINGS

from . import conventions as named

Attributes = dict[str, str | int | float | bool]

_PORTS = {"http": 80, "https": 443}


class Callees:
    """The models of a configuration, as traces describe them.

    Args:
        config: the configuration.
    """

    def __init__(self, config: RouterConfig) -> None:
        servers = {
            each.name: {
                named.PROVIDER: named.PROVIDERS.get(each.kind, each.kind),
                **_server(each.base_url),
            }
            for each in config.providers
        }
        self._models = {
            model.name: servers[model.provider] | {named.REQUEST_MODEL: model.upstream} for model in config.catalog
        }

    def of(self, model: str, task: str) -> Attributes:
        """The attributes of a call of a model; one that the configuration has not is named as it is."""
        known = self._models.get(model, {named.PROVIDER: "unknown", named.REQUEST_MODEL: model})
        return {named.OPERATION: "embeddings" if task == EMBEDDINGS else "chat", **known}


def _server(base_url: str) -> Attributes:
    url = urlsplit(base_url)
    return {named.ADDRESS: url.hostname or "", named.PORT: url.port or _PORTS.get(url.scheme, 443)}
