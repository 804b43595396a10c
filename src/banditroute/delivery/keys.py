"""The keys of one provider: which may be used now, which must wait, which are out of use. No clock, no network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from banditroute.errors import ConfigError
from banditroute.providers.ratelimits import RateLimits

_FIRST_BLOCK_S = 0.5
_LONGEST_BLOCK_S = 30.0
_MOST_DOUBLINGS = 6
_TOKENS_WEIGHT = 0.1
_ANY = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a provider.

    Attributes:
        label: what reports call it; says nothing of the secret.
        secret: what is sent; None = no key is sent.
    """

    label: str
    secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # A line break, as a file's last line leaves one, would end the header that carries the key.
        if self.secret is not None and not (self.secret.isprintable() and self.secret.strip() == self.secret != ""):
            raise ConfigError(
                f"key {self.label!r} is empty, or has blanks or line breaks around or in it",
                remedy="set the variable it is read from to the bare key",
            )


class KeyRing:
    """The keys of one provider and what is known of each.

    Providers count requests and tokens for each model by itself, so a 429 of one model must not keep the key's other
    models waiting: rates are kept by key and model, loads and trips by key. An empty `model` stands for all of them.
    """

    def __init__(self, keys: Iterable[tuple[str, str | None]] = (), *, most_in_flight: int | None = None) -> None:
        """A ring of (label, secret) pairs; of none, it holds one key that sends nothing.

        Args:
            keys: labels must differ.
            most_in_flight: most calls in flight with one key; None = no limit.

        Raises:
            ConfigError: two keys share a label, or a secret cannot be sent.
        """
        held = [_Held(Key(label, secret)) for label, secret in keys] or [_Held(Key("none"))]
        self._held = {each.key.label: each for each in held}
        self._most = math.inf if most_in_flight is None else most_in_flight
        self._turn = 0
        if len(self._held) < len(held):
            raise ConfigError("two keys of one provider share a label", remedy="name each key once")

    def __len__(self) -> int:
        return len(self._held)

    @property
    def in_flight(self) -> int:
        """Calls that hold a key now."""
        return sum(held.in_flight for held in self._held.values())

    @property
    def out_of_use(self) -> Mapping[str, str]:
        """The keys that are out of use for good, with the reason for each."""
        return {label: held.tripped for label, held in self._held.items() if held.tripped}

    def pick(self, now: float, model: str = _ANY, *, but: frozenset[str] = frozenset()) -> Key | None:
        """The usable key with the fewest calls in flight, in turn among equals; None where none may be used now.

        Args:
            now: seconds since the epoch.
            model: what is asked, by its upstream name.
            but: labels of keys that are not wanted.
        """
        usable = [
            held
            for held in self._held.values()
            if held.in_flight < self._most and held.key.label not in but and held.usable_at(model, loaded=True) <= now
        ]
        if not usable:
            return None
        self._turn += 1
        least = min(held.in_flight for held in usable)
        idle = [held for held in usable if held.in_flight == least]
        return idle[self._turn % len(idle)].key

    def take(self, label: str, model: str = _ANY) -> None:
        """Counts a call that begins."""
        held = self._held[label]
        held.in_flight += 1
        held.rate(model).in_flight += 1

    def give_back(self, label: str, model: str = _ANY) -> None:
        """Counts a call that has ended, well or not."""
        held = self._held[label]
        held.in_flight -= 1
        held.rate(model).in_flight -= 1

    def usable_at(
        self, now: float, model: str = _ANY, *, but: frozenset[str] = frozenset(), loaded: bool = False
    ) -> float:
        """The instant from which some key may be used: 0.0 = now, math.inf = never.

        Without a model it is the first instant at which any of the models asked so far may be asked.

        Args:
            now: seconds since the epoch.
            model: what is asked, by its upstream name.
            but: labels of keys that are not wanted.
            loaded: whether the calls in flight are taken to use up what is left of the rate limits.
        """
        wanted = (held for held in self._held.values() if held.key.label not in but)
        at = min((held.usable_at(model, loaded=loaded) for held in wanted), default=math.inf)
        return 0.0 if at <= now else at

    def blocked(self, label: str, until: float | None, now: float, model: str = _ANY) -> float | None:
        """Keeps a key waiting after a 429; returns until when, or None where it was waiting already.

        Of several instants told, the latest holds. Where none is told, each wait is twice as long as the one before it,
        until a call succeeds.
        """
        rate = self._held[label].rate(model)
        waiting = now < rate.blocked_until
        if until is None:
            if waiting:  # the failure of a call that was under way before the wait began
                return None
            until = now + min(_FIRST_BLOCK_S * 2.0**rate.blocks, _LONGEST_BLOCK_S)
            rate.blocks = min(rate.blocks + 1, _MOST_DOUBLINGS)
        rate.blocked_until = max(rate.blocked_until, until)
        return None if waiting else rate.blocked_until

    def tripped(self, label: str, reason: str) -> bool:
        """Takes a key out of use for good; returns whether it was in use."""
        held = self._held[label]
        first = not held.tripped
        if first:
            held.tripped = reason or "refused"
        return first

    def pardoned(self) -> tuple[Key, ...]:
        """Puts keys that are out of use for good back in use; returns which."""
        out = [held for held in self._held.values() if held.tripped]
        for held in out:
            held.tripped = ""
        return tuple(held.key for held in out)

    def seen(self, label: str, limits: RateLimits | None, now: float, model: str = _ANY) -> bool:
        """Takes note of a reply that is no failure and of what is left of the key; returns whether a wait ends by it.

        The replies of calls that were under way when a wait began do not end it.
        """
        rate = self._held[label].rate(model)
        if limits is not None:
            rate.requests = _Left(limits.remaining_requests, limits.reset_requests_at, now)
            rate.tokens = _Left(limits.remaining_tokens, limits.reset_tokens_at, now)
        if not 0.0 < rate.blocked_until <= now:
            return False
        rate.blocked_until = 0.0
        rate.blocks = 0
        return True

    def used(self, label: str, tokens: int, model: str = _ANY) -> None:
        """Learns how many tokens one call takes, so that what is left of a limit can be held against the load."""
        rate = self._held[label].rates.get(model)
        if rate is not None:
            rate.tokens_per_call += _TOKENS_WEIGHT * (tokens - rate.tokens_per_call)


class _Left:
    """What is left of one limit until it is whole again."""

    __slots__ = ("amount", "until")

    def __init__(self, amount: int | None, until: float | None, now: float) -> None:
        # A limit that does not say when it is whole again is no reason to wait: the next 429 will tell.
        known = amount is not None and until is not None and until > now
        self.amount = amount if known and amount is not None else math.inf
        self.until = until if known and until is not None else -math.inf


class _Rate:
    """What is known of one key's rate limits for one model."""

    __slots__ = ("blocked_until", "blocks", "in_flight", "requests", "tokens", "tokens_per_call")

    def __init__(self) -> None:
        self.in_flight = 0
        self.blocked_until = 0.0
        self.blocks = 0
        self.requests = self.tokens = _UNLIMITED
        self.tokens_per_call = 0.0

    def usable_at(self, load: int) -> float:
        at = self.blocked_until
        if self.requests.amount <= load:
            at = max(at, self.requests.until)
        if self.tokens.amount <= load * self.tokens_per_call:
            at = max(at, self.tokens.until)
        return at


class _Held:
    """One key with its state."""

    __slots__ = ("in_flight", "key", "rates", "tripped")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.in_flight = 0
        self.tripped = ""
        self.rates: dict[str, _Rate] = {}

    def rate(self, model: str) -> _Rate:
        rate = self.rates.get(model)
        if rate is None:
            rate = self.rates[model] = _Rate()
        return rate

    def usable_at(self, model: str, *, loaded: bool) -> float:
        if self.tripped:
            return math.inf
        if model == _ANY:
            return min((rate.usable_at(rate.in_flight if loaded else 0) for rate in self.rates.values()), default=0.0)
        rate = self.rates.get(model)
        return 0.0 if rate is None else rate.usable_at(rate.in_flight if loaded else 0)


_UNLIMITED = _Left(None, None, 0.0)
