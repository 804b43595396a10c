"""Simulating: what is scored, what is promised of seeds and processes, and what the notes say."""

from pathlib import Path

import numpy as np
import pytest

import banditroute
from banditroute.errors import InputError, TableError
from banditroute.simulation.loading import load_table
from banditroute.simulation.run import simulate
from banditroute.simulation.stream import stream_of
from banditroute.simulation.table import OutcomeTable

DATA = Path(banditroute.__file__).parent / "data"


@pytest.fixture(scope="module")
def scored() -> OutcomeTable:
    return load_table(DATA / "demo_table.jsonl.gz").select(slice(0, 300))


@pytest.fixture(scope="module")
def warmup() -> OutcomeTable:
    return load_table(DATA / "demo_warmup.jsonl.gz").select(slice(0, 200))


def test_a_fixed_model_gets_exactly_what_the_table_says(scored: OutcomeTable) -> None:
    result = simulate(scored, policies=[f"fixed:{m}" for m in scored.models], seeds=range(2))
    for k, policy in enumerate(result.results):
        np.testing.assert_allclose(policy.quality, scored.quality[:, k].mean())
        np.testing.assert_allclose(policy.cost_usd, scored.cost_usd[:, k].mean())
        assert policy.share[k] == 1.0


def test_the_oracle_gets_its_own_mark_and_nobody_more(scored: OutcomeTable) -> None:
    result = simulate(scored, policies=["oracle", "thompson"], seeds=range(3))
    oracle, thompson = result.results
    np.testing.assert_allclose(oracle.quality, oracle.oracle_quality)
    assert (thompson.quality <= oracle.oracle_quality).all()


def test_a_seed_does_not_depend_on_its_neighbours(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    many = simulate(scored, warmup=warmup, budgets_usd=[1e-4, 1e-3], seeds=range(4))
    one = simulate(scored, warmup=warmup, budgets_usd=[1e-3], seeds=[2])
    assert many.results[1].quality[2] == one.results[0].quality[0]
    assert many.results[1].cost_usd[2] == one.results[0].cost_usd[0]


def test_two_processes_give_the_same_to_the_last_bit(scored: OutcomeTable) -> None:
    def run(jobs: int) -> list[np.ndarray]:
        result = simulate(scored, policies=["thompson", "greedy"], budgets_usd=[3e-4], seeds=range(3), jobs=jobs)
        return [r.quality for r in result.results] + [r.trace.spend_usd for r in result.results]

    for serial, parallel in zip(run(1), run(2), strict=True):
        np.testing.assert_array_equal(serial, parallel)


def test_warmup_rows_teach_but_are_not_scored(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    result = simulate(scored, warmup=warmup, policies=["random"], seeds=[0])
    assert result.requests == scored.requests
    assert result.results[0].trace.requests[-1] == scored.requests
    stream = stream_of(scored, warmup, features=True, classes=True)
    order = stream.order(5)
    assert set(order[: stream.warm]) == set(range(warmup.requests))
    assert (np.sort(order) == np.arange(stream.task.size)).all()


def test_a_learner_beats_the_best_fixed_mix_and_keeps_its_budget(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    (result,) = simulate(scored, warmup=warmup, budgets_usd=[2e-4], seeds=range(4)).results
    assert result.quality.mean() > result.envelope_quality + 0.01
    assert result.utilisation is not None
    assert 0.8 < result.utilisation.mean() < 1.1


def test_a_budget_below_the_cheapest_is_served_by_the_cheapest_and_says_so(scored: OutcomeTable) -> None:
    result = simulate(scored, budgets_usd=[1e-5], seeds=range(2))
    (routed,) = result.results
    cheapest = int(np.argmin(scored.cost_usd.mean(0)))
    assert routed.trace.share[-50:, cheapest].mean() > 0.95
    assert any("below the cheapest model" in note for note in result.notes)


def test_a_model_that_rows_lack_is_never_called_there(scored: OutcomeTable) -> None:
    quality, cost = scored.quality.copy(), scored.cost_usd.copy()
    quality[::3, 0], cost[::3, 0] = np.nan, np.nan
    fields = {f: getattr(scored, f) for f in OutcomeTable.__slots__}
    gaps = OutcomeTable(**(fields | {"quality": quality, "cost_usd": cost}))
    result = simulate(
        gaps, policies=["thompson", "linucb", "epsilon", "random", "mixture"], budgets_usd=[1e-4], seeds=[1]
    )
    assert all(np.isfinite(r.quality).all() and np.isfinite(r.cost_usd).all() for r in result.results)
    assert f"{scored.models[0]} is not observed on 100 of 300 rows; it was ineligible there." in result.notes


def test_edges_and_traces_add_up(scored: OutcomeTable) -> None:
    (routed,) = simulate(scored, seeds=range(2)).results
    np.testing.assert_allclose(routed.trace.share.sum(1), 1.0)
    np.testing.assert_allclose(routed.trace.spend_usd[:, -1] / scored.requests, routed.cost_usd)
    for task in scored.tasks:
        edges = [edge for edge in routed.edges if edge.task == task]
        assert sum(edge.share for edge in edges) == pytest.approx(1.0)
        assert all(0 <= edge.true_quality <= 1 for edge in edges)


def test_progress_ends_at_the_total(scored: OutcomeTable) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        scored, policies=["thompson", "random"], seeds=range(2), progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (1200, 1200)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_does_not_fit_is_refused(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    with pytest.raises(InputError, match="no policy is called 'magic'"):
        simulate(scored, policies=["magic"], seeds=[0])
    with pytest.raises(InputError, match="has no model 'gpt-9'"):
        simulate(scored, policies=["fixed:gpt-9"], seeds=[0])
    fields = {f: getattr(warmup, f) for f in OutcomeTable.__slots__}
    narrow = OutcomeTable(**(fields | {"features": warmup.features[:, :3]}))
    with pytest.raises(TableError, match="features"):
        simulate(scored, warmup=narrow, seeds=[0])
    strangers = OutcomeTable(**(fields | {"models": tuple(f"x{i}" for i in range(len(warmup.models)))}))
    with pytest.raises(TableError, match="no model of the scored table is observed"):
        simulate(scored, warmup=strangers, seeds=[0])
