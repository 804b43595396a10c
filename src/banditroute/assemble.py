"""From a configuration to a live router: the only place that picks classes, clock and chance."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from banditroute.config import ProviderConfig, RouterConfig, StoreConfig, load_config, require_keys
from banditroute.config.shadowing import shadow_plan
from banditroute.config.values import GraderConfig, JudgeConfig
from banditroute.delivery.availability import Availability
from banditroute.delivery.dispatch import Dispatcher, Target
from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.delivery.pool import ClientPool
from banditroute.desk import Desk, Terms
from banditroute.errors import ConfigError
from banditroute.flight import Tower
from banditroute.grading.judging import Judge
from banditroute.grading.protocol import Grader
from banditroute.learner import Learner
from banditroute.marking import Marker, Marking, Panel
from banditroute.observe import Event, KeyChanged, NullObserver, Observer
from banditroute.prompting import prompting_of
from banditroute.providers.registry import provider_of
from banditroute.records import ChatRequest, Completion
from banditroute.router import Router
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Catalog
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.saved import SavedPolicy
from banditroute.routing.sessions import Sessions
from banditroute.routing.shadow import Shadow
from banditroute.routing.tasks import JUDGE_TASK, FeatureEncoder, TaskClassifier
from banditroute.routing.trust import Trust, TrustSettings
from banditroute.serving import Serving
from banditroute.storage.memory import MemoryStore
from banditroute.storage.policy_file import read_policy
from banditroute.storage.protocol import Store
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.sqlite_reader import SQLiteReader

_ID_BYTES = 10
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def open_router(
    config: str | Path | RouterConfig,
    *,
    environ: Mapping[str, str] | None = None,
    observer: Observer | None = None,
    classifier: TaskClassifier | None = None,
    encoder: FeatureEncoder | None = None,
) -> Router:
    """The router that a configuration describes; `async with` it. Nothing is opened or written before that.

    Args:
        config: the path of a router.toml, or what `load_config` made of one.
        environ: where the keys are; None = the process's environment.
        observer: is told what happens.
        classifier: names a request's task class where the caller does not; None = as the configuration says.
        encoder: what of a prompt the policy sees; None = as the configuration says.

    Raises:
        ConfigError: the configuration cannot be used, or a key's variable is not set; says which.
    """
    plan = config if isinstance(config, RouterConfig) else load_config(config)
    environ = os.environ if environ is None else environ
    require_keys(plan, environ)
    return _Assembly(plan, environ, NullObserver() if observer is None else observer).router(classifier, encoder)


class _Assembly:
    """The parts of one router, joined."""

    def __init__(self, plan: RouterConfig, environ: Mapping[str, str], observer: Observer) -> None:
        self._plan = plan
        self._observer = observer
        self._chance = random.Random(plan.routing.seed)
        self._pool = ClientPool()
        watch = _KeyWatch(observer)
        self._endpoints = {
            provider.name: _endpoint(provider, plan.catalog, environ, watch, self._pool) for provider in plan.providers
        }
        self._targets = {model.name: Target(self._endpoints[model.provider], model.upstream) for model in plan.catalog}
        providers = {model.name: model.provider for model in plan.catalog}
        self._availability = Availability(providers, plan.breaking, self._cooling_until, observer)
        watch.availability = self._availability

    def router(self, classifier: TaskClassifier | None, encoder: FeatureEncoder | None) -> Router:
        plan, clock = self._plan, time.time
        if classifier is None or encoder is None:
            prompting = prompting_of(plan)
            classifier, encoder = classifier or prompting.classifier, encoder or prompting.encoder
        tower = Tower(
            decider_of(plan, encoder),
            Ledger([budget for budget in plan.budgets if isinstance(budget, Cap)]),
            self._availability.unavailable,
            clock,
            self._chance.random,
            _new_id,
            self._observer,
        )
        sessions = _sessions(plan)
        shadow = self._shadow(encoder)
        desk = Desk(
            tower,
            self._availability,
            classifier,
            encoder,
            sessions,
            deadline_s=plan.routing.deadline_s,
            shadow=shadow,
        )
        dispatcher = Dispatcher(
            self._targets,
            self._availability,
            plan.retrying,
            plan.hedging,
            clock=clock,
            uniform=self._chance.random,
        )
        store = open_store(plan.store)
        learner = Learner(
            tower.decider,
            tower.ledger,
            store,
            self._observer,
            clock,
            plan.store.retention_s,
            Trust(_trust(plan)),
            begin_anew=plan.routing.on_new_encoder == "restart",
            shadow=shadow,
        )
        serving = Serving(desk, tower, dispatcher, learner, keep_prompts=plan.store.keep_prompts)
        serving.marker = self._marker(serving, learner)
        return Router(desk, serving, learner, (*self._endpoints.values(), self._pool), clock)

    def _shadow(self, encoder: FeatureEncoder) -> Shadow | None:
        """Decides beside the router, with chance of its own; None where nobody is to."""
        settings, plan = self._plan.shadow, shadow_plan(self._plan)
        if settings is None or plan is None:
            return None
        seed = self._plan.routing.seed
        chance = random.Random(None if seed is None else f"{settings.name} {seed}")
        decider = decider_of(plan, encoder)
        return Shadow(settings.name, decider, settings.share, chance.random, self._observer, sessions=_sessions(plan))

    def _marker(self, serving: Serving, learner: Learner) -> Marker | None:
        """Has answers graded; None where nobody is to."""
        plan = self._plan
        if not plan.graders and not plan.judges:
            return None
        panel = Panel(
            inline=[_marking(each) for each in plan.graders if each.when == "inline"],
            background=[_marking(each) for each in plan.graders if each.when == "background"],
            judges=[
                Marking(_judge(each, serving, learner.decider.width), frozenset(each.tasks), each.weight)
                for each in plan.judges
            ],
        )
        return Marker(panel, learner.judge, self._observer, time.time)

    def _cooling_until(self, model: str, now: float) -> float:
        endpoint, upstream = self._targets[model]
        return endpoint.cooling_until(now, upstream)


def _sessions(plan: RouterConfig) -> Sessions:
    return Sessions(plan.routing.session_ttl_s, plan.routing.session_stay_quality)


def _marking(grader: GraderConfig) -> Marking[Grader]:
    return Marking(grader.grader, frozenset(grader.tasks), grader.weight, grader.calibrate_to)


def _judge(config: JudgeConfig, serving: Serving, width: int) -> Judge:
    """A judge whose models answer it on record and within the budgets, like any other call."""
    features = (0.0,) * width  # no encoder is asked what it says of a verdict, from which nothing is learned

    async def complete(request: ChatRequest, model: str) -> Completion:
        terms = Terms(model, JUDGE_TASK + config.name, features=features)
        return (await serving.answer(request, terms)).completion

    return Judge(config.name, config.bench, complete)


def _trust(plan: RouterConfig) -> TrustSettings:
    """Whom to believe how much: graders, whose weights are in their judgements already, in full."""
    names = frozenset(each.name for each in (*plan.graders, *plan.judges))
    return replace(plan.trust, graders=names - plan.trust.sources.keys())


class _KeyWatch:
    """Has the keys of a provider looked at as soon as one of them goes out of use."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.availability: Availability | None = None

    def notify(self, event: Event) -> None:
        if isinstance(event, KeyChanged) and event.reason and self.availability is not None:
            self.availability.suspect(event.provider)
        self._observer.notify(event)


def decider_of(plan: RouterConfig, encoder: FeatureEncoder | None = None) -> Decider:
    """The decider that a configuration describes, knowing nothing yet; encoder None = as the configuration says."""
    encoder = prompting_of(plan).encoder if encoder is None else encoder
    decider = Decider(
        plan.catalog,
        plan.routing.tasks,
        encoder.width,
        plan.routing.policy,
        quality_per_s=plan.routing.quality_per_s,
        budgets=[budget for budget in plan.budgets if isinstance(budget, PacedBudget)],
        encoder_version=encoder.version,
    )
    if plan.routing.warm_start is not None:
        decider.begin_with(_fitting(plan, encoder))
    return decider


def _fitting(plan: RouterConfig, encoder: FeatureEncoder) -> SavedPolicy:
    """The saved policy to begin with.

    Raises:
        ConfigError: it cannot be read, or was made with another encoder's features.
    """
    path = plan.routing.warm_start
    assert path is not None, "asked for where there is one"
    saved = read_policy(path)
    if (saved.encoder_version, saved.width) != (encoder.version, encoder.width + 2):
        raise ConfigError(
            f"it was made with the encoder {saved.encoder_version!r}, this one is {encoder.version!r}: their features "
            "do not mix",
            remedy="make it anew with `banditroute warm-start`",
            path=str(path),
            field="routing.warm_start",
        )
    return saved


def open_store(config: StoreConfig) -> Store:
    """The store that a configuration names, not yet opened."""
    if config.kind == "memory":
        return MemoryStore(keep_prompts=config.keep_prompts)
    return SQLiteStore(
        config.path, fsync=config.fsync, retention_s=config.retention_s, keep_prompts=config.keep_prompts
    )


def open_store_reader(config: StoreConfig) -> SQLiteReader:
    """The reading half of the store that a configuration names, for looking into it beside the router that writes it.

    It is not yet opened.

    Raises:
        ConfigError: no other process can look into a store of that kind.
    """
    if config.kind == "memory":
        remedy = 'use kind = "sqlite"'
        raise ConfigError("a memory store ends with its process: nothing is kept to look at", remedy=remedy)
    return SQLiteReader(config.path)


def _endpoint(
    provider: ProviderConfig, catalog: Catalog, environ: Mapping[str, str], observer: Observer, pool: ClientPool
) -> Endpoint:
    keys = KeyRing(
        [(name, environ[name]) for name in provider.api_key_env],
        most_in_flight=provider.transport.max_concurrent_per_key,
    )
    longest = tuple(
        (model.upstream, model.capabilities.max_output_tokens)
        for model in catalog
        if model.provider == provider.name and model.capabilities.max_output_tokens is not None
    )
    protocol = provider_of(provider.kind, replace(provider.options, longest_answers=longest))
    return Endpoint(
        provider.name,
        protocol,
        provider.base_url,
        keys,
        transport=provider.transport,
        timeouts=provider.timeouts,
        observer=observer,
        pool=pool,
    )


def _new_id(now: float) -> str:
    """A ULID: it sorts by time, and nobody can guess it, for who knows it may judge the decision."""
    value = int(now * 1000) << 80 | int.from_bytes(os.urandom(_ID_BYTES))
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))
