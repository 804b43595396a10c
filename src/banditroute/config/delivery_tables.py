"""The tables that say how calls are delivered; defaults are those of `delivery.settings`."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from banditroute.config.secrets import looks_like_a_key
from banditroute.config.table import Table
from banditroute.delivery.settings import Breaking, Hedging, Retrying, Timeouts, Transport
from banditroute.errors import ConfigError

_TIMEOUTS, _TRANSPORT = Timeouts(), Transport()
_RETRYING, _BREAKING, _HEDGING = Retrying(), Breaking(), Hedging()


class TimeoutsTable(Table):
    """Time limits of one attempt."""

    connect_s: float = Field(
        default=_TIMEOUTS.connect_s, gt=0, description="seconds to a connection, name and TLS included"
    )
    whole_s: float = Field(
        default=_TIMEOUTS.whole_s, gt=0, description="seconds from dispatch to the end of a reply that is not a stream"
    )
    first_token_s: float = Field(
        default=_TIMEOUTS.first_token_s, gt=0, description="seconds from dispatch to the first content of a stream"
    )
    between_chunks_s: float = Field(
        default=_TIMEOUTS.between_chunks_s,
        gt=0,
        description="seconds between two pieces of a stream's content; pings do not count",
    )
    total_s: float = Field(default=_TIMEOUTS.total_s, gt=0, description="seconds from dispatch to the end, of either")

    def over(self, base: Timeouts) -> Timeouts:
        """The base with what this table names instead."""
        return replace(base, **self.given())


class TransportTable(Table):
    """The way to a provider."""

    max_concurrent: int = Field(
        default=_TRANSPORT.max_concurrent, ge=1, description="most calls in flight to one provider"
    )
    max_concurrent_per_key: int | None = Field(
        default=None, ge=1, description="most calls in flight with one key; left out: as max_concurrent", examples=[64]
    )
    keep_alive_s: float = Field(
        default=_TRANSPORT.keep_alive_s, ge=0, description="seconds that an idle connection is kept"
    )
    proxy_url: str | None = Field(
        default=None, description="an HTTP proxy to go through; left out: none", examples=["http://proxy.example:3128"]
    )
    tls_verify: bool = Field(default=_TRANSPORT.tls_verify, description="check the provider's certificate")
    tls_ca_file: str | None = Field(
        default=None,
        description="PEM file of authorities, from this file's folder; left out: the system's",
        examples=["ca.pem"],
    )
    longest_wait_s: float = Field(
        default=_TRANSPORT.longest_wait_s,
        ge=0,
        description="seconds to wait for a key's rate limit before another model serves",
    )

    @field_validator("proxy_url")
    @classmethod
    def _check_proxy(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url, "http://host:port")

    def over(self, base: Transport) -> Transport:
        """The base with what this table names instead."""
        return replace(base, **self.given())


class RetryTable(Table):
    """When and how often to ask again."""

    same_model: int = Field(
        default=_RETRYING.same_model, ge=0, description="retries of one model before another is tried"
    )
    rounds: int = Field(
        default=_RETRYING.rounds, ge=0, description="how often all models are tried again when every one has failed"
    )
    base_s: float = Field(
        default=_RETRYING.base_s,
        gt=0,
        description="the first wait is drawn between 0 and so many seconds, then doubling",
    )
    cap_s: float = Field(default=_RETRYING.cap_s, gt=0, description="the longest such wait, in seconds")
    longest_retry_after_s: float = Field(
        default=_RETRYING.longest_retry_after_s, ge=0, description="a Retry-After of more seconds is not waited for"
    )
    budget_ratio: float = Field(
        default=_RETRYING.budget_ratio, ge=0, description="retries allowed per request, on average"
    )
    budget_floor: int = Field(
        default=_RETRYING.budget_floor, ge=0, description="retries allowed whatever that average is"
    )

    @model_validator(mode="after")
    def _check_waits(self) -> RetryTable:
        if self.cap_s < self.base_s:
            raise ConfigError(f"{self.cap_s:g} is less than base_s", remedy="raise it, or lower base_s", field="cap_s")
        return self

    def value(self) -> Retrying:
        """The settings."""
        return Retrying(**self.model_dump())


class BreakerTable(Table):
    """When a model's circuit opens."""

    consecutive: int = Field(default=_BREAKING.consecutive, ge=1, description="failures in a row that open it")
    rate: float = Field(default=_BREAKING.rate, gt=0, le=1, description="share of failures in the window that opens it")
    window: int = Field(default=_BREAKING.window, ge=1, description="attempts that this share is taken over")
    open_s: float = Field(
        default=_BREAKING.open_s, gt=0, description="seconds that it stays open; doubles with each failed probe"
    )
    most_open_s: float = Field(default=_BREAKING.most_open_s, gt=0, description="most seconds that it stays open")
    knock_s: float = Field(
        default=_BREAKING.knock_s,
        ge=0,
        description="seconds between two looks, which cost nothing, whether a provider that stopped answering is back; "
        "0 = none: requests find out",
    )

    @model_validator(mode="after")
    def _check_times(self) -> BreakerTable:
        if self.most_open_s < self.open_s:
            problem = f"{self.most_open_s:g} is less than open_s"
            raise ConfigError(problem, remedy="raise it, or lower open_s", field="most_open_s")
        return self

    def value(self) -> Breaking:
        """The settings."""
        return Breaking(**self.model_dump())


class HedgeTable(Table):
    """When a second call is made beside a slow first one."""

    share: float = Field(
        default=_HEDGING.share, ge=0, le=0.05, description="most of the traffic that may be hedged; 0 = never"
    )
    quantile: float = Field(
        default=_HEDGING.quantile,
        gt=0,
        lt=1,
        description="the share of recent calls that were faster than the wait before it",
    )
    least_calls: int = Field(
        default=_HEDGING.least_calls, ge=1, description="calls of a model to be known before it is hedged"
    )

    def value(self) -> Hedging:
        """The settings."""
        return Hedging(**self.model_dump())


def checked_url(url: str, example: str) -> str:
    """An absolute http(s) URL without a secret in it.

    Raises:
        ConfigError: it is none; a URL with a password is not shown.
    """
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        raise ConfigError("not a URL", remedy=f"write it as {example}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError("a URL with a user or password in it (not shown)", remedy=f"write it as {example}")
    if parts.query or parts.fragment:  # a key may stand there
        raise ConfigError("a URL with a query or fragment (not shown)", remedy=f"write it as {example}")
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_fits or not plain:
        shown = "a text (not shown)" if looks_like_a_key(url) else repr(url)
        raise ConfigError(f"{shown} is not a URL of http or https", remedy=f"write it as {example}")
    return url
