"""Every executor does the same work with the same results, in order; workers may die of it, users may end it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from banditroute.errors import InputError, MissingExtraError, WorkersLostError
from banditroute.sweeping import dask_cluster
from banditroute.sweeping.choosing import executor_of, processors
from banditroute.sweeping.dask_cluster import DaskCluster
from banditroute.sweeping.executor import Executor, in_order
from banditroute.sweeping.processes import Processes
from banditroute.sweeping.serial import Serial
from banditroute.testing import sweep_works

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers that are processes, watched over by nannies: who dies is replaced."""
    impatient = {"distributed.comm.timeouts.connect": "3s"}  # some wait that long for who is dead; by default 30 s
    with (
        dask.config.set(impatient),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
        ) as started,
    ):
        yield started.scheduler_address


@pytest.fixture(params=["serial", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "dask":
        return DaskCluster(request.getfixturevalue("cluster"))
    return Serial() if request.param == "serial" else Processes(2)


@pytest.fixture(params=["processes", "dask"])
def elsewhere(request: pytest.FixtureRequest) -> Executor:
    return DaskCluster(request.getfixturevalue("cluster")) if request.param == "dask" else Processes(2)


def test_results_come_in_order_of_the_shares(executor: Executor) -> None:
    with executor.crew(sweep_works.plus, 100) as crew:
        done = in_order(crew.sweep(range(7)))
        one = crew.submit(5)
        assert one.result(30)[0] == 105
        assert in_order(crew.sweep([])) == []
    assert [each for each, _ in done] == list(range(100, 107))
    assert ({process for _, process in done} == {os.getpid()}) == (executor == Serial())


def test_ticks_are_heard_where_the_work_is_done_here() -> None:
    heard: list[int] = []
    with Serial().crew(sweep_works.plus, 1) as crew:
        assert in_order(crew.sweep([4, 6], heard.append))[1][0] == 7
    assert heard == [2, 3]


def test_what_a_share_raises_is_raised_here_as_it_was(executor: Executor) -> None:
    with executor.crew(sweep_works.refused, "table.csv") as crew:
        with pytest.raises(InputError) as caught:
            in_order(crew.sweep(["a", "input", "b"]))
        assert str(caught.value) == "table.csv:7: cost_usd: is wrong; mend it"
        assert (caught.value.line, caught.value.remedy) == (7, "mend it")
        with pytest.raises(MissingExtraError, match=r"a test needs the 'plots' extra; run: pip install") as missing:
            in_order(crew.sweep(["extra", "b"]))
        assert missing.value.extra == "plots"
        assert in_order(crew.sweep(["c", "d"])) == ["c", "d"]  # the crew is as good as before


def test_the_share_of_a_killed_worker_is_done_again(elsewhere: Executor, tmp_path: Path) -> None:
    marker = tmp_path / "killed"
    with elsewhere.crew(sweep_works.killed_once, marker) as crew:
        assert in_order(crew.sweep(range(8))) == [n * n for n in range(8)]
    assert marker.exists()


def test_a_share_that_kills_whoever_does_it_is_given_up() -> None:
    with Processes(2).crew(sweep_works.always_killed, None) as crew, pytest.raises(WorkersLostError, match="killed"):
        in_order(crew.sweep([1, 2]))


def test_leaving_ends_processes_in_the_middle_of_a_share(tmp_path: Path) -> None:
    begun = time.monotonic()
    with Processes(2).crew(sweep_works.waited, tmp_path / "begun") as crew:
        for _, waited in crew.sweep([0.0, 60.0, 60.0, 60.0]):
            assert waited == 0.0
            break
    assert time.monotonic() - begun < 30


def test_work_that_cannot_be_sent_is_one_line(executor: Executor) -> None:
    unsendable = lambda ground, share, tick: share  # noqa: E731
    if executor == Serial():
        with executor.crew(unsendable, None) as crew:
            assert in_order(crew.sweep([1])) == [1]
        return
    with pytest.raises(InputError, match=r"^this work cannot be sent to other processes: .*; leave --jobs"):
        executor.crew(unsendable, None).__enter__()


def test_users_say_who_does_the_work() -> None:
    assert executor_of() == Serial()
    assert executor_of(2) == Processes(2)
    assert executor_of(0) == (Processes(processors()) if processors() > 1 else Serial())
    assert executor_of(1, "tcp://host:1") == DaskCluster("tcp://host:1")
    with pytest.raises(InputError, match=r"^--cluster: --jobs and --cluster exclude each other"):
        executor_of(2, "tcp://host:1")
    with pytest.raises(InputError, match=r"^--jobs: -1 is not a number of processes"):
        executor_of(-1)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"a Dask cluster needs the 'scale' extra"):
        DaskCluster("tcp://127.0.0.1:1").crew(sweep_works.plus, 1).__enter__()


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
        ("nonsense://x", "is no address"),
        ("nonsense", "is no address"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(address: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "_PATIENCE_S", 0.5)
    with pytest.raises(InputError, match=problem) as caught:
        DaskCluster(address).crew(sweep_works.plus, 1).__enter__()
    assert "\n" not in str(caught.value)
    assert caught.value.field == "--cluster"


def test_a_cluster_of_another_version_is_refused(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "__version__", "0.0.0.other")
    with pytest.raises(InputError, match=r"^--cluster: worker tcp://.* has banditroute .*, here is .*0\.0\.0\.other"):
        DaskCluster(cluster).crew(sweep_works.plus, 1).__enter__()


def test_a_cluster_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "_PATIENCE_S", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=":0") as empty,
        pytest.raises(InputError, match=r"^--cluster: the cluster at tcp://.* has no worker; start some: dask worker"),
    ):
        DaskCluster(empty.scheduler_address).crew(sweep_works.plus, 1).__enter__()


def test_a_scheduler_that_goes_away_is_one_line(tmp_path: Path) -> None:
    """Two shares are under way when it does; nobody waits for them for ever."""
    marker = tmp_path / "begun"
    with (
        distributed.LocalCluster(n_workers=1, processes=False, protocol="tcp", dashboard_address=":0") as short,
        DaskCluster(short.scheduler_address).crew(sweep_works.waited, marker) as crew,
    ):
        future = crew.submit(1.0)
        while not marker.exists():
            time.sleep(0.01)
        short.close()
        with pytest.raises(WorkersLostError, match="scheduler is gone"):
            future.result(30)
