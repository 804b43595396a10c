"""When requests come: rates, traces, tenants."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.simulation.scenario_traffic import START, Traffic
from banditroute.simulation.traffic import load_trace, poisson, shared_out, thinned, tiled

TRACE = '{"t_s": 10.0}\n{"t_s": 14.0, "input_tokens": 3}\n{"t_s": 12.0}\n'


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.jsonl.gz"
    path.write_bytes(gzip.compress(TRACE.encode()))
    return path


def test_a_trace_is_read_in_order_from_its_first_request_on(trace: Path) -> None:
    assert load_trace(trace).tolist() == [0.0, 2.0, 4.0]


def test_a_trace_is_played_again_and_again_and_stretched() -> None:
    trace = np.array([0.0, 2.0, 4.0])  # a pass lasts 6 s: its mean gap lies between the last and the next first
    assert tiled(trace, 7, 100.0).tolist() == [100.0, 102.0, 104.0, 106.0, 108.0, 110.0, 112.0]
    assert tiled(trace, 4, 0.0, 60.0).tolist() == [0.0, 20.0, 40.0, 60.0]


def test_a_rate_is_held_and_thinning_keeps_its_share() -> None:
    rng = np.random.default_rng(0)
    at = poisson(2.0, 20_000, 50.0, rng)
    assert at[0] > 50.0
    assert (np.diff(at) >= 0).all()
    assert (at[-1] - 50.0) / 20_000 == pytest.approx(0.5, rel=0.03)
    assert thinned(at, 0.1, rng).size == pytest.approx(2_000, rel=0.1)


def test_tenants_get_their_shares() -> None:
    arrivals = shared_out(np.arange(10_000.0), {"acme": 3.0, "beta": 1.0}, np.random.default_rng(0))
    assert arrivals.tenants == ("acme", "beta")
    assert (arrivals.tenant == 0).mean() == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no time passes in it"),
        ('{"t_s": 1}\n{"t_s": 1}', "no time passes in it"),
        ('{"t_s": 1}\n{"at": 1}', "trace.jsonl:2: t_s: names no instant"),
        ('{"t_s": 1}\n{"t_s": "soon"}', "trace.jsonl:2: t_s: names no instant"),
        ("[1]\n", "trace.jsonl:1: t_s: names no instant"),
    ],
)
def test_a_trace_that_names_no_instants_gets_one_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=r"trace\.jsonl") as caught:
        load_trace(path)
    assert problem in str(caught.value)


def test_a_trace_that_is_not_there_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_trace(tmp_path / "none.jsonl")


def test_a_scenario_finds_its_trace_beside_it(trace: Path) -> None:
    plan = Traffic(arrivals="trace.jsonl.gz", stretch=10.0, tenants={"acme": 1.0})
    arrivals = plan.plays(5, 0, plan.trace(str(trace.parent / "storm.toml")))
    assert (arrivals.at - START).tolist() == [0.0, 20.0, 40.0, 60.0, 80.0]
    assert arrivals.tenants == ("acme",)


def test_a_rate_plays_the_same_for_the_same_seed_only() -> None:
    one, again, other = (Traffic(arrivals=2.0).plays(50, seed, None).at for seed in (0, 0, 1))
    assert one.tolist() == again.tolist() != other.tolist()
