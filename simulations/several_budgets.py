"""Writes the measured part of docs/several-budgets.md: two tenants' daily caps and a monthly one, held together.

Two months of traffic: every day is the code trace of Azure (an hour of it, stretched to a day), thinned to some 600
requests on a weekday, four tenths as many at weekends, half as many again in the second month. Calls take as much
longer as the trace is slower, so that as many are under way as were. Rows of the judged table are streamed again and
again; prices by the token are such that their tokens cost what the table says. Callers limit answers to 1,500 tokens:
the few that are longer are billed as if cut there. 20 seeds, three ways to spend: half an hour on two cores. It reads
../shared/data and stops where there is none.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import load_table
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.simulation.traffic import DAY_S, Arrivals, load_trace, shared_out, thinned, tiled
from banditroute.simulation.world import Lived, World
from banditroute.simulation.world_prices import Priced, priced
from marked_page import footnote, write_part

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
SEEDS = 20
START = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
DAYS, FIRST_MONTH = 59, 28
MAX_TOKENS = 1_500
A_WEEKDAY, WEEKEND, GROWTH = 600, 0.4, 1.5
TENANTS = {"acme": 0.6, "beta": 0.4}
CAPS = (
    Cap("acme, a day", 1.00, "day", Scope("tenant", "acme")),
    Cap("beta, a day", 0.08, "day", Scope("tenant", "beta")),
    Cap("all, a month", 20.0, "month"),
)
WAYS = ("paced caps", "caps that are not paced", "an even split by hand")


class Run(NamedTuple):
    """What one seed showed of one way to spend."""

    way: str
    quality: float
    late_quality: float
    degraded: float
    windows: list[tuple[str, float, float]]


def main() -> None:
    """Measures and writes."""
    if not DATA.is_dir():
        sys.exit(f"the data is not there: {DATA}")
    started = time.perf_counter()
    half = "val" if "--val" in sys.argv else "test"
    seeds = int(sys.argv[-1]) if sys.argv[-1].isdigit() else SEEDS
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(run, *zip(*product(range(seeds), WAYS, [half]), strict=True)))
    lines = [
        "| | quality | in each day's last quarter | only the cheapest fitted "
        "| " + " | ".join(f"{cap.name}: spent / cap, mean (least to most)" for cap in CAPS) + " |",
        "|---|---|---|---|" + "---|" * len(CAPS),
        *(row(way, [run for run in runs if run.way == way]) for way in WAYS),
        "",
        *sentences(runs),
        f"{footnote(started, __file__)}.",
    ]
    text = "\n".join(lines)
    print(text)
    if half == "test" and seeds == SEEDS:
        write_part("several-budgets.md", "measured", text)


def run(seed: int, way: str, half: str) -> Run:
    """One seed of one way to spend."""
    table = limited(priced(load_table(DATA / "outcomes" / f"judged9_{half}.jsonl.gz")))
    rng = np.random.default_rng([seed, 7])
    arrivals, slower = traffic(rng)
    caps = tuple(replace(cap, paced=way == WAYS[0]) for cap in CAPS)
    paces = by_hand() if way == WAYS[2] else ()
    features = table.table.features.shape[1]
    decider = Decider(
        table.catalog,
        table.table.tasks,
        features,
        budgets=paces,
        caps=[cap for cap in caps if cap.paced],
        encoder_version=f"table-{features}",
    )

    def latency(_model: str, _in_flight: int, chance: np.random.Generator) -> float:
        return slower * float(chance.lognormal(np.log(2.0), 0.6))

    world = World(
        table,
        arrivals,
        decider,
        Ledger(caps),
        seed=seed,
        latency=latency,
        deadline_s=60.0 * slower,
        max_tokens=MAX_TOKENS,
    )
    return summed_up(way, world.run(), arrivals)


def limited(table: Priced) -> Priced:
    """The table with no answer longer than callers allow."""
    most_usd = np.array([model.price.bound_usd(0, MAX_TOKENS) for model in table.catalog])
    cut = replace(table.table, cost_usd=np.minimum(table.table.cost_usd, most_usd))
    return replace(table, table=cut, output_tokens=np.minimum(table.output_tokens, MAX_TOKENS))


def traffic(rng: np.random.Generator) -> tuple[Arrivals, float]:
    """Two months of arrivals, and how many times slower than in the trace they come on a weekday."""
    trace = load_trace(DATA / "traces" / "azure_code.jsonl.gz")
    at = tiled(trace, DAYS * trace.size, START, DAY_S)
    keep = A_WEEKDAY / trace.size
    p = np.repeat([keep * busy(day) for day in range(DAYS)], trace.size)
    return shared_out(thinned(at, p, rng), TENANTS, rng), DAY_S / trace[-1] / keep


def busy(day: int) -> float:
    """A day's traffic over a weekday's of the first month."""
    weekend = datetime.fromtimestamp(START + day * DAY_S, UTC).weekday() >= 5
    return (WEEKEND if weekend else 1.0) * (GROWTH if day >= FIRST_MONTH else 1.0)


def by_hand() -> tuple[PacedBudget, ...]:
    """Each cap as dollars per request, by the mean traffic of the first month: what somebody with a calculator does."""
    a_day = A_WEEKDAY * float(np.mean([busy(day) for day in range(FIRST_MONTH)]))
    share = {"acme": TENANTS["acme"], "beta": TENANTS["beta"], "": 1.0}
    days = {"day": 1.0, "month": 30.0}
    return tuple(
        PacedBudget(f"{cap.name}, by hand", cap.usd / (a_day * share[cap.scope.name] * days[cap.per]), cap.scope)
        for cap in CAPS
    )


def summed_up(way: str, lived: Lived, arrivals: Arrivals) -> Run:
    """The figures of one run: means over requests, and every window of every cap at its end."""
    late = (arrivals.at % DAY_S) >= 0.75 * DAY_S
    windows = [
        (window.budget, spent / lived.allowed_usd[window], spent) for window, spent in sorted(lived.spent_usd.items())
    ]
    return Run(
        way, float(lived.quality.mean()), float(lived.quality[late].mean()), float(lived.degraded.mean()), windows
    )


def row(way: str, runs: Sequence[Run]) -> str:
    """One way to spend, over all seeds."""
    cells = [with_sem([run.quality for run in runs]), with_sem([run.late_quality for run in runs])]
    cells.append(f"{np.mean([run.degraded for run in runs]):.1%}")
    cells += [spread([share for run in runs for name, share, _ in run.windows if name == cap.name]) for cap in CAPS]
    return f"| {way} | {' | '.join(cells)} |"


def with_sem(values: Sequence[float]) -> str:
    array: NDArray[np.float64] = np.array(values)
    return f"{array.mean():.4f} ± {array.std(ddof=1) / np.sqrt(array.size):.4f}"


def spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def sentences(runs: Sequence[Run]) -> list[str]:
    """What stands out."""
    windows = {way: [share for run in runs if run.way == way for _, share, _ in run.windows] for way in WAYS}
    return [
        f"Of {len(windows[way]):,} windows with {way}, {sum(share > 1.01 for share in windows[way]):,} ended above "
        f"1.01 x their cap; the highest at {max(windows[way]):.4f}."
        for way in WAYS
    ]


if __name__ == "__main__":
    main()
