"""What a benchmark runs: which models, on which prompts, graded by whom, through a router that only delivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from banditroute.benching.calls import CallKey, row_id
from banditroute.benching.prompts import BenchPrompt, Prompts
from banditroute.config.values import GraderConfig, JudgeConfig, RouterConfig, RoutingConfig, StoreConfig
from banditroute.delivery.settings import Retrying
from banditroute.errors import ConfigError, InputError
from banditroute.prompting import prompting_of
from banditroute.records import ChatRequest
from banditroute.routing.catalog import Catalog

_LIMITS = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is to be run.

    Attributes:
        prompts: what is asked; its rows' requests are sent as they are.
        tasks: the task class of each row.
        models: whom, in the pool's order.
        repeats: how often each is asked each prompt.
        router: a router of these models and judges that makes one attempt at a time, keeps no store and no budgets.
        retrying: how long the configuration would wait between attempts.
        graders: grade answers by themselves.
        judges: models that grade answers: every one, whatever share of live answers they see.
    """

    prompts: Prompts
    tasks: tuple[str, ...]
    models: tuple[str, ...]
    repeats: int
    router: RouterConfig
    retrying: Retrying
    graders: tuple[GraderConfig, ...]
    judges: tuple[JudgeConfig, ...]

    @property
    def planned(self) -> int:
        """How many calls there are to make."""
        return len(self.prompts.rows) * self.repeats * len(self.models)

    def turns(self) -> Iterator[tuple[int, int]]:
        """Every row and turn, in an order that does not depend on the file's: what comes first is a fair sample."""
        mixed = sorted(range(len(self.prompts.rows)), key=lambda row: _drawn(self.prompts.rows[row].id))
        return ((row, turn) for turn in range(1, self.repeats + 1) for row in mixed)

    def order(self, row: int, turn: int) -> Sequence[str]:
        """The models as they are asked a prompt, drawn for each by itself.

        So none is the first more often than chance has it: what the first call pays for, a connection to open or a
        server that is cold, is no difference between models, and gaps between equal ones have either sign alike.
        """
        return sorted(self.models, key=lambda model: _drawn("\0".join(map(str, self.key(row, model, turn)))))

    def key(self, row: int, model: str, turn: int) -> CallKey:
        """Names a call."""
        return CallKey(self.prompts.rows[row].id, model, turn)


def plan_bench(
    config: RouterConfig,
    prompts: Prompts,
    *,
    models: Sequence[str] = (),
    repeats: int = 1,
    max_tokens: int | None = None,
) -> BenchPlan:
    """What running every model on every prompt amounts to.

    Args:
        config: the pool, and who grades.
        prompts: what to ask.
        models: only these; empty = every model that may be routed to.
        repeats: how often each model is asked each prompt.
        max_tokens: limit of the answers to prompts that name none.

    Raises:
        ConfigError: a model is unknown, or nobody would grade.
        InputError: repeated prompts would take the id of another.
    """
    chosen = _chosen(config, models)
    if not config.graders and not config.judges:
        remedy = "add [[graders]] or [[judges]]"
        raise ConfigError("nobody grades: the table would have no quality", remedy=remedy, path=str(config.path))
    if max_tokens is not None:
        prompts = replace(prompts, rows=tuple(_limited(row, max_tokens) for row in prompts.rows))
    _check_ids(prompts, repeats)
    judges = tuple(replace(judge, bench=replace(judge.bench, share=1.0)) for judge in config.judges)
    return BenchPlan(
        prompts,
        _tasks(config, prompts),
        chosen,
        repeats,
        _delivering(config, chosen, judges),
        config.retrying,
        config.graders,
        judges,
    )


def _drawn(name: str) -> bytes:
    """What a name draws: no order among names shows in it, and it is the same in every run."""
    return blake2b(name.encode(errors="replace"), digest_size=8).digest()


def _chosen(config: RouterConfig, models: Sequence[str]) -> tuple[str, ...]:
    for name in models:
        config.catalog.arm(name)
    chosen = tuple(each.name for each in config.catalog if (each.name in models if models else each.routed))
    if not chosen:
        raise ConfigError("no model may be routed to", remedy="name one with --model", path=str(config.path))
    return chosen


def _limited(prompt: BenchPrompt, max_tokens: int) -> BenchPrompt:
    params = prompt.request.params
    if any(params.get(name) is not None for name in _LIMITS):
        return prompt
    return replace(prompt, request=ChatRequest(prompt.request.messages, {**params, "max_tokens": max_tokens}))


def _check_ids(prompts: Prompts, repeats: int) -> None:
    ids = {row.id for row in prompts.rows}
    for row in prompts.rows:
        for turn in range(2, repeats + 1):
            if row_id(row.id, turn) in ids:
                problem = f"{row_id(row.id, turn)!r} is what {row.id!r} is called when it is asked again"
                raise InputError(problem, remedy="rename it", field="id")


def _tasks(config: RouterConfig, prompts: Prompts) -> tuple[str, ...]:
    if all(row.task is not None for row in prompts.rows):
        return tuple(row.task or "" for row in prompts.rows)
    classifier = prompting_of(config).classifier
    return tuple(row.task or classifier.classify(row.request).name for row in prompts.rows)


def _delivering(config: RouterConfig, models: Sequence[str], judges: Sequence[JudgeConfig]) -> RouterConfig:
    """The configuration's pool alone: its store is not touched, its caps are not charged, nobody else is asked."""
    asked = {*models, *(judge.bench.model for judge in judges)}
    asked |= {judge.bench.baseline for judge in judges if judge.bench.baseline is not None}
    catalog = Catalog(tuple(model for model in config.catalog if model.name in asked))
    hosts = {model.provider for model in catalog}
    return RouterConfig(
        path=config.path,
        providers=tuple(each for each in config.providers if each.name in hosts),
        catalog=catalog,
        store=StoreConfig(kind="memory"),
        retrying=replace(config.retrying, same_model=0, rounds=0),
        breaking=config.breaking,
        routing=RoutingConfig(classifier="none", deadline_s=config.routing.deadline_s, seed=config.routing.seed),
    )
