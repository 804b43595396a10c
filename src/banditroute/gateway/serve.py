"""The gateway as a process: listens, reloads when told to, and ends without leaving anybody's answer half said."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from banditroute.assemble import open_router
from banditroute.changes import Changes
from banditroute.config import RouterConfig, load_config
from banditroute.config.values import GatewayConfig
from banditroute.desk import Terms
from banditroute.errors import ConfigError, InvalidRequestError, StoreError
from banditroute.gateway.access_log import log_of
from banditroute.gateway.app import ROUTES, application, front_of
from banditroute.gateway.auth import doorkeeper_of, is_loopback
from banditroute.gateway.dashboard.history import History
from banditroute.gateway.dashboard.panel import Panel
from banditroute.gateway.dashboard.routes import dashboard_routes
from banditroute.gateway.entrance import Entrance, Place
from banditroute.gateway.front import Front, Route
from banditroute.gateway.metrics import metrics_route
from banditroute.gateway.operator_log import OperatorLog
from banditroute.gateway.orders import Orders, Signals
from banditroute.gateway.workers.answers import DRAINING, YES, answers_of
from banditroute.gateway.workers.crew import Crew
from banditroute.observe import Observer, ReloadFailed
from banditroute.reloading import follow
from banditroute.router import Router
from banditroute.routing.requests import chat_request
from banditroute.telemetry import Metrics, Observers

_KEYS_EVERY_S = 2.0
_MOST_YOUNG = 10_000  # objects between two looks at the youngest; Python's own 700 are some three requests
_CLOSING_S = 1.0  # for connections to notice, once their requests are over
_HERE = GatewayConfig(auth="none")
_SILENT = logging.getLogger("banditroute.gateway.http")
_SILENT.addHandler(logging.NullHandler())  # aiohttp quotes heads that it cannot read, and those may hold keys
_SILENT.propagate = False


@dataclass(slots=True)
class Gateway:
    """A gateway that listens.

    Attributes:
        url: where.
        front: stands before its handlers.
        router: answers.
        place: where connections come in; environ: where keys are.
        observer: is told what happens.
        panel: what the dashboard shows.
        crew: which of several workers it is.
    """

    url: str
    front: Front
    router: Router
    place: Entrance
    environ: Mapping[str, str]
    observer: Observer
    panel: Panel
    crew: Crew
    _reloading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def reload(self, path: Path) -> Changes:
        """Puts the file in force as it is now, keys and limits included; where it listens stays.

        Returns what is different in the router.

        Raises:
            ConfigError: it cannot be used, or has something that takes a restart; nothing is changed.
            MissingExtraError: it asks for what is not installed; nothing is changed.
        """
        async with self._reloading:  # one file after another, so that all that is in force is of the same one
            try:
                plan = self.crew.plan(await asyncio.to_thread(load_config, path))
                settings = gateway_config(plan, self.place.host)
                doorkeeper = doorkeeper_of(settings, self.environ, await self.router.learner.store.keys())
            except Exception as error:  # whatever a module raises that the file names; raised again
                self.observer.notify(ReloadFailed.by(error))
                raise
            changes = await self.router.reload(plan)
            self.front.doorkeeper = doorkeeper
            self.front.gate.most = self.crew.part(settings.max_in_work)
            self.panel.plan = plan
            return changes


def gateway_config(plan: RouterConfig, host: str) -> GatewayConfig:
    """Who may use a gateway that listens at a host; where the file says nothing of it, whoever is on this machine.

    Raises:
        ConfigError: others than this machine could reach it, and no key would be asked for.
    """
    settings = plan.gateway or _HERE
    if settings.auth == "none" and not is_loopback(host):
        problem = f"{host} can be reached by others, and no key would be asked for"
        remedy = 'set [gateway] auth = "keys" and add [[gateway.keys]], or listen on 127.0.0.1'
        raise ConfigError(problem, remedy=remedy, path=str(plan.path), field="gateway.auth")
    return settings


@asynccontextmanager
async def gateway(
    plan: RouterConfig, place: Entrance, environ: Mapping[str, str] | None = None, crew: Crew | None = None
) -> AsyncGenerator[Gateway]:
    """A gateway that listens; at the end, requests in work are finished first, for as long as `drain_s` allows.

    Args:
        plan: the configuration.
        place: where connections come in.
        environ: where keys are; None = the process's environment.
        crew: which of several workers it is; None = the only one.

    Raises:
        ConfigError: the configuration cannot be used; says why.
        InputError: nobody can listen there.
    """
    environ, crew = os.environ if environ is None else environ, Crew() if crew is None else crew
    plan, settings = crew.plan(plan), gateway_config(plan, place.host)
    log = log_of(settings.access_log, crew.number if crew.count > 1 else None)
    history = History()
    metrics = Metrics()
    observer = Observers(OperatorLog(log), history, metrics)
    try:
        async with open_router(plan, environ=environ, observer=observer) as router:
            doorkeeper = doorkeeper_of(settings, environ, await router.learner.store.keys())
            front = front_of(router, settings, doorkeeper, log, crew)
            _warm_up(router)
            metrics.watch(router)
            if crew.recalls:
                await history.recall(router.learner.store)
            panel = Panel(router, plan, history, front, crew.siblings)
            serving = Gateway("", front, router, place, environ, router.observer, panel, crew)

            def reload() -> Awaitable[Changes]:
                return serving.reload(plan.path)

            routes = (
                *ROUTES,
                metrics_route(metrics, crew),
                *dashboard_routes(front, panel, reload, log, crew.siblings),
            )
            if crew.again:
                front.draining = YES in await crew.siblings.ask(DRAINING)
            async with (
                _listening(front, routes, settings, place) as serving.url,
                _following_keys(front),
                crew.siblings.answering(answers_of(metrics, crew.name, panel, front, reload)),
            ):
                yield serving
    finally:
        await log.aclose()


def _warm_up(router: Router) -> None:
    """Has what reads prompts loaded before the first request waits for it."""
    with suppress(InvalidRequestError):  # where callers give features, nothing is read
        router.works[-1].desk.asked(chat_request("Hello.", {}), Terms())


@asynccontextmanager
async def _following_keys(front: Front) -> AsyncGenerator[None]:
    """Inside it, keys that are made or revoked beside the gateway are known to it soon."""

    async def follow() -> None:
        while True:
            await asyncio.sleep(_KEYS_EVERY_S)
            with suppress(StoreError):  # the store tells its observer by itself; the keys stay as they are
                front.doorkeeper.follow(await front.router.learner.store.keys())

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@asynccontextmanager
async def _listening(
    front: Front, routes: Iterable[Route], settings: GatewayConfig, place: Entrance
) -> AsyncGenerator[str]:
    runner = web.AppRunner(
        application(front, routes, most_bytes=settings.max_body_bytes),
        handler_cancellation=True,
        keepalive_timeout=settings.idle_s,
        access_log=None,
        logger=_SILENT,
        shutdown_timeout=_CLOSING_S,
    )
    await runner.setup()
    server = runner.server
    assert server is not None, "the runner is set up"
    try:
        try:
            async with place.open(front.patience.with_each(server), lambda: len(server.connections)) as url:
                yield url
        finally:
            await front.drain(settings.drain_s)
    finally:
        await runner.cleanup()


async def serve(path: Path, place: Place, listening: Callable[[str], None]) -> None:
    """Serves a router.toml until SIGTERM or SIGINT; SIGHUP has the file reloaded.

    A second signal ends it without waiting for requests in work, whose answers are cut and settled.

    Args:
        path: the file.
        place: where to listen.
        listening: is told the URL once it does.

    Raises:
        ConfigError: the file cannot be used; says why.
        InputError: nobody can listen there.
    """
    with Signals() as signals:
        await attend(path, place, signals, listening)


async def attend(
    path: Path, place: Entrance, orders: Orders, listening: Callable[[str], None], crew: Crew | None = None
) -> None:
    """Serves a router.toml until told to end.

    Args:
        path: the file.
        place: where connections come in.
        orders: what it is told.
        listening: is told the URL once connections may come.
        crew: which of several workers it is; None = the only one.

    Raises:
        ConfigError: the file cannot be used; says why.
        InputError: nobody can listen there.
    """
    async with gateway(load_config(path), place, crew=crew) as serving:
        orders.give_up = serving.front.give_up
        _spare_the_collector()
        listening(serving.url)
        following = asyncio.create_task(follow(orders.changed, lambda: serving.reload(path)))
        await orders.ended.wait()
        following.cancel()


def _spare_the_collector() -> None:
    """Has garbage looked for more rarely, and never among what was made to stay: a twentieth of a request's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MOST_YOUNG, 20, 20)
