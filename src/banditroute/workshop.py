"""Makes what serves requests, of one configuration after another: the only place that joins the parts of a router."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from banditroute.changes import Changes
from banditroute.config import ProviderConfig, RouterConfig, load_config, require_keys
from banditroute.config.alert_places import webhook_place
from banditroute.config.changes import called_alike, changes, check_changeable, check_whole, shared_like
from banditroute.config.shadowing import learn_alike, shadow_plan
from banditroute.config.values import GraderConfig, JudgeConfig
from banditroute.delivery.availability import Availability
from banditroute.delivery.dispatch import Dispatcher, Target
from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.delivery.knocking import Knocker
from banditroute.delivery.pool import ClientPool
from banditroute.desk import Desk, Terms
from banditroute.errors import ConfigError
from banditroute.fleet import Fleet, Tempo
from banditroute.flight import Tower
from banditroute.grading.judging import Judge
from banditroute.grading.protocol import Grader
from banditroute.learner import Learner
from banditroute.marking import Marker, Marking, Panel
from banditroute.observe import Event, KeyChanged, Observer
from banditroute.prompting import Prompting, meanings_of, prompting_of
from banditroute.providers.protocol import Provider
from banditroute.providers.registry import provider_of
from banditroute.records import ChatRequest, Completion
from banditroute.routing.beliefs import Beliefs
from banditroute.routing.budgets import Cap
from banditroute.routing.catalog import Catalog
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.sessions import Sessions
from banditroute.routing.shadow import Shadow
from banditroute.routing.tasks import JUDGE_TASK, FeatureEncoder, TaskClassifier
from banditroute.routing.trust import Trust, TrustSettings
from banditroute.serving import Serving
from banditroute.settling import Settling
from banditroute.storage.protocol import SharedStore
from banditroute.works import Works

_ID_BYTES = 10
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)

DeciderOf = Callable[[RouterConfig, FeatureEncoder, Beliefs | None], Decider]
"""Makes the decider that a configuration describes, by what another believes or knowing nothing yet."""


class Outside(NamedTuple):
    """What a router has of the world outside it; tests put something of their own in its place.

    Attributes:
        clock: seconds since the epoch.
        new_id: a unique name for a decision made at an instant.
        endpoint: makes a provider's live end; takes what `Endpoint` takes.
        pool: makes the connections.
    """

    clock: Callable[[], float]
    new_id: Callable[[float], str]
    endpoint: Callable[..., Endpoint] = Endpoint
    pool: Callable[[], ClientPool] = ClientPool


class Given(NamedTuple):
    """What the caller reads prompts with; None = as the configuration says."""

    classifier: TaskClassifier | None = None
    encoder: FeatureEncoder | None = None


class Draft(NamedTuple):
    """A configuration that was checked, and those of its parts that take a while to make and touch nothing live."""

    config: RouterConfig
    prompting: Prompting
    decider: Decider
    rival: Decider | None  # the shadow's


@dataclass(frozen=True, slots=True)
class _Line:
    """One provider's live end, and what it was made of."""

    config: ProviderConfig
    secrets: tuple[tuple[str, str], ...] = field(repr=False)
    endpoint: Endpoint


class Workshop:
    """What outlives a configuration, made once, and whatever is made of the one in force.

    Args:
        config: the first configuration, its keys in the environment.
        environ: where keys are.
        observer: is told what happens.
        given: what the caller reads prompts with.
        store: keeps everything.
        decider_of: makes deciders.
        outside: clock, chance and connections; None = the machine's own.

    Attributes:
        pool: connections.
        learner: what is learned and spent.
        observer: is told what happens.
    """

    def __init__(
        self,
        config: RouterConfig,
        environ: Mapping[str, str],
        observer: Observer,
        given: Given,
        store: SharedStore,
        decider_of: DeciderOf,
        outside: Outside | None = None,
    ) -> None:
        self._outside = outside = Outside(time.time, _new_id) if outside is None else outside
        self.pool = outside.pool()
        self.observer = observer
        self.clock = outside.clock
        self._environ = environ
        self._given = given
        self._decider_of = decider_of
        self._chance = random.Random(config.routing.seed)
        self._shadows_chance: dict[str, random.Random] = {}
        self._watch = _KeyWatch(observer)
        self._sessions = Sessions(config.routing.session_ttl_s, config.routing.session_stay_quality)
        self._settling = Settling()
        self._lines: dict[str, _Line] = {}
        self._draft = self._drafted(config)
        self._ledger = Ledger(_caps(config))
        self._fleet = self._peers(store) if config.store.shared else None
        self.learner = self._learner(store)

    def first(self) -> Works:
        """The works of the first configuration."""
        works, self._lines = self._made(self._draft)
        self._teach(works, self._draft.config)
        return works

    def read(self, config: str | Path | RouterConfig | None) -> Draft:
        """A configuration, checked whole against the one in force, which stays as it is; None = its file as it is now.

        Takes a while, and may run in a thread.

        Raises:
            ConfigError: it cannot be used, or not without a restart; says why.
        """
        if config is None:
            config = self._draft.config.path
        found = config if isinstance(config, RouterConfig) else load_config(config, self._environ)
        check_whole(found)
        check_changeable(self._draft.config, found)
        require_keys(found, self._environ)
        webhook_place(found.alerts.webhook, self._environ)
        found = replace(found, store=shared_like(self._draft.config.store, found.store))
        draft = self._drafted(found)
        before, after = self._draft.prompting.encoder, draft.prompting.encoder
        if (before.version, before.width) != (after.version, after.width):
            problem = f"the encoder would be {after.version!r}, it cannot change while the router runs"
            raise ConfigError(problem, remedy="restart to change it", path=str(found.path), field="routing.encoder")
        return draft

    def edited(self, edit: Callable[[Catalog], Catalog]) -> Draft:
        """The same of the configuration in force with an edit of its models.

        Raises:
            ConfigError: the edit cannot be made.
        """
        config = self._draft.config
        return self.read(replace(config, catalog=edit(config.catalog)))

    def put_in_force(self, draft: Draft, living: Sequence[Works]) -> tuple[Works, Changes]:
        """The works of another configuration, which go on where the living stand, the last of whom were in force.

        Nothing is waited for, so that it happens between two requests.

        Raises:
            ConfigError: a provider's address, keys or authorities cannot be used; nothing has changed then.
        """
        before, config = self._draft.config, draft.config
        works, lines = self._made(draft)
        works.inherit(living[-1], called_alike(before, config))
        self._ledger.recap(_caps(config))
        works.expect(living)
        self._sessions.follow(config.routing.session_ttl_s, config.routing.session_stay_quality)
        self._teach(works, config)
        self._draft, self._lines = draft, lines
        for line in lines.values():
            line.endpoint.pardon()
        return works, changes(before, config)

    def _teach(self, works: Works, config: RouterConfig) -> None:
        """Has the works hear of what comes of requests, and of keys that go out of use."""
        decider, trust, retention_s = works.tower.decider, _trust(config), config.store.retention_s
        self.learner.follow(decider, works.shadow, trust, retention_s, config.guard)
        self.learner.prompts_s = config.store.prompts_s
        if self._given.classifier is None:  # of one that is given nothing is known but its answers
            self.learner.meanings = meanings_of(config)
        if self._fleet is not None:
            self._fleet.follow(works.availability)
        if self.learner.lookout is not None:
            providers = {model.name: model.provider for model in config.catalog}
            self.learner.lookout.follow(config.alerts, works.availability, providers, config.path.name)
        self._watch.availability = works.availability

    def _drafted(self, config: RouterConfig) -> Draft:
        prompting = self._prompting(config)
        Ledger(_caps(config))  # for what it raises
        decider = self._decider_of(config, prompting.encoder, None)
        return Draft(config, prompting, decider, self._rival(config, decider, prompting.encoder))

    def _rival(self, config: RouterConfig, decider: Decider, encoder: FeatureEncoder) -> Decider | None:
        """The shadow's decider, by the same beliefs where it would learn the same; None where there is no shadow."""
        rival = shadow_plan(config)
        if rival is None:
            return None
        return self._decider_of(rival, encoder, decider.beliefs if learn_alike(config, rival) else None)

    def _prompting(self, config: RouterConfig) -> Prompting:
        classifier, encoder = self._given
        if classifier is not None and encoder is not None:
            return Prompting(classifier, encoder)
        found = prompting_of(config)
        return Prompting(classifier or found.classifier, encoder or found.encoder)

    def _made(self, draft: Draft) -> tuple[Works, dict[str, _Line]]:
        """The works of a draft, in which nothing is inherited yet."""
        config, routing = draft.config, draft.config.routing
        lines = {provider.name: self._line(provider, config.catalog) for provider in config.providers}
        targets = {model.name: Target(lines[model.provider].endpoint, model.upstream) for model in config.catalog}
        availability = self._availability(config, targets)
        tower = Tower(
            draft.decider,
            self._ledger,
            availability.unavailable,
            self.clock,
            self._chance.random,
            self._outside.new_id,
            self.observer,
        )
        shadow = self._shadow(draft)
        desk = Desk(
            tower,
            availability,
            draft.prompting.classifier,
            draft.prompting.encoder,
            self._sessions,
            deadline_s=routing.deadline_s,
            shadow=shadow,
        )
        dispatcher = Dispatcher(
            targets,
            availability,
            config.retrying,
            config.hedging,
            clock=self.clock,
            uniform=self._chance.random,
            knocker=_knocker(config, targets, availability, self.clock),
        )
        serving = Serving(
            desk,
            tower,
            dispatcher,
            self.learner,
            self._settling,
            keep_prompts=config.store.keep_prompts,
        )
        serving.marker = self._marker(config, serving, draft.decider.beliefs.width)
        endpoints = {name: line.endpoint for name, line in lines.items()}
        return Works(desk, tower, serving, dispatcher, availability, endpoints, shadow), lines

    def _peers(self, store: SharedStore) -> Fleet:
        """The other processes on the store."""
        config = self._draft.config
        tempo = Tempo(config.store.tick_s, config.routing.deadline_s)
        return Fleet(store, self._ledger, self.observer, self.clock, tempo)

    def _learner(self, store: SharedStore) -> Learner:
        config = self._draft.config
        return Learner(
            self._draft.decider,
            self._ledger,
            store,
            self.observer,
            self.clock,
            config.store.retention_s,
            Trust(_trust(config)),
            begin_anew=config.routing.on_new_encoder == "restart",
            fleet=self._fleet,
        )

    def _line(self, provider: ProviderConfig, catalog: Catalog) -> _Line:
        """A provider's live end: the one in use, where it is the same but for the models that it serves."""
        secrets = tuple((name, self._environ[name]) for name in provider.api_key_env)
        protocol = _protocol(provider, catalog)
        known = self._lines.get(provider.name)
        if known is not None and (known.config, known.secrets) == (provider, secrets):
            return replace(known, endpoint=known.endpoint.speaking(protocol))
        endpoint = self._outside.endpoint(
            provider.name,
            protocol,
            provider.base_url,
            KeyRing(secrets, most_in_flight=provider.transport.max_concurrent_per_key),
            transport=provider.transport,
            timeouts=provider.timeouts,
            observer=self._watch,
            clock=self.clock,
            pool=self.pool,
        )
        return _Line(provider, secrets, endpoint)

    def _availability(self, config: RouterConfig, targets: Mapping[str, Target]) -> Availability:
        def cooling_until(model: str, now: float) -> float:
            endpoint, upstream = targets[model]
            return endpoint.cooling_until(now, upstream)

        providers = {model.name: model.provider for model in config.catalog}
        return Availability(providers, config.breaking, cooling_until, self.observer)

    def _shadow(self, draft: Draft) -> Shadow | None:
        """Decides beside the router, with chance of its own; None where nobody is to."""
        settings, routing = draft.config.shadow, draft.config.routing
        if settings is None or draft.rival is None:
            return None
        name, seed = settings.name, routing.seed
        chance = self._shadows_chance.setdefault(name, random.Random(None if seed is None else f"{name} {seed}"))
        sessions = Sessions(routing.session_ttl_s, routing.session_stay_quality)
        return Shadow(name, draft.rival, settings.share, chance.random, self.observer, sessions=sessions)

    def _marker(self, config: RouterConfig, serving: Serving, width: int) -> Marker | None:
        """Has answers graded; None where nobody is to."""
        if not config.graders and not config.judges:
            return None
        panel = Panel(
            inline=[_marking(each) for each in config.graders if each.when == "inline"],
            background=[_marking(each) for each in config.graders if each.when == "background"],
            judges=[
                Marking(_judge(each, serving, width), frozenset(each.tasks), each.weight) for each in config.judges
            ],
        )
        return Marker(panel, self.learner.judge, self.observer, self.clock)


class _KeyWatch:
    """Has the keys of a provider looked at as soon as one of them goes out of use."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.availability: Availability | None = None

    def notify(self, event: Event) -> None:
        if isinstance(event, KeyChanged) and event.reason and self.availability is not None:
            self.availability.suspect(event.provider)
        self._observer.notify(event)


def _knocker(
    config: RouterConfig, targets: Mapping[str, Target], availability: Availability, clock: Callable[[], float]
) -> Knocker | None:
    every_s = config.breaking.knock_every_s
    wires = {model: target.endpoint.wire for model, target in targets.items()}
    return Knocker(wires, availability, every_s, clock) if every_s else None


def _caps(config: RouterConfig) -> list[Cap]:
    return [budget for budget in config.budgets if isinstance(budget, Cap)]


def _marking(grader: GraderConfig) -> Marking[Grader]:
    return Marking(grader.grader, frozenset(grader.tasks), grader.weight, grader.calibrate_to)


def _judge(config: JudgeConfig, serving: Serving, width: int) -> Judge:
    """A judge whose models answer it on record and within the budgets, like any other call."""
    features = (0.0,) * width  # no encoder is asked what it says of a verdict, from which nothing is learned

    async def complete(request: ChatRequest, model: str) -> Completion:
        terms = Terms(model, JUDGE_TASK + config.name, features=features)
        return (await serving.answer(request, terms)).completion

    return Judge(config.name, config.bench, complete)


def _trust(config: RouterConfig) -> TrustSettings:
    """Whom to believe how much: graders, whose weights are in their judgements already, in full."""
    names = frozenset(each.name for each in (*config.graders, *config.judges))
    return replace(config.trust, graders=names - config.trust.sources.keys())


def _protocol(provider: ProviderConfig, catalog: Catalog) -> Provider:
    longest = tuple(
        (model.upstream, model.capabilities.max_output_tokens)
        for model in catalog
        if model.provider == provider.name and model.capabilities.max_output_tokens is not None
    )
    return provider_of(provider.kind, replace(provider.options, longest_answers=longest))


def _new_id(now: float) -> str:
    """A ULID: it sorts by time, and nobody can guess it, for who knows it may judge the decision."""
    return ulid(now, int.from_bytes(os.urandom(_ID_BYTES)))


def ulid(now: float, chance: int) -> str:
    """The ULID of an instant and 80 bits of chance."""
    value = int(now * 1000) << 80 | chance
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])
