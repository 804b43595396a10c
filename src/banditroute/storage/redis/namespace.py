"""The keys of one store among those of a server. All share one hash tag, so that one shard of a cluster has them."""

from __future__ import annotations

import re

from banditroute.errors import ConfigError

LAYOUT = 1
"""The version of what the keys hold."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Namespace:
    """Names the keys of one store.

    Args:
        name: which of the stores on the server.

    Raises:
        ConfigError: it is no name.
    """

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            remedy = "use 1 to 64 letters, digits, dots, dashes and underscores"
            raise ConfigError(f"{name!r} is no name for a namespace", remedy=remedy, field="store.namespace")
        self.name = name
        self._tag = f"{{banditroute:{name}}}"

    def key(self, part: str) -> str:
        """The key of one part of the store."""
        return f"{self._tag}:{part}"
