"""Watches a router at work: hears its events, looks at it now and then, tells what there is to tell, and has it kept.

It is the observer that the router tells, and passes every event on to whoever else observes. Nothing that it does is
waited for by a request.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from banditroute._version import __version__
from banditroute.delivery.availability import Availability, Health
from banditroute.errors import StoreError
from banditroute.observe import (
    Alerted,
    Attempted,
    BreakerChanged,
    Decided,
    Event,
    Judged,
    NotGraded,
    NullObserver,
    Observer,
    Settled,
)
from banditroute.records import Alert, Incident
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.storage.protocol import Store

from . import incidents
from .settings import AlertSettings, WebhookSettings
from .view import View
from .watch import OWN, Watch
from .webhook import Lost, Webhook

_LOOK_S = 1.0
_LOOKS = 4  # in the shortest outage that is told
_RECALLED = 1_000
_ASK_EVERY_S = 60.0
_MOST_UNKEPT = 1_000
_EVERYDAY = frozenset((Decided, Attempted, NotGraded))
_OFTEN = frozenset((Settled, Judged))  # watched, and no incidents
_LOG = logging.getLogger("banditroute.alerts")

MakeWebhook = Callable[[WebhookSettings, Lost], Webhook | None]
"""Makes what posts alerts; None where they are posted nowhere."""


class Watched(Protocol):
    """What of a router is looked at."""

    @property
    def on_duty(self) -> bool:
        """Whether this process does what one has to do for all that share the store."""
        ...

    @property
    def holder(self) -> str:
        """This process's name among them; empty where it is alone."""
        ...

    store: Store
    ledger: Ledger
    decider: Decider


class Lookout:
    """An observer before another one; from `begin` to `aclose` it looks, tells and has kept what happened.

    Args:
        settings: what is told, and where to.
        observer: is passed every event, and told every alert.
        clock: seconds since the epoch.
        webhook: makes what posts alerts.
    """

    def __init__(
        self, settings: AlertSettings, observer: Observer, clock: Callable[[], float], webhook: MakeWebhook
    ) -> None:
        self.watch = Watch(settings)
        self._observer = observer
        self._logs = isinstance(observer, NullObserver)  # nobody else would say a word
        self._clock = clock
        self._make_webhook = webhook
        self._webhook: Webhook | None = None
        self._webhook_settings = settings.webhook
        self._closing: list[asyncio.Task[None]] = []  # webhooks of configurations that are no longer in force
        self._providers: Mapping[str, str] = {}
        self._availability: Availability | None = None
        self._watched: Watched | None = None
        self._file = ""
        self._unkept: deque[Incident] = deque(maxlen=_MOST_UNKEPT)
        self._wake = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        self._open: set[str] = set()  # circuits

    def follow(
        self, settings: AlertSettings, availability: Availability, providers: Mapping[str, str], file: str
    ) -> None:
        """Goes by another configuration.

        Args:
            settings: what is told, and where to.
            availability: the circuits of its models.
            providers: who serves each.
            file: the configuration's name.
        """
        before, self._webhook_settings = self._webhook_settings, settings.webhook
        self.watch.follow(settings)
        self._availability, self._providers, self._file = availability, providers, file
        if self._watched is not None and before != settings.webhook:
            former, self._webhook = self._webhook, self._make_webhook(settings.webhook, self._lost)
            if former is not None:
                self._closing.append(asyncio.create_task(former.aclose()))

    def notify(self, event: Event) -> None:
        """Passes an event on, and takes it in."""
        self._observer.notify(event)
        if type(event) in _EVERYDAY:
            return
        now = self._clock()
        alerts = self.watch.hear(event, now)
        if type(event) not in _OFTEN and self._is_news(event):
            for incident in incidents.of_event(event, now, self._by):
                self._keep(incident)
        if alerts:
            self._tell(alerts)

    def _is_news(self, event: Event) -> bool:
        """Whether an event is none of the failed probes after which a circuit opens again."""
        if not isinstance(event, BreakerChanged):
            return True
        if event.state == "closed":
            self._open.discard(event.model)
        elif event.state == "open":
            if event.model in self._open:
                return False
            self._open.add(event.model)
        return True

    async def begin(self, watched: Watched) -> None:
        """Looks from now on; what happened before in the store is recalled."""
        self._watched = watched
        self._webhook = self._make_webhook(self._webhook_settings, self._lost)
        with suppress(StoreError):
            self.watch.recall(await watched.store.recent(_RECALLED))
        self._keep(incidents.started(self._clock(), self._by, __version__, self._file, abruptly=await self._abruptly()))
        self._looking = asyncio.create_task(self._look_on())

    async def aclose(self) -> None:
        """Tells and keeps what there still is; a second call does nothing."""
        if self._looking is None:
            return
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        self._looking = None
        if self._webhook is not None:
            await self._webhook.aclose()
        await asyncio.gather(*self._closing, return_exceptions=True)
        self._keep(incidents.stopped(self._clock(), self._by))
        await self._keep_all()

    def look(self, now: float) -> None:
        """Looks once, and tells what there is to tell."""
        self._tell(self.watch.look(self._view(now), now))

    async def _look_on(self) -> None:
        while True:
            wait_s = min(_LOOK_S, max(self.watch.settings.down_s / _LOOKS, 0.05))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            self._wake.clear()
            await self._hear_others()
            self.look(self._clock())
            await self._keep_all()

    def _view(self, now: float) -> View:
        watched, availability = self._watched, self._availability
        if watched is None or availability is None:
            return View()
        down = {each.model: _why(each) for each in availability.health(now) if each.refusal or each.state != "closed"}
        outlooks = watched.decider.pacers.outlooks(watched.ledger, now, look=False)
        return View(watched.ledger.accounts(now), outlooks, self._providers, down)

    def _tell(self, alerts: Iterable[Alert]) -> None:
        """Tells what is this process's to tell; what is not told for its kind is on record all the same."""
        for alert in alerts:
            if alert.kind in OWN or self._on_duty:
                settings = self.watch.settings
                kind = "provider" if alert.kind == "model" else alert.kind
                to: frozenset[str] = settings.to if kind in settings.kinds else frozenset()
                self._pass_on(alert, to)
                self._keep(incidents.of_alert(alert, self._by, silenced=not to))

    def _pass_on(self, alert: Alert, to: frozenset[str]) -> None:
        if not to:
            return
        self._observer.notify(Alerted(alert, to))
        if self._logs and "log" in to:
            level = logging.INFO if alert.state == "over" else logging.WARNING
            _LOG.log(level, "%s, %s: %s%s", alert.kind, alert.state, alert.text, alert.cause and f" ({alert.cause})")
        if "webhook" in to and self._webhook is not None:
            self._webhook.put(alert)

    def _lost(self, alert: Alert, problem: str) -> None:
        _LOG.warning("the webhook did not take an alert (%s): %s", problem, alert.text)
        self._keep(incidents.unsent(self._clock(), alert, problem, self._by))

    async def _hear_others(self) -> None:
        """Looks for judgements that other processes took in, where somebody seems to have gone silent."""
        watched, now = self._watched, time.monotonic()
        if watched is None or not watched.holder or not self._on_duty or now - self._asked_at < _ASK_EVERY_S:
            return
        self._asked_at = now
        if self.watch.silence.doubtful(self.watch.settings):
            with suppress(StoreError):
                self.watch.silence.overheard(await watched.store.recent(_RECALLED))

    def _keep(self, incident: Incident) -> None:
        self._unkept.append(incident)
        self._wake.set()

    async def _keep_all(self) -> None:
        """Has incidents written; those that cannot be now wait for the next time."""
        watched = self._watched
        while watched is not None and self._unkept:
            incident = self._unkept[0]
            try:
                await watched.store.note(incident)
            except StoreError:
                return
            if self._unkept and self._unkept[0] is incident:
                self._unkept.popleft()

    async def _abruptly(self) -> bool:
        """Whether the process before this one, where there can only be one, never said that it ended."""
        watched = self._watched
        if watched is None or watched.holder:
            return False
        with suppress(StoreError):
            for incident in await watched.store.incidents(0.0, _RECALLED):
                if incident.kind in ("started", "stopped"):
                    return incident.kind == "started"
        return False

    @property
    def _by(self) -> str:
        return "" if self._watched is None else self._watched.holder

    @property
    def _on_duty(self) -> bool:
        return self._watched is not None and self._watched.on_duty


def _why(health: Health) -> str:
    """Why a model cannot be called; a circuit that is half open lets one request through, and is not closed yet."""
    return health.refusal or "its circuit is not closed yet"
