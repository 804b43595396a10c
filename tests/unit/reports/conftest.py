"""Made-up simulation results that look like real ones: drawn rows, and policies that know the class means."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from banditroute.reports import Cell, Chart, Fold, Report, Table, render
from banditroute.simulation.results import (
    Edge,
    FixedModel,
    Floats,
    Frontier,
    Phase,
    PolicyResult,
    SimulationResult,
    Trace,
)

MODELS = ("llama-3.1-8b-instruct", "mistral-large", "gemini-2.5-pro")
TASKS = ("arc", "bbh", "gsm8k", "hellaswag", "mbpp", "mmlu", "openbookqa", "truthfulqa", "winogrande")
LEARNERS = frozenset({"thompson", "greedy", "epsilon", "linucb"})


@dataclass(frozen=True)
class World:
    """Rows of a table: the class (n,) of each, and quality and dollars (n, K) of every model on it."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    task: np.ndarray
    quality: Floats
    cost_usd: Floats

    def class_means(self, values: Floats) -> Floats:
        return np.array([values[self.task == c].mean(axis=0) for c in range(len(self.tasks))])


def make_world(models=MODELS, tasks=TASKS, rows: int = 900, seed: int = 3, cheapest_usd: float = 2e-5) -> World:
    rng = np.random.default_rng(seed)
    K, C = len(models), len(tasks)
    task = rng.permutation(np.arange(rows) % C)
    skill = np.linspace(0.72, 0.95, K) if K > 1 else np.array([0.8])
    mean = np.clip(skill + rng.normal(0, 0.07, (C, K)), 0.05, 0.99)
    quality = np.clip(mean[task] + rng.normal(0, 0.18, (rows, K)), 0, 1)
    price = cheapest_usd * np.geomspace(1, 500, K) if K > 1 else np.array([cheapest_usd])
    cost = price * rng.lognormal(0, 0.5, (rows, 1)) * rng.lognormal(0, 0.3, (C, 1))[task]
    return World(tuple(models), tuple(tasks), task, quality, cost)


def make_result(
    world: World | None = None,
    policies: tuple[str, ...] = ("thompson", "mixture", "linucb"),
    budgets: tuple[float | None, ...] | None = None,
    seeds: int = 20,
    notes: tuple[str, ...] = (),
    events: tuple[int, ...] = (),
    offset: float = 0.0,
) -> SimulationResult:
    """A result on a world; `offset` moves the quality of every policy, to make them win or lose."""
    world = world or make_world()
    fixed = {
        name: FixedModel(float(world.quality[:, k].mean()), float(world.cost_usd[:, k].mean()), len(world.task))
        for k, name in enumerate(world.models)
    }
    costs = sorted(one.cost_usd for one in fixed.values())
    if budgets is None:
        budgets = tuple(float(b) for b in np.geomspace(costs[0] * 1.3, costs[-1] * 0.8, 5))
    envelope, oracle = _envelope(fixed), _oracle(world)
    results = tuple(
        _policy(world, policy, budget, seeds, envelope, oracle, fixed, events, offset)
        for policy in policies
        for budget in budgets
    )
    return SimulationResult(
        "judged9_test.jsonl.gz",
        "judged9_val.jsonl.gz",
        len(world.task),
        world.models,
        fixed,
        envelope,
        oracle,
        results,
        21834.6,
        notes,
    )


@pytest.fixture
def make() -> Callable[..., SimulationResult]:
    return make_result


@pytest.fixture
def world() -> Callable[..., World]:
    return make_world


@pytest.fixture(scope="session")
def usual() -> SimulationResult:
    return make_result(notes=("12 rows lack gemini-2.5-pro; its own figures use the other 888.",))


def _envelope(fixed: dict[str, FixedModel]) -> Frontier:
    best: list[FixedModel] = []
    for one in sorted(fixed.values(), key=lambda model: (model.cost_usd, -model.quality)):
        if best and one.quality <= best[-1].quality:
            continue
        while len(best) > 1 and _slope(best[-1], one) >= _slope(best[-2], best[-1]):
            best.pop()
        best.append(one)
    return Frontier(np.array([one.cost_usd for one in best]), np.array([one.quality for one in best]))


def _slope(low: FixedModel, high: FixedModel) -> float:
    return (high.quality - low.quality) / max(high.cost_usd - low.cost_usd, 1e-12)


def _oracle(world: World) -> Frontier:
    scale = 1 / max(float(world.cost_usd.mean()), 1e-9)
    points = []
    for price in np.geomspace(1e3, 1e-4, 60) * scale:
        best = np.argmax(world.quality - price * world.cost_usd, axis=1)[:, None]
        points.append(tuple(float(np.take_along_axis(of, best, 1).mean()) for of in (world.cost_usd, world.quality)))
    return Frontier(*np.array(sorted(set(points))).T)


def _mix(world: World, policy: str, budget: float | None) -> Floats:
    """Choice probabilities (C, K) that spend the budget, if there is one."""
    quality, cost = world.class_means(world.quality), world.class_means(world.cost_usd)
    K = len(world.models)
    if policy.startswith("fixed:"):
        return np.tile(np.eye(K)[world.models.index(policy.removeprefix("fixed:"))], (len(world.tasks), 1))
    if policy == "random":
        return np.full((len(world.tasks), K), 1 / K)
    if policy == "mixture":
        quality = np.tile(quality.mean(axis=0), (len(world.tasks), 1))
    sharp = 60 if policy != "linucb" else 25

    def at(price: float) -> Floats:
        utility = sharp * (quality - price * cost)
        weight = np.exp(utility - utility.max(axis=1, keepdims=True))
        return weight / weight.sum(axis=1, keepdims=True)

    if budget is None:
        return at(0)
    prices = np.geomspace(1e-3, 1e7, 300)
    return at(next((price for price in prices if (at(price) * cost).sum(axis=1).mean() <= budget), prices[-1]))


def _policy(world, policy, budget, seeds, envelope, oracle, fixed, events, offset) -> PolicyResult:
    rng = np.random.default_rng([len(policy), seeds, int(1e7 * (budget or 0))])
    quality, cost = world.class_means(world.quality), world.class_means(world.cost_usd)
    mix = _mix(world, policy, budget)
    spend = float((mix * cost).sum(axis=1).mean())
    n, T = len(world.task), 50
    requests = np.unique(np.linspace(0, n, T + 1).astype(np.int64)[1:])
    stretches = np.diff(np.concatenate([[0], requests]))
    settling = np.exp(-requests / (0.06 * n))[:, None]
    even = np.full(len(world.models), 1 / len(world.models))
    share = (1 - 0.5 * settling) * mix.mean(axis=0) + 0.5 * settling * even
    share = np.abs(share + rng.normal(0, 0.015, share.shape) * (share > 0.01))
    rates = spend * (
        1 + 0.8 * settling.T * rng.normal(0.3, 0.6, (seeds, 1)) + rng.normal(0, 0.15, (seeds, len(requests)))
    )
    total = np.cumsum(np.abs(rates) * stretches, axis=1)
    mean = float((mix * quality).sum(axis=1).mean()) + offset
    values = mean + rng.normal(0, 0.002, seeds)
    reference = budget if budget is not None else max(one.cost_usd for one in fixed.values())
    bounds = [0, *events, n]
    return PolicyResult(
        policy=policy,
        budget_usd=budget,
        seeds=tuple(range(seeds)),
        quality=values,
        cost_usd=total[:, -1] / n,
        share=mix.mean(axis=0),
        envelope_quality=envelope.at(reference),
        oracle_quality=oracle.at(reference),
        phases=tuple(
            Phase(first, last, values + rng.normal(0, 0.004, seeds), total[:, -1] / n, budget)
            for first, last in pairwise(bounds)
        ),
        trace=Trace(
            requests, total, np.tile(values[:, None], (1, len(requests))), share / share.sum(axis=1, keepdims=True)
        ),
        edges=tuple(
            _edge(world, policy, c, k, mix, quality, cost, rng)
            for c in range(len(world.tasks))
            for k in range(len(world.models))
        ),
    )


def _edge(world, policy, c, k, mix, quality, cost, rng) -> Edge:
    learns = policy in LEARNERS
    sd = 0.2 / np.sqrt(8 + mix[c, k] * 100)
    return Edge(
        world.tasks[c],
        world.models[k],
        float(mix[c, k]),
        float(quality[c, k] + rng.normal(0, sd)) if learns else np.nan,
        float(sd) if learns else np.nan,
        float(cost[c, k] * np.exp(rng.normal(0, sd))) if learns else np.nan,
        float(quality[c, k]),
        float(cost[c, k]),
    )


VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})


class _Tags(HTMLParser):
    """The tags of a page, each closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _lawful(report: Report) -> str:
    html = render(report)
    tags = _Tags(html).seen
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    wanted = {attrs[key] for _, attrs in tags for key in ("aria-labelledby", "aria-describedby") if key in attrs}
    wanted |= {(attrs["href"] or "").removeprefix("#") for _, attrs in tags if "href" in attrs}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", html))
    assert len(ids) == len(set(ids))
    assert wanted <= set(ids)
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img"}]
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {"http://www.w3.org/2000/svg"}
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert not re.search(r"#[0-9a-fA-F]{6}\b", re.sub(r"url\(#[^)]*\)|href=\"#[^\"]*\"", "", drawing))
        assert re.search(r"<title [^>]*>[^<]+</title>\s*<desc [^>]*>[^<]+</desc>", drawing)
    for figure in re.findall(r"<figure class=\"chart\".*?</figure>", html, re.DOTALL):
        assert re.search(r"<details class=\"data\">.*<table.*</details>", figure, re.DOTALL)
    return html


@pytest.fixture
def lawful() -> Callable[[Report], str]:
    """Renders a report, and sees to it that the page is whole, self-contained, themed and accessible."""
    return _lawful


def _named(report: Report, name: str) -> Table:
    waiting = [block for section in report.sections for block in section.blocks]
    while waiting:
        block = waiting.pop(0)
        waiting += block.blocks if isinstance(block, Fold) else ()
        table = block.data if isinstance(block, Chart) and block.data.name == name else block
        if isinstance(table, Table) and table.name == name:
            return table
    raise KeyError(name)


@pytest.fixture
def column() -> Callable[[Report, str, str], tuple[Cell, ...]]:
    """Finds a column's cells by its table's name and its key."""

    def found(report: Report, table: str, key: str) -> tuple[Cell, ...]:
        return next(each.cells for each in _named(report, table).columns if each.key == key)

    return found


@pytest.fixture
def chart() -> Callable[[Report, str], Chart]:
    """Finds a chart by its name."""

    def found(report: Report, name: str) -> Chart:
        blocks = [block for section in report.sections for block in section.blocks]
        return next(block for block in blocks if isinstance(block, Chart) and block.name == name)

    return found
