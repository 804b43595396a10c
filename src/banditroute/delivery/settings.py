"""How to deliver: time limits, connections, retries, breakers, hedges. Values, with defaults that work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits of one attempt, in seconds.

    Attributes:
        connect_s: to a connection, name resolution and TLS included.
        whole_s: from dispatch to the end of a reply that is not a stream, of which nothing shows before it is whole.
        first_token_s: from dispatch to the first content of a stream.
        between_chunks_s: between two pieces of content of a stream; pings and comments do not count as pieces.
        total_s: from dispatch to the end, of either.
    """

    connect_s: float = 5.0
    whole_s: float = 300.0
    first_token_s: float = 60.0
    between_chunks_s: float = 30.0
    total_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Transport:
    """The way to one provider.

    Attributes:
        max_concurrent: most calls in flight to it.
        max_concurrent_per_key: most calls in flight with one key; None = as max_concurrent.
        keep_alive_s: how long an idle connection is kept.
        proxy_url: an HTTP proxy to go through.
        tls_verify: whether its certificate is checked.
        tls_ca_file: a PEM file of authorities to check it against instead of the system's.
        longest_wait_s: longest wait for a key whose rate limit is used up; beyond it its models count as cooling.
    """

    max_concurrent: int = 256
    max_concurrent_per_key: int | None = None
    keep_alive_s: float = 60.0
    proxy_url: str | None = None
    tls_verify: bool = True
    tls_ca_file: str | None = None
    longest_wait_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Retrying:
    """When and how often to ask again.

    Attributes:
        same_model: retries of one model before another is tried, for failures that may pass at once.
        rounds: how often all models that may yet answer are tried again when every one has failed.
        base_s: the first wait is drawn evenly between 0 and this (full jitter; Brooker, 2015), then doubling.
        cap_s: the longest such wait.
        longest_retry_after_s: a longer Retry-After than this is not waited for.
        budget_ratio: retries allowed per request, as a running share.
        budget_floor: retries allowed whatever the share, so that light traffic may retry at all.
    """

    same_model: int = 1
    rounds: int = 2
    base_s: float = 0.5
    cap_s: float = 8.0
    longest_retry_after_s: float = 120.0
    budget_ratio: float = 0.2
    budget_floor: int = 10


@dataclass(frozen=True, slots=True)
class Breaking:
    """When a model's circuit opens.

    Attributes:
        consecutive: failures in a row that open it.
        rate: share of failures among the last `window` attempts that opens it, once that many were made.
        window: how many attempts the share is taken over.
        open_s: how long it stays open the first time; doubles with each failed probe.
        most_open_s: the longest it stays open.
        knock_s: how often a provider that stopped answering is asked, for nothing, whether it is back, and how long it
            may take to say so; 0 = never: a request has to find out.
    """

    consecutive: int = 5
    rate: float = 0.5
    window: int = 20
    open_s: float = 5.0
    most_open_s: float = 60.0
    knock_s: float = 2.0

    @property
    def knock_every_s(self) -> float:
        """The time from one such question to the next: no longer than the wait for a first probe without them."""
        return min(self.knock_s, self.open_s)


@dataclass(frozen=True, slots=True)
class Hedging:
    """When a second call is made beside a slow first one.

    Attributes:
        share: most of the traffic that may be hedged; 0 = never.
        quantile: the share of a model's recent calls that were faster than the wait before a second is made.
        least_calls: calls of a model that must be known before it is hedged.
    """

    share: float = 0.0
    quantile: float = 0.95
    least_calls: int = 50
