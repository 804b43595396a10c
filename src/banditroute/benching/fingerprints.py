"""Short names for what a benchmark's calls depend on, so that a change between two runs of it is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b

import orjson

from banditroute.benching.planning import BenchPlan
from banditroute.benching.prompts import BenchPrompt
from banditroute.config.values import RouterConfig
from banditroute.grading.judging import Bench


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What calls depend on, by short names.

    Time limits, concurrency, budgets and the weights of grades are left out: they change no call that is finished.

    Attributes:
        prompts: all prompts, whatever is sent with them, and their classes.
        grading: graders and judges.
        models: each model: where it is served, under which name, at what price.
    """

    prompts: str
    grading: str
    models: Mapping[str, str]


def fingerprints_of(plan: BenchPlan) -> Fingerprints:
    """The fingerprints of what a plan would run now."""
    rows = zip(plan.prompts.rows, plan.tasks, strict=True)
    graders = [(each.name, repr(each.grader), each.tasks) for each in plan.graders]
    judges = [
        (each.name, repr(replace(each.bench, at_once=1)), each.tasks, _bench_models(plan.router, each.bench))
        for each in plan.judges
    ]
    return Fingerprints(
        prompts=_short(*(orjson.dumps(_row(row, task), option=orjson.OPT_SORT_KEYS) for row, task in rows)),
        grading=_short(repr((graders, judges)).encode()),
        models={name: _model(plan.router, name) for name in plan.models},
    )


def _row(prompt: BenchPrompt, task: str) -> tuple[object, ...]:
    request = prompt.request
    return (prompt.id, [dict(each) for each in request.messages], dict(request.params), task, prompt.expected)


def _bench_models(config: RouterConfig, bench: Bench) -> list[str]:
    return [_model(config, name) for name in (bench.model, bench.baseline) if name is not None]


def _model(config: RouterConfig, name: str) -> str:
    model = config.catalog[name]
    provider = next(each for each in config.providers if each.name == model.provider)
    parts = (model.upstream, repr(model.price), provider.kind, provider.base_url, repr(provider.options))
    return _short(repr(parts).encode())


def _short(*parts: bytes) -> str:
    digest = blake2b(digest_size=12)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()
