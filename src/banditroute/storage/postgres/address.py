"""Where a store in PostgreSQL is, without what nobody is to see."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from banditroute.errors import ConfigError

_NAMESPACE = re.compile(r"[a-z0-9_]{1,40}")
_SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is.

    Attributes:
        url: of the database; may hold a password, so it is never shown.
        namespace: which of the stores in it.

    Raises:
        ConfigError: the URL or the namespace is none.
    """

    url: str = field(repr=False)
    namespace: str = "default"

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in _SCHEMES:
            remedy = "write postgresql://USER@HOST:PORT/DATABASE"
            raise ConfigError("it is no URL of a PostgreSQL database", remedy=remedy, field="store.url")
        if not _NAMESPACE.fullmatch(self.namespace):
            problem = f"{self.namespace!r} cannot be the name of a schema"
            raise ConfigError(problem, remedy="use a-z, 0-9 and _, at most 40", field="store.namespace")

    def __str__(self) -> str:
        """The address without user, password and options, and the namespace."""
        parts = urlsplit(self.url)
        server = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", ()))
        return f"postgresql://{server}{parts.path}#{self.namespace}"

    @property
    def schema(self) -> str:
        """The schema that holds the tables."""
        return f"banditroute_{self.namespace}"

    def sql(self, text: str) -> str:
        """A statement about the tables of this schema, which it names as {schema}."""
        return text.replace("{schema}", self.schema)
