"""The work of `banditroute warm-start`: outcomes become lessons, lessons a saved policy, with the line to paste."""

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from rich.table import Table

from banditroute.assemble import decider_of
from banditroute.cli.tables import add_figures, add_names, plain_console, printable
from banditroute.config import RouterConfig, load_config
from banditroute.errors import InputError
from banditroute.evaluation.loading import load_log
from banditroute.evaluation.log import LogTable
from banditroute.learning.pacer import Pacer
from banditroute.prompting import prompting_of
from banditroute.records import ChatRequest, Context, Forecast
from banditroute.reports import format as form
from banditroute.routing.budgets import PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import SIGNALS, Lesson, inputs_of, log_latency, log_tokens
from banditroute.routing.saved import SavedPolicy, SavedPrice, saved_policy
from banditroute.routing.tasks import GENERAL, FeatureEncoder, Task
from banditroute.simulation.loading import load_table
from banditroute.simulation.reading import check_file
from banditroute.simulation.table import OutcomeTable
from banditroute.storage.policy_file import ENDING, write_policy

_CONTEXTS = 256  # requests that the prices are solved from
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class _Known(NamedTuple):
    """What a source says: a lesson for each outcome, and the contexts that they were had in."""

    lessons: list[Lesson]
    contexts: list[Context]


def warm_start(source: Path, config: Path, out: Path | None, ess: float, *, json: bool) -> None:
    """Writes the saved policy, and says what a router that begins with it believes.

    Raises:
        InputError: the source or the configuration cannot be used, or shares no model with the other.
    """
    if not (math.isfinite(ess) and ess > 0.0):
        raise InputError(f"{ess:g} is no number of observations", remedy="give a number above 0", field="--ess")
    plan = load_config(config)
    bare = replace(plan, routing=replace(plan.routing, warm_start=None))
    encoder = prompting_of(plan).encoder
    known = _known(source, bare, encoder)
    if not known.lessons:
        problem = f"no outcome in it is of one of the router's models: {', '.join(plan.catalog.names)}"
        raise InputError(problem, remedy="name models alike in both", path=str(source))
    saved = saved_policy(known.lessons, encoder.version, encoder.width + 2, ess, source.name)
    decider = decider_of(bare, encoder)
    decider.begin_with(saved)
    saved = replace(saved, prices=_prices(bare, decider, known.contexts))
    target = out or config.parent / f"{source.name.split('.')[0]}{ENDING}"
    write_policy(saved, target)
    line = f'warm_start = "{_relative(target, config)}"'
    if json:
        sys.stdout.write(orjson.dumps(_document(saved, target, line, decider, known), option=_JSON).decode())
    else:
        _print(saved, target, line, decider, known)


def _known(source: Path, plan: RouterConfig, encoder: FeatureEncoder) -> _Known:
    check_file(str(source))
    if _is_log(source):
        return _of_log(load_log(source).log, plan, encoder)
    return _of_table(load_table(source), plan, encoder)


def _is_log(source: Path) -> bool:
    """Whether it is a decision log, as its first line says; what cannot be read is left to the table's reader."""
    import gzip

    name = source.name.lower()
    if not name.endswith((".jsonl", ".jsonl.gz")):
        return False
    try:
        with gzip.open(source) if name.endswith(".gz") else source.open("rb") as file:
            return b'"decision_id"' in file.readline()
    except (OSError, EOFError):
        return False


def _of_table(table: OutcomeTable, plan: RouterConfig, encoder: FeatureEncoder) -> _Known:
    contexts = list(_contexts_of_table(table, plan, encoder))
    arms = [(k, model) for k, model in enumerate(table.models) if model in plan.catalog]
    lessons = [
        _lesson(context, model, table.quality[i, k], table.output_tokens[i, k], table.latency_s[i, k])
        for i, context in enumerate(contexts)
        for k, model in arms
        if np.isfinite(table.quality[i, k])
    ]
    return _Known(lessons, contexts)


def _contexts_of_table(table: OutcomeTable, plan: RouterConfig, encoder: FeatureEncoder) -> Iterator[Context]:
    """What the router would see of each row: classes of the table, or by the prompt; features likewise."""
    classifier = prompting_of(plan).classifier
    names = (*table.tasks, "")
    for i in range(table.requests):
        prompt = table.prompts[i]
        request = None if prompt is None else ChatRequest(({"role": "user", "content": prompt},))
        name = names[table.task_of[i]]
        task = Task(name) if name else Task(GENERAL) if request is None else classifier.classify(request)
        tokens = table.input_tokens[i]
        features = _features(request, task, tuple(table.features[i].tolist()), encoder, plan)
        yield Context(task.name, features, 0 if np.isnan(tokens) else int(tokens), encoder.version)


def _features(
    request: ChatRequest | None, task: Task, given: tuple[float, ...], encoder: FeatureEncoder, plan: RouterConfig
) -> tuple[float, ...]:
    """The features that the router would see: given by callers, or encoded from the prompt.

    Raises:
        InputError: neither is there.
    """
    if encoder.width == 0:
        return ()
    if plan.routing.features:
        if len(given) == plan.routing.features:
            return given
        problem = f"its rows have {len(given)} features, the router's callers give {plan.routing.features}"
        raise InputError(problem, remedy="encode both alike", field="features")
    if request is None:
        raise InputError(
            f"a row has no prompt for the encoder {encoder.version!r} to read",
            remedy='give every row its prompt, or set routing.encoder = "none"',
            field="prompt",
        )
    return encoder.encode(request, task)


def _of_log(log: LogTable, plan: RouterConfig, encoder: FeatureEncoder) -> _Known:
    """What the models that served showed; a log keeps features, so that no prompt is needed."""
    if log.features.shape[1] != encoder.width:
        problem = f"its rows have {log.features.shape[1]} features, the router's encoder makes {encoder.width}"
        raise InputError(problem, remedy="use the log of a router with the same encoder", path=log.name)
    contexts = [
        Context(
            log.tasks[log.task_of[i]],
            tuple(log.features[i].tolist()),
            0 if np.isnan(log.input_tokens[i]) else int(log.input_tokens[i]),
            encoder.version,
        )
        for i in range(log.rows)
    ]
    lessons: list[Lesson] = []
    for i, context in enumerate(contexts):
        served = log.served[i]
        if served >= 0 and log.models[served] in plan.catalog:
            seconds = log.latency_s[i] if served == log.chosen[i] else math.nan
            lessons.append(_lesson(context, log.models[served], log.quality[i], log.output_tokens[i], seconds))
    return _Known(lessons, contexts)


def _lesson(context: Context, model: str, quality: float, output_tokens: float, latency_s: float) -> Lesson:
    values = (
        None if math.isnan(quality) else float(quality),
        log_tokens(output_tokens) if output_tokens > 0 else None,
        log_latency(latency_s) if latency_s > 0 else None,
    )
    return Lesson(context.task, model, context.encoder_version, inputs_of(context), values)


def _prices(plan: RouterConfig, decider: Decider, contexts: list[Context]) -> dict[str, SavedPrice]:
    """Where each paced budget of all traffic begins: at the price that requests like these would have needed."""
    some = contexts[:: max(len(contexts) // _CONTEXTS, 1)]
    expected = [decider.beliefs(each.task, each.input_tokens, each.features) for each in some]
    drawable = [model for model in plan.catalog.names if plan.catalog[model].routed]
    quality = np.array([[each[model].quality for model in drawable] for each in expected])
    cost_usd = np.array([[each[model].cost_usd for model in drawable] for each in expected])
    prices: dict[str, SavedPrice] = {}
    for budget in plan.budgets:
        if isinstance(budget, PacedBudget) and budget.scope.kind == "global":
            pacer = Pacer(budget.usd_per_request, plan.routing.policy.pacing)
            pacer.foresee(quality, cost_usd / budget.usd_per_request)
            prices[budget.name] = SavedPrice(budget.usd_per_request, float(pacer.pace.log_price))
    return prices


def _relative(target: Path, config: Path) -> str:
    """The target as router.toml names it: from its own folder where it lies there."""
    folder = config.parent.resolve()
    where = target.resolve()
    return (where.relative_to(folder) if where.is_relative_to(folder) else where).as_posix()


class _Row(NamedTuple):
    task: str
    model: str
    outcomes: float
    forecast: Forecast


def _rows(saved: SavedPolicy, decider: Decider, known: _Known) -> Iterator[_Row]:
    """What is believed of every edge at a prompt of the class's usual length."""
    tokens: dict[str, list[int]] = {}
    for context in known.contexts:
        tokens.setdefault(context.task, []).append(context.input_tokens)
    for edge, sums in sorted(saved.evidence.items()):
        if edge.signal == SIGNALS[0]:
            usual = int(np.median(tokens[edge.task]))
            yield _Row(edge.task, edge.model, float(sums.n), decider.beliefs(edge.task, usual)[edge.model])


def _document(saved: SavedPolicy, target: Path, line: str, decider: Decider, known: _Known) -> dict[str, Any]:
    edges = [
        {"task": row.task, "model": row.model, "worth": row.outcomes}
        | {"quality": row.forecast.quality, "cost_usd": row.forecast.cost_usd, "latency_s": row.forecast.latency_s}
        for row in _rows(saved, decider, known)
    ]
    prices = {name: math.exp(price.log_price) for name, price in saved.prices.items()}
    return {"file": str(target), "config_line": line, "shadow_prices": prices, "edges": edges}


def _print(saved: SavedPolicy, target: Path, line: str, decider: Decider, known: _Known) -> None:
    console = plain_console()
    table = Table(box=None, pad_edge=False)
    add_names(table, "class")
    add_names(table, "model")
    add_figures(table, "worth", "quality", "$ per request")
    for row in _rows(saved, decider, known):
        figures = f"{row.outcomes:.0f}", form.quality(row.forecast.quality), form.money(row.forecast.cost_usd)
        table.add_row(printable(row.task), printable(row.model), *figures)
    console.print(table)
    console.print()
    lessons = form.plural(len(known.lessons), "outcome")
    console.print(f"{lessons} made {target}, worth {saved.observations:,.0f} observations.", soft_wrap=True)
    for name, price in saved.prices.items():
        console.print(f"Budget {printable(name)} begins at a shadow price of {math.exp(price.log_price):.3g}.")
    console.print(f"Paste below [routing] in router.toml:\n\n{line}", soft_wrap=True)
