"""Writes the measured part of docs/adapters.md: 1,000 calls through LiteLLM's own Router, its models chosen three ways.

Asks, on loopback, with three models of judged9 and a silent drop of the middle one half way: what quality and dollars
come of banditroute's strategy inside LiteLLM's Router (at two paced budgets), of LiteLLM's adaptive router with its
shipped weights, and of its simple-shuffle, over the same rows in the same orders. Nobody is warmed up; the operator has
declared LiteLLM's quality tiers. A judged quality q reaches LiteLLM's cells as q successes and 1 - q failures, which
tells it more than the words of a user's next message would.

Run: `python simulations/litellm_adapter.py`; about two minutes an order. It needs LiteLLM (`pip install --group
peers`) and reads the judged table from ../shared/data. `--table val` is for trying out: it prints, and leaves the page
as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else importing it asks the network for prices

import litellm
import numpy as np
from litellm.router_strategy.adaptive_router.bandit import apply_delta, normalized_cost
from litellm.router_strategy.adaptive_router.classifier import classify_prompt
from numpy.typing import NDArray
from scipy import stats

from banditroute import OutcomeTable, load_table, open_router
from banditroute.adapters.litellm import attach, detach
from banditroute.errors import NotServedError
from banditroute.router import Router
from banditroute.simulation.scenario import QualityEvent, Scenario
from banditroute.simulation.stages import script_of
from banditroute.testing.faulty_exchange import Exchange, completion
from banditroute.testing.faulty_server import FaultyServer
from marked_page import footnote, write_part
from peer_litellm import TIERS
from peer_prices import LIST_PRICES

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "outcomes"
CALLS, DROP = 1000, 500
FALLS, TO = "mistral-large-2512", 0.75
BUDGETS_USD = (3e-4, 6.6e-4)
SEEDS = 5
POINTS_PER_USD = (5.0, 20.0)
SHARED = 0.7, 0.3  # LiteLLM's own weights of quality and cheapness

Floats = NDArray[np.float64]


class Ended(NamedTuple):
    """What came of one call."""

    model: int
    quality: float
    cost_usd: float


class Judged(NamedTuple):
    """How good the answer to a call was."""

    call: str
    prompt: str
    model: str
    quality: float


class Stream(NamedTuple):
    """Rows in their order, and what each model would bring of each: (n, K)."""

    table: OutcomeTable
    rows: NDArray[np.int64]
    quality: Floats
    cost_usd: Floats


class Way(Protocol):
    """A router of LiteLLM's, and how it hears what an answer was worth."""

    lite: Any

    async def hear(self, judged: Judged) -> None:
        """Hears it."""
        ...


def stream_of(table: OutcomeTable, seed: int) -> Stream:
    """A stream in which one model falls half way; models in the order of `LIST_PRICES`."""
    scenario = Scenario(events=(QualityEvent(at=DROP, model=FALLS, set=TO),))
    before, after = (stage.table for stage in script_of(table, scenario).stages)
    order = [table.models.index(name) for name in LIST_PRICES]
    rows = np.random.default_rng(seed).permutation(table.requests)[:CALLS]
    quality = np.where(np.arange(CALLS)[:, None] < DROP, before.quality[rows], after.quality[rows])
    return Stream(table, rows, quality[:, order], table.cost_usd[rows][:, order])


class Upstream:
    """Answers as the model that is asked would have, billed as in the table; the body says which row it is."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._names = list(LIST_PRICES)

    async def __call__(self, exchange: Exchange) -> None:
        row, model = exchange.body["row"], exchange.body["model"]
        price = LIST_PRICES[model]
        inputs = max(int(np.nan_to_num(self._stream.table.input_tokens[self._stream.rows[row]], nan=50.0)), 1)
        usd = self._stream.cost_usd[row, self._names.index(model)]
        outputs = max(round((usd * 1e6 - inputs * price.input_usd_per_mtok) / price.output_usd_per_mtok), 1)
        usage = {"prompt_tokens": inputs, "completion_tokens": outputs, "total_tokens": inputs + outputs}
        exchange.reply(200, completion(usage=usage))


def deployments(server: FaultyServer, group: str | None) -> list[dict[str, Any]]:
    """The three models as deployments of one group, or each of a group of its own."""
    rows: list[dict[str, Any]] = []
    for name, price in LIST_PRICES.items():
        params = {"model": f"openai/{name}", "api_base": server.base_url, "api_key": "x"}
        info = {
            "id": name,
            "input_cost_per_token": price.input_usd_per_mtok * 1e-6,
            "output_cost_per_token": price.output_usd_per_mtok * 1e-6,
            "adaptive_router_preferences": {"quality_tier": TIERS[name]},
        }
        rows.append({"model_name": group or name, "litellm_params": params, "model_info": info})
    return rows


class Shuffle:
    """LiteLLM's simple-shuffle."""

    def __init__(self, server: FaultyServer) -> None:
        self.lite = litellm.Router(model_list=deployments(server, "auto"), num_retries=0)

    async def hear(self, judged: Judged) -> None:
        """It does not listen."""


class Adaptive:
    """LiteLLM's adaptive router with its shipped weights."""

    def __init__(self, server: FaultyServer) -> None:
        config = {"available_models": list(LIST_PRICES), "weights": {"quality": SHARED[0], "cost": SHARED[1]}}
        params = {"model": "auto_router/adaptive_router", "adaptive_router_config": config}
        params["adaptive_router_default_model"] = FALLS
        models = [*deployments(server, None), {"model_name": "auto", "litellm_params": params}]
        self.lite = litellm.Router(model_list=models, num_retries=0)
        [tagged] = self.lite.registry().plugins("adaptive")["auto"]
        self._cells = tagged.strategy._cells

    async def hear(self, judged: Judged) -> None:
        """As successes and failures of the request's type."""
        cell = classify_prompt(judged.prompt), judged.model
        self._cells[cell] = apply_delta(self._cells[cell], judged.quality, 1.0 - judged.quality)


class Ours:
    """Banditroute's strategy in LiteLLM's Router."""

    def __init__(self, server: FaultyServer, router: Router, seed: int) -> None:
        self.lite = litellm.Router(model_list=deployments(server, "auto"), num_retries=0)
        self.strategy = attach(self.lite, router, seed=seed)
        self._router = router

    async def hear(self, judged: Judged) -> None:
        """By the name that the call was given, once LiteLLM has told how it ended."""
        while True:
            try:
                await self._router.feedback(request_id=judged.call, quality=judged.quality)
            except NotServedError:
                await asyncio.sleep(0.001)
            else:
                return


def toml(budget_usd: float, seed: int) -> str:
    """The router.toml of a run: the catalog at list prices, and a paced budget."""
    lines = ['[[providers]]\nname = "litellm"\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"']
    for name, price in LIST_PRICES.items():
        lines.append(
            f'[[models]]\nname = "{name}"\nprovider = "litellm"\ninput_usd_per_mtok = {price.input_usd_per_mtok}\n'
            f"output_usd_per_mtok = {price.output_usd_per_mtok}"
        )
    lines.append(f'[[budgets]]\nusd_per_request = {budget_usd}\n[routing]\nseed = {seed}\n[store]\nkind = "memory"')
    return "\n".join(lines)


@asynccontextmanager
async def way_of(name: str, server: FaultyServer, seed: int) -> AsyncIterator[Way]:
    """The router of a row of the table; a number is the budget of ours."""
    if name == "simple-shuffle":
        yield Shuffle(server)
    elif name == "adaptive":
        yield Adaptive(server)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "router.toml")
            path.write_text(toml(float(name), seed), encoding="utf-8")
            async with open_router(path) as router:
                ours = Ours(server, router, seed)
                yield ours
                detach(ours.strategy)


async def run(name: str, table: OutcomeTable, seed: int) -> list[Ended]:
    """One router over one order."""
    random.seed(seed)  # LiteLLM draws from the interpreter's generator
    stream, names = stream_of(table, seed), list(LIST_PRICES)
    ended: list[Ended] = []
    async with FaultyServer((), Upstream(stream)) as server, way_of(name, server, seed) as way:
        for number, row in enumerate(stream.rows):
            prompt, call = table.prompts[row] or "", f"call-{number}"
            asked = {"messages": [{"role": "user", "content": prompt}], "extra_body": {"row": number}}
            answer = await way.lite.acompletion(model="auto", metadata={"request_id": call}, **asked)
            model = names.index(answer._hidden_params["model_id"])
            ended.append(Ended(model, *(float(each[number, model]) for each in (stream.quality, stream.cost_usd))))
            await way.hear(Judged(call, prompt, names[model], ended[-1].quality))
    return ended


def figures(runs: Mapping[int, list[Ended]]) -> list[str]:
    """A row's cells: quality before and after, dollars, shares, utilities; mean of the orders."""
    model, quality, usd = (np.array([[each[i] for each in ended] for ended in runs.values()]) for i in range(3))
    costs = [price.input_usd_per_mtok for price in LIST_PRICES.values()]
    cheapness = np.array([normalized_cost(cost, costs) for cost in costs])[model.astype(int)]
    shares = [f"{(model == k).mean():.0%}" for k in range(len(costs))]
    utilities = [quality - points * usd for points in POINTS_PER_USD]
    utilities.append(SHARED[0] * quality + SHARED[1] * cheapness)
    return [
        f"{quality[:, :DROP].mean():.3f}",
        f"{quality[:, DROP:].mean():.3f}",
        f"{1000 * usd.mean():.2f}",
        " ".join(shares),
        *(f"**{each.mean():.3f}** ± {_halfwidth(each.mean(1)):.3f}" for each in utilities),
    ]


def _halfwidth(means: Floats) -> float:
    """Of the 95% interval of a mean over orders, by Student's t."""
    n = means.size
    return float(stats.t.ppf(0.975, n - 1) * means.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")


def text_of(runs: Mapping[str, Mapping[int, list[Ended]]], note: str) -> str:
    """The measured part of the page."""
    labels = {"simple-shuffle": "LiteLLM's simple-shuffle", "adaptive": "LiteLLM's adaptive router"}
    worth = [f"quality − {points:g} × dollars" for points in POINTS_PER_USD]
    head = ["", "quality before", "after the drop", "dollars per 1,000", "llama, mistral, gemini", *worth]
    head.append(f"LiteLLM's own score, {SHARED[0]:g} × quality + {SHARED[1]:g} × cheapness")
    lines = [f"{note}. LiteLLM {version('litellm')}; mean of {len(next(iter(runs.values())))} orders, ± 95%.", ""]
    lines += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, each in runs.items():
        label = labels.get(name) or f"banditroute's strategy, paced at ${float(name):.2g} a request"
        lines.append(f"| {label} | {' | '.join(figures(each))} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, and writes where the scored table was played in full."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="orders of the stream")
    parser.add_argument("--table", choices=("val", "test"), default="test", help="half of the judged table")
    options = parser.parse_args()
    started, table = time.perf_counter(), load_table(DATA / f"judged9_{options.table}.jsonl.gz")
    runs: dict[str, dict[int, list[Ended]]] = {}
    for name in (*map(str, BUDGETS_USD), "adaptive", "simple-shuffle"):
        for seed in range(options.seeds):
            runs.setdefault(name, {})[seed] = asyncio.run(run(name, table, seed))
            sys.stderr.write(f"{time.perf_counter() - started:5.0f} s  {name}, order {seed}\n")
    text = text_of(runs, footnote(started, __file__))
    print(text)
    if options.table == "test" and options.seeds == SEEDS:
        write_part("adapters.md", "measured", text)


if __name__ == "__main__":
    main()
