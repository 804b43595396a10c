"""Asks whether anything that is sent brings the gateway down: what its document allows, what not, garbage, and crowds.

Run: `python simulations/fuzz_gateway.py [--minutes 5] [--seed N] [--connections 10000]`; as long as it is told to, and
half a minute for the connections, which need as many file descriptors: the soft limit is raised as far as it goes.
It ends with 1 where anything was found, and says what was sent.
"""

from __future__ import annotations

import argparse
import http.client
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given, seed, settings

from gateway_bodies import GOOD, bodies
from gateway_cases import cases, check, operations
from gateway_lab import Lab, lab, post
from gateway_sockets import crowd

LONG = settings(
    max_examples=50,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def main() -> int:
    """Fuzzes for as long as it is told to."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as served:
        found = _crowd(served, asked.connections) + _rounds(served, asked.minutes * 60.0, asked.seed)
    print(f"{found} found, from seed {asked.seed}")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--connections", type=int, default=10_000)
    return parser.parse_args()


def _crowd(served: Lab, wanted: int) -> int:
    """Connections that say nothing, while others are answered."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(wanted, most - 200)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:  # the other ends, which take as many descriptors
        seen = pool.submit(crowd, served.port, count).result()
    print(f"{seen.opened} of {count} connections open, {seen.answered} of {seen.asked} requests answered beside them,")
    print(f"the slowest in {seen.slowest_s * 1e3:.0f} ms")
    return int(seen.opened < count) + int(seen.answered < seen.asked)


def _rounds(served: Lab, for_s: float, first: int) -> int:
    """One round over all places after another; returns how many ended in a finding."""
    ends, turn, found = time.monotonic() + for_s, 0, 0
    with requests.Session() as session:
        for turn in range(10**9):
            for name, run in _round(served, session, first + turn):
                if time.monotonic() > ends:
                    print(f"\n{turn} rounds of {len(GOOD)} places and more")
                    return found
                print(f"\r{turn:4d} {name:60.60}", end="", flush=True)
                found += _failed(name, run, served)
    return found


def _round(served: Lab, session: requests.Session, number: int) -> list[tuple[str, Callable[[], None]]]:
    runs: list[tuple[str, Callable[[], None]]] = []
    for operation in operations():
        for allowed in (True, False) if operation.body else (True,):
            name = f"{'good' if allowed else 'bad'} {operation.label}"
            runs.append((name, _by_document(served, session, number, operation, allowed)))
    return runs + [(f"bytes {path}", _by_bytes(served, number, path)) for path in GOOD]


def _by_document(
    served: Lab, session: requests.Session, number: int, operation: Any, allowed: bool
) -> Callable[[], None]:
    @seed(number)
    @LONG
    @given(cases(operation, allowed=allowed))
    def run(case: Any) -> None:
        check(case, case.call(served.url, session=session))

    return run


def _by_bytes(served: Lab, number: int, path: str) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)

    @seed(number)
    @settings(LONG, max_examples=200)
    @given(bodies(path))
    def run(body: bytes) -> None:
        post(connection, path, body)

    return run


def _failed(name: str, run: Callable[[], None], served: Lab) -> bool:
    try:
        run()
        left = served.open_books()
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever was found is told, and the next is tried
        print(f"\n{name}: {error!r}")
        return True
    if left:
        print(f"\n{name}: not settled: {left}")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main())
