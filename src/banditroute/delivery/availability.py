"""Which models can be called now: their circuits, and their providers' keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from weakref import WeakSet

from banditroute.errors import KeyRefusedError, ProviderError, QuotaSpentError, RateLimitedError
from banditroute.observe import BreakerChanged, Observer
from banditroute.storage.sharing import OpenCircuit

from .breaker import Breaker, State, counts_against
from .settings import Breaking

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Health:
    """How one model does.

    Attributes:
        model: which.
        state: of its circuit.
        availability: share of its calls that were answered, lately.
        refusal: why it cannot be called now; empty where it can.
    """

    model: str
    state: State
    availability: float
    refusal: str


class Availability:
    """Keeps a circuit for every model, and knows which have no key to be called with.

    Keys are asked after only while there is reason to: from a failure of theirs, or `suspect`, until one may be used.
    All instants are on one clock.

    Args:
        models: for each model, its provider.
        breaking: when circuits open.
        cooling_until: the instant until which no key may call a model, given the model and an instant; one that is past
            where some key may, infinite where nobody knows.
        observer: is told of circuits that change.
    """

    def __init__(
        self,
        models: Mapping[str, str],
        breaking: Breaking,
        cooling_until: Callable[[str, float], float],
        observer: Observer,
    ) -> None:
        self._providers = dict(models)
        self._breaking = breaking
        self._breakers = {model: Breaker(breaking) for model in models}
        self._cooling_until = cooling_until
        self._observer = observer
        self._broken: WeakSet[Breaker] = WeakSet()  # weak: circuits of models that are gone go with them
        self._suspects: dict[str, None] = {}  # in order, unlike a set, so that reasons do not jump about

    def unavailable(self, now: float) -> Mapping[str, str]:
        """The models that cannot be called now, each with its reason; all but free while there is no trouble."""
        if not self._broken and not self._suspects:
            return _NONE
        found: dict[str, str] = {}
        for model in tuple(self._suspects):
            until = self._cooling_until(model, now)
            if until <= now:
                del self._suspects[model]
            else:
                found[model] = self._without_key(model, until - now)
        for model, breaker in self._breakers.items():
            refusal = breaker.refusal(now)
            if refusal is not None:
                found[model] = refusal
        return found

    def inherit(self, before: Availability, same: Mapping[str, str]) -> None:
        """Goes on with the circuits of another one, which calls that began there go on to move.

        Args:
            before: the other one.
            same: models that are called as they were there, each with its name there.
        """
        self._broken = before._broken
        for model, name in same.items():
            self._breakers[model] = breaker = before._breakers[name]
            breaker.follow(self._breaking)
            if name in before._suspects:
                self._suspects[model] = None

    def begin(self, model: str, now: float) -> int:
        """Takes note of a call that is made; a probe's number, which the note of its end has to give, or 0."""
        breaker = self._breakers[model]
        before = breaker.state
        probe = breaker.begin(now)
        self._watch(model, breaker, before)
        return probe

    def succeeded(self, model: str, *, probe: int) -> None:
        """A call was answered."""
        breaker = self._breakers[model]
        before = breaker.state
        breaker.succeeded(probe)
        self._watch(model, breaker, before)

    def failed(self, model: str, error: ProviderError, now: float, *, probe: int) -> None:
        """A call failed, whether or not that speaks against the model."""
        if isinstance(error, RateLimitedError | KeyRefusedError | QuotaSpentError):
            self.suspect(self._providers[model])
        breaker = self._breakers[model]
        if not counts_against(error):
            breaker.abandoned(probe)
            return
        before = breaker.state
        breaker.failed(now, type(error).__name__, probe)
        self._watch(model, breaker, before)

    def abandoned(self, model: str, *, probe: int) -> None:
        """A call was given up before it told anything."""
        self._breakers[model].abandoned(probe)

    def broken(self, model: str) -> bool:
        """Whether a model's circuit is anything but closed."""
        return self._breakers[model].state != "closed"

    def knocked(self, model: str, now: float, *, answered: bool) -> None:
        """A model's provider was asked whether it is there."""
        self._breakers[model].knocked(now, answered)

    def found_broken(self, now: float, least_s: float) -> tuple[OpenCircuit, ...]:
        """The models that were found here not to answer, for others to leave alone while somebody here looks.

        Args:
            now: the instant.
            least_s: seconds for which to say so at least: until others hear of it again.
        """
        if not self._broken:
            return ()
        found = ((model, breaker) for model, breaker in self._breakers.items() if breaker.found_out)
        return tuple(
            OpenCircuit(model, max((breaker.retry_at or now) - now, least_s), breaker.why) for model, breaker in found
        )

    def hear(self, circuits: Iterable[OpenCircuit], now: float) -> None:
        """Takes up what others found not to answer, and what they say no longer."""
        told = {circuit.model: circuit for circuit in circuits if circuit.model in self._breakers}
        if not told and not self._broken:
            return
        for model, breaker in self._breakers.items():
            before, circuit = breaker.state, told.get(model)
            if circuit is None:
                breaker.untold()
            else:
                breaker.told(now + circuit.for_s, circuit.why)
            self._watch(model, breaker, before)

    def suspect(self, provider: str) -> None:
        """Has a provider's keys looked at until they may be used: for when one goes out of use without a failure."""
        self._suspects.update((model, None) for model, its in self._providers.items() if its == provider)

    def retry_after_s(self, models: Iterable[str], now: float) -> float | None:
        """Seconds until the first of the models can be called, 0 where one can; None where nobody knows."""
        soonest = min((self._callable_at(model, now) for model in models), default=math.inf)
        return None if math.isinf(soonest) else max(soonest - now, 0.0)

    def health(self, now: float) -> tuple[Health, ...]:
        """How every model does."""
        unavailable = self.unavailable(now)
        return tuple(
            Health(model, breaker.state, breaker.availability, unavailable.get(model, ""))
            for model, breaker in self._breakers.items()
        )

    def _callable_at(self, model: str, now: float) -> float:
        cooling = self._cooling_until(model, now) if model in self._suspects else 0.0
        breaker = self._breakers[model]
        knock = now + self._breaking.knock_every_s if breaker.waits_for_knock(now) else 0.0
        return max(breaker.retry_at or 0.0, cooling, knock)

    def _without_key(self, model: str, wait_s: float) -> str:
        wait = "" if math.isinf(wait_s) else f" for another {wait_s:.1f} s"
        return f"no key of provider {self._providers[model]!r} may be used{wait}"

    def _watch(self, model: str, breaker: Breaker, before: State) -> None:
        """Tells of a circuit that has changed."""
        if breaker.state == before:
            return
        if breaker.state == "closed":
            self._broken.discard(breaker)
        else:
            self._broken.add(breaker)
        self._observer.notify(BreakerChanged(model, breaker.state, breaker.why))
