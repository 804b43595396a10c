"""A place and a key for one attempt, and what the attempt teaches of the key."""

from __future__ import annotations

from collections.abc import Callable

from banditroute.delivery.admission import Admission
from banditroute.delivery.keys import Key, KeyRing
from banditroute.errors import KeyRefusedError, ProviderError, QuotaSpentError, RateLimitedError
from banditroute.observe import KeyChanged, Observer
from banditroute.providers.ratelimits import RateLimits
from banditroute.records import Usage

_UNAUTHORIZED = 401


class Desk:
    """Gives out holds on one provider, and tells of keys that go out of use or come back."""

    def __init__(
        self, name: str, keys: KeyRing, admission: Admission, observer: Observer, clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._observer = observer
        self.keys = keys
        self.admission = admission
        self.clock = clock

    async def hold(self, model: str, deadline: float, but: frozenset[str]) -> Hold:
        """A place and a key, once there are both; raises as `Admission.enter` does."""
        return Hold(self, await self.admission.enter(model, deadline, but), model)

    def other_key(self, model: str, tried: frozenset[str]) -> bool:
        """Whether a key that was not tried may be used now."""
        return self.keys.usable_at(self.clock(), model, but=tried) == 0.0

    def pardon(self) -> None:
        """Puts keys that are out of use for good back in use."""
        for key in self.keys.pardoned():
            self.changed(key, "")

    def changed(self, key: Key, reason: str, until: float | None = None) -> None:
        """Tells of a key; a reason means that it is of no use, and those in line should look again."""
        self._observer.notify(KeyChanged(self._name, key.label, reason, until))
        if reason:
            self.admission.recheck()


class Hold:
    """One attempt's place and key.

    Attributes:
        key: what to call with.
        kept: the attempt goes on after the call that began it, and ends the hold itself.
    """

    __slots__ = ("_desk", "_model", "_released", "kept", "key")

    def __init__(self, desk: Desk, key: Key, model: str) -> None:
        self.key = key
        self.kept = False
        self._desk = desk
        self._model = model
        self._released = False

    def release(self) -> None:
        """Gives the place to the next in line; may be called again."""
        if not self._released:
            self._released = True
            self._desk.admission.leave(self.key, self._model)

    def seen(self, limits: RateLimits | None) -> None:
        """Takes note of a reply that is no failure, and of what it says of the key's rate limits."""
        if self._desk.keys.seen(self.key.label, limits, self._desk.clock(), self._model):
            self._desk.changed(self.key, "")

    def used(self, usage: Usage | None) -> None:
        """Takes note of what the attempt used."""
        if usage is not None:
            self._desk.keys.used(self.key.label, usage.input_tokens + usage.output_tokens, self._model)

    def failed(self, error: ProviderError) -> None:
        """Takes note of a failure that is the key's, and strikes the key itself out of its words."""
        _strike_out(self.key.secret, error)
        if isinstance(error, RateLimitedError):
            self._wait(error)
        elif isinstance(error, QuotaSpentError) or (
            # 403 is about one model or one place: the key's other models may well go on.
            isinstance(error, KeyRefusedError) and error.status == _UNAUTHORIZED
        ):
            self._trip(error)

    def _wait(self, error: RateLimitedError) -> None:
        now = self._desk.clock()
        told = None if error.retry_after_s is None else now + error.retry_after_s
        until = self._desk.keys.blocked(self.key.label, told, now, self._model)
        if until is not None:
            self._desk.changed(self.key, f"{self._model}: {error}", until)

    def _trip(self, error: ProviderError) -> None:
        if self._desk.keys.tripped(self.key.label, str(error)):
            self._desk.changed(self.key, str(error))


def _strike_out(secret: str | None, error: ProviderError) -> None:
    """Some servers quote the key that they refuse."""
    if secret and secret in str(error):
        error.problem = error.problem.replace(secret, "***")
        error.args = (str(error).replace(secret, "***"),)
