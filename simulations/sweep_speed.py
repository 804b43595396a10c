"""Writes the measured part of docs/sweeps.md: 7 budgets x 100 orders in one process, in two, and on a Dask cluster.

How much faster are two processes, or two workers of a cluster on this machine, than one, and is the result the same,
bit for bit? The three take turns, and each time counts all that a user waits for: starting processes, connecting.

Run: `python simulations/sweep_speed.py` on a machine with two free cores; about five minutes. `--orders 10 --rounds 1`
is for trying out: it prints, and leaves the page as it is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Mapping
from importlib.resources import files

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import orjson
from distributed import LocalCluster

from banditroute import OutcomeTable, load_table
from banditroute.cli.simulation_json import simulation_json
from banditroute.simulation.run import simulate
from banditroute.sweeping.dask_cluster import DaskCluster
from banditroute.sweeping.executor import Executor
from banditroute.sweeping.processes import Processes
from banditroute.sweeping.serial import Serial
from marked_page import footnote, write_part

BUDGETS_USD = (5e-5, 1e-4, 3e-4, 6.6e-4, 1e-3, 1.9e-3, 5e-3)
ORDERS, ROUNDS = 100, 3


def main() -> None:
    """Measures, prints, and writes where the whole of it ran."""
    options = _options()
    started = time.perf_counter()
    table = load_table(str(files("banditroute") / "data" / "demo_table.jsonl.gz"))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        executors = {
            "one process": Serial(),
            "`--jobs 2`": Processes(2),
            "`--cluster`, 2 workers": DaskCluster(cluster.scheduler_address),
        }
        seconds = _seconds(table, executors, options.orders, options.rounds)
    text = _text(table, seconds, options.orders, footnote(started, __file__))
    print(text)
    if (options.orders, options.rounds) == (ORDERS, ROUNDS):
        write_part("sweeps.md", "measured", text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=ORDERS, help="orders of the stream for each budget")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each takes its turn")
    return parser.parse_args()


def _seconds(
    table: OutcomeTable, executors: Mapping[str, Executor], orders: int, rounds: int
) -> Mapping[str, list[float]]:
    """What each took, round by round; ends the script where one found something else."""
    seconds: dict[str, list[float]] = {name: [] for name in executors}
    found: set[bytes] = set()
    for _ in range(rounds):
        for name, executor in executors.items():
            begun = time.perf_counter()
            result = simulate(table, budgets_usd=BUDGETS_USD, seeds=range(orders), executor=executor)
            seconds[name].append(time.perf_counter() - begun)
            document = simulation_json(result)
            del document["decisions_per_s"]
            found.add(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))
            assert len(found) == 1, f"{name} found something else"
    return seconds


def _text(table: OutcomeTable, seconds: Mapping[str, list[float]], orders: int, note: str) -> str:
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    alone = medians["one process"]
    rows = (f"| {name} | {median:.1f} s | {alone / median:.2f} |" for name, median in medians.items())
    decisions = len(BUDGETS_USD) * orders * table.requests
    head = (
        f"{len(BUDGETS_USD)} budgets in {orders} orders each, {decisions:,} decisions; medians of rounds "
        f"({len(next(iter(seconds.values())))}), starting and connecting included. All found the same, to the last bit."
    )
    return "\n".join([head, "", "| | | times as fast |", "|---|---|---|", *rows, "", f"{note}."])


if __name__ == "__main__":
    main()
