"""simulate, tune and bench find the same, bit for bit, in one process, in two, and on a Dask cluster."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from banditroute.benching.grading import graded_by, markers_of
from banditroute.cli.app import run
from banditroute.config.values import GraderConfig
from banditroute.grading.make import KINDS, grader_of
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion
from banditroute.sweeping.executor import silent
from banditroute.sweeping.packing import packed, unpacked
from banditroute.testing.faulty_exchange import Exchange, completion
from banditroute.testing.threaded_server import threaded_server

distributed = pytest.importorskip("distributed")

MAIN = (sys.executable, "-c", "from banditroute.cli import main; main()")
DEMO = str(files("banditroute") / "data" / "demo_table.jsonl.gz")
STORM = "[traffic]\narrivals = 0.008\n[[budgets]]\nusd = 0.6\nper = 'day'\n"
EVENTS = "[[event]]\nat = 8\nkind = 'price'\nmodel = 'mistral-large-2512'\nfactor = 3.0\nannounced = false\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers in threads of this process, reached over loopback: they start in a moment."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0"
    ) as started:
        yield started.scheduler_address


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The first requests of the demonstration's table."""
    path = tmp_path_factory.mktemp("tables") / "few.jsonl"
    with gzip.open(DEMO, "rb") as rows:
        path.write_bytes(b"".join(row for row, _ in zip(rows, range(16), strict=False)))
    return str(path)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> Mapping[str, Any]:
    code = run([*arguments, "--json"])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return {name: value for name, value in json.loads(out).items() if name not in ("decisions_per_s", "seconds")}


def everywhere(cluster: str) -> Sequence[Sequence[str]]:
    return (("--jobs", "1"), ("--jobs", "2"), ("--cluster", cluster))


def test_a_simulation(table: str, cluster: str, capsys: pytest.CaptureFixture[str]) -> None:
    policies = [part for name in ("thompson", "linucb", "mixture", "oracle") for part in ("--policy", name)]
    budgets = ("--budget-usd", "0.0003", "--budget-usd", "0.002")
    asked = ("simulate", table, *policies, *budgets, "--seeds", "2")  # a share for each policy
    here, processes, dask = (found(capsys, *asked, *who) for who in everywhere(cluster))
    assert len(here["results"]) == 8
    assert here == processes == dask


@pytest.mark.parametrize(
    ("scenario", "more"),
    [(EVENTS, ("--policy", "thompson", "--policy", "clairvoyant")), (STORM, ())],
    ids=["events", "arrivals in time"],
)
def test_a_scenario(
    scenario: str, more: tuple[str, ...], table: str, cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(scenario)
    asked = ("simulate", table, "--scenario", str(path), "--budget-usd", "0.0005", "--seeds", "2", *more)
    here, processes, dask = (found(capsys, *asked, *who) for who in everywhere(cluster))
    assert here == processes == dask


def test_a_tuning(table: str, cluster: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("tune", table, "--target-quality", "0.8", "--budget-usd", "0.0005", "--seeds", "2")
    here, processes, dask = (found(capsys, *asked, *who) for who in everywhere(cluster))
    assert len(here["frontier"]) > 9
    assert here == processes == dask


def test_a_tuning_on_a_log(cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in coin_tosses(60)))
    asked = ("tune", str(log), "--target-quality", "0.7")
    here, processes, dask = (found(capsys, *asked, *who) for who in everywhere(cluster))
    assert here["kind"] == "log"
    assert here == processes == dask


def coin_tosses(rows: int) -> Iterator[Mapping[str, Any]]:
    for i in range(rows):
        large = i % 3 == 0
        yield {
            "decision_id": f"d{i}",
            "task": "qa",
            "input_tokens": 10 + i % 7,
            "output_tokens": 20,
            "eligible": ["small", "large"],
            "chosen": "large" if large else "small",
            "propensity": 1 / 3 if large else 2 / 3,
            "quality": 0.9 - i % 5 / 50 if large else 0.5 + i % 4 / 50,
            "cost_usd": 0.01 if large else 0.001,
            "latency_s": 1.0,
            "policy": "coin",
        }


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A server that knows every other answer."""

    async def answer(exchange: Exchange) -> None:
        said = exchange.body["messages"][-1]["content"]
        text = "Paris" if said.endswith(("1", "3", "5")) else f"It may be Lyon, {said}"
        message = {"role": "assistant", "content": text}
        exchange.reply(200, completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}]))

    with threaded_server(default=answer) as server:
        yield server.base_url


def pool(folder: Path, url: str) -> tuple[str, str]:
    """The prompts and the configuration of a benchmark of two models and three graders."""
    config, prompts = folder / "router.toml", folder / "prompts.jsonl"
    rates = 'provider = "host"\ninput_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0\nmax_output_tokens = 100\n'
    config.write_text(
        f'[[providers]]\nname = "host"\nkind = "openai"\nbase_url = "{url}"\n'
        + "".join(f'[[models]]\nname = "{name}"\n{rates}' for name in ("one", "two"))
        + '[[graders]]\nname = "right"\nkind = "exact"\n'
        + '[[graders]]\nname = "short"\nkind = "length"\noptions = { most = 20 }\nweight = 0.3\n'
        + '[[graders]]\nname = "pattern"\nkind = "regex"\noptions = { pattern = "^P" }\ntasks = ["qa"]\n'
    )
    rows = [{"id": f"p{n}", "prompt": f"Capital, {n}", "task": "qa", "expected": "Paris"} for n in range(6)]
    prompts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(prompts), str(config)


def test_a_benchmark(provider: str, cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts, config = pool(tmp_path, provider)
    tables: list[list[Mapping[str, Any]]] = []
    for number, who in enumerate(everywhere(cluster)):
        out = tmp_path / f"out{number}.jsonl"
        document = found(capsys, "bench", prompts, "--config", config, "--out", str(out), *who)
        assert document["done"] == document["planned"] == 12
        tables.append([without_seconds(json.loads(line)) for line in out.read_text().splitlines()])
    here, processes, dask = tables
    assert {row["outcomes"]["one"]["quality"] for row in here} > {1.0}
    assert here == processes == dask


def without_seconds(row: dict[str, Any]) -> Mapping[str, Any]:
    for outcome in row["outcomes"].values():
        del outcome["latency_s"]
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_every_grader_can_be_sent_to_others(kind: str) -> None:
    options = {"regex": {"pattern": "^P"}, "contains": {"all": ["x"]}, "json_schema": {"json_schema": {"type": "null"}}}
    grader = grader_of(kind, "name", options.get(kind, {"most": 3} if kind == "length" else {}))
    sent = unpacked(packed(grader))
    assert sent == grader
    item = Item("id", "qa", ChatRequest(({"role": "user", "content": "?"},)), Completion({}, "Pax", None), "Pax")
    assert graded_by(markers_of([GraderConfig(kind, sent)]), item, silent) == graded_by(
        markers_of([GraderConfig(kind, grader)]), unpacked(packed(item)), silent
    )


def test_a_cluster_that_is_not_there_is_one_line(
    table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("banditroute.sweeping.dask_cluster._PATIENCE_S", 0.3)
    assert run(["simulate", table, "--cluster", "tcp://127.0.0.1:1"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("--cluster: no Dask scheduler answers at tcp://127.0.0.1:1; start a scheduler there")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_an_interrupt_ends_a_sweep_on_a_cluster_without_a_traceback(table: str, cluster: str) -> None:
    command = [*MAIN, "simulate", table, "--seeds", "2000", "--cluster", cluster]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        try:
            until = time.monotonic() + 30
            while not any(client.processing().values()) and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, "", "")
