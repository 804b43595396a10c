"""The script that compares: what it says without the peers, how it tunes, what its tables say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import peers
from banditroute.simulation.results import Phase, PolicyResult, Trace
from banditroute.simulation.table import OutcomeTable
from peer_tables import newcomer_of, scenario_table, summary_table
from peer_world import MakePeer, Request


def result(policy: str = "any", quality: float = 0.9, used: tuple[float, float] = (0.9, 1.1)) -> PolicyResult:
    """Two orders of 400 requests; the model in the second column enters at 200 and gets a fifth after 50 more."""
    budget = 1e-3
    spent, got = np.array(used) * budget, np.full(2, quality)
    requests = np.arange(10, 401, 10)
    share = np.where(requests > 250, 0.2, 0.0)
    phases = (
        Phase(0, 200, got, spent, budget, np.array([1.0, 0.0])),
        Phase(200, 400, got, spent, budget, np.array([0.85, 0.15])),
    )
    trace = Trace(requests, np.zeros((2, 40)), np.zeros((2, 40)), np.stack([1.0 - share, share], axis=1))
    return PolicyResult(policy, budget, (0, 1), got, spent, np.array([0.9, 0.1]), np.nan, np.nan, phases, trace, ())


def test_without_the_peers_it_says_what_to_install_and_stops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _: None)

    peers.main()

    assert capsys.readouterr() == ("", "not installed: paretobandit, litellm; try: pip install --group peers\n")


@dataclass
class Scale:
    """A peer that pays up with its weight: the second model from .5 on, the third from .8 on."""

    weight: float

    def choose(self, request: Request) -> str:
        return request.present[(self.weight >= 0.5) + (self.weight >= 0.8)]

    def billed(self, request: Request, model: str, cost_usd: float) -> None: ...

    def judged(self, request: Request, model: str, quality: float) -> None: ...

    def reprice(self, model: str, factor: float) -> None: ...


def test_the_weight_is_the_best_on_val_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    def peer_of(policy: str, weight: float) -> MakePeer:
        return lambda *_: Scale(weight)

    monkeypatch.setattr(peers, "peer_of", peer_of)
    nothing = np.full((8, 3), np.nan)
    val = OutcomeTable(
        name="val",
        ids=tuple("abcdefgh"),
        models=("small", "middle", "large"),
        tasks=(),
        task_of=np.full(8, -1),
        input_tokens=np.full(8, 10.0),
        features=np.zeros((8, 1)),
        at=np.full(8, np.nan),
        prompts=("",) * 8,
        quality=np.tile([0.2, 0.6, 0.9], (8, 1)),
        cost_usd=np.tile([1.0, 2.0, 4.0], (8, 1)),
        output_tokens=nothing,
        latency_s=nothing,
    )

    assert peers.tuned_weights(val, (0.5, 1.5, 3.0, 5.0), seeds=1) == {0.5: 0.0, 1.5: 0.0, 3.0: 0.5, 5.0: 0.8}


def test_a_newcomer_is_in_use_from_where_a_tenth_of_what_follows_is_its_own() -> None:
    newcomer = newcomer_of(result())

    assert newcomer.requests == pytest.approx(30.0)
    assert newcomer.steady_after == 30  # of the 50 after 220 a share of .08 is its own, of those after 230 .12


def test_a_newcomer_that_nobody_uses_is_never_in_use() -> None:
    idle = result()
    trace = replace(idle.trace, share=np.tile([1.0, 0.0], (40, 1)))

    assert newcomer_of(replace(idle, trace=trace)).steady_after is None


def test_tables_say_quality_and_dollars_over_budget() -> None:
    rows = {"newcomer_good": [("ours", result()), ("theirs", result(quality=0.5, used=(1.0, 1.4)))]}

    assert scenario_table("newcomer_good", rows["newcomer_good"]).splitlines()[-4:] == [
        "| budget | policy | quality | 0–200 | 200–400 | newcomer: requests | in steady use after |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| $0.001 | ours | .900 | .900, 1.00 (1.10) | .900, 1.00 (1.10) | 30 | 30 |",
        "| $0.001 | theirs | .500 | .500, 1.20 (1.40) | .500, 1.20 (1.40) | 30 | 30 |",
    ]
    assert summary_table(rows).splitlines()[2] == "| `newcomer_good` | .900, 1.00 (1.10) | .500, 1.20 (1.40) |"
