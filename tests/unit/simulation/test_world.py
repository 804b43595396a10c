"""The live decider and ledger in a world of arrivals: money, latency, seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import TableError
from banditroute.routing.budgets import Cap, Scope
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.simulation.scenario_traffic import START
from banditroute.simulation.stages import Stage
from banditroute.simulation.table import OutcomeTable
from banditroute.simulation.traffic import Arrivals
from banditroute.simulation.world import TURNED_DOWN, Lived, World
from banditroute.simulation.world_prices import priced

MINUTE, DAY = 60.0, 86_400.0


def a_table(rows: int = 40) -> OutcomeTable:
    """A cheap model of .6 and a dear one of .9, ten times its price."""
    rng = np.random.default_rng(0)
    usd = rng.uniform(0.5, 1.5, (rows, 1)) * np.array([0.001, 0.01])
    absent = np.full(rows, np.nan)
    return OutcomeTable(
        name="two",
        ids=tuple(map(str, range(rows))),
        models=("cheap", "dear"),
        tasks=(),
        task_of=np.full(rows, -1),
        input_tokens=np.full(rows, 100.0),
        features=np.zeros((rows, 0)),
        at=absent,
        prompts=(None,) * rows,
        quality=np.clip(np.array([0.6, 0.9]) + rng.normal(0, 0.03, (rows, 2)), 0, 1),
        cost_usd=usd,
        output_tokens=np.full((rows, 2), np.nan),
        latency_s=np.full((rows, 2), np.nan),
    )


def every(seconds: float, requests: int, tenants: tuple[str, ...] = ("",)) -> Arrivals:
    at = START + seconds * np.arange(requests)
    return Arrivals(at, np.arange(requests) % len(tenants), tenants)


def lived(arrivals: Arrivals, *caps: Cap, table: OutcomeTable | None = None, **more: object) -> Lived:
    return World(*_parts(arrivals, caps, table), **{"max_tokens": 600, **more}).run()  # type: ignore[arg-type]


def _parts(arrivals: Arrivals, caps: tuple[Cap, ...], table: OutcomeTable | None) -> tuple[object, ...]:
    with_prices = priced(a_table() if table is None else table)
    decider = Decider(with_prices.catalog, caps=[cap for cap in caps if cap.paced])
    return with_prices, arrivals, decider, Ledger(caps)


def share_by_quarter(run: Lived, requests: int) -> list[float]:
    """Share of the dear model in each quarter of the requests."""
    return [float((run.arm[part] == 1).mean()) for part in np.array_split(np.arange(requests), 4)]


def test_prices_by_the_token_bill_what_the_table_says() -> None:
    table = a_table()
    with_prices = priced(table)
    for arm, model in enumerate(with_prices.catalog):
        bills = with_prices.output_tokens[:, arm] * model.price.output_usd_per_mtok / 1e6
        assert bills == pytest.approx(table.cost_usd[:, arm], rel=0.005)
        assert model.capabilities.max_output_tokens == with_prices.output_tokens[:, arm].max()


def test_a_model_that_is_never_observed_has_no_price() -> None:
    with pytest.raises(TableError, match="new is observed on no row"):
        priced(a_table().with_models(("cheap", "new")))


def test_without_budgets_the_best_model_serves_and_everything_is_counted() -> None:
    run = lived(every(MINUTE, 300))
    assert (run.arm[100:] == 1).mean() > 0.95
    assert run.spent_usd == {}
    assert sorted(np.bincount(run.row)) == [7] * 20 + [8] * 20  # every row seven times, half of them once more
    assert not np.isnan(run.quality).any()


def test_a_paced_cap_lasts_and_one_that_is_not_is_gone_by_noon() -> None:
    """Every three minutes a request for a day, and money for the dear model on four in ten of them."""
    cap = Cap("day", 480 * 0.0046, "day")
    paced, flowing = (lived(every(3 * MINUTE, 480), replace(cap, paced=paced)) for paced in (True, False))
    first, *_, last = share_by_quarter(flowing, 480)
    assert first > 0.9
    assert last < 0.1
    assert all(0.25 < share < 0.55 for share in share_by_quarter(paced, 480))
    used, overused = (next(iter(run.spent_usd.values())) / cap.usd for run in (paced, flowing))
    assert 0.95 < used <= 1.01
    assert overused > 1.05  # the cheap model goes on at the cap, and nothing was kept for it


def test_several_caps_hold_together() -> None:
    caps = (
        Cap("acme", 0.75, "day", Scope("tenant", "acme")),
        Cap("beta", 0.3, "day", Scope("tenant", "beta")),
        Cap("all", 24.0, "month"),
    )
    run = lived(every(4 * MINUTE, 4 * 360, ("acme", "beta")), *caps)
    assert len(run.spent_usd) == 2 * 4 + 1
    assert all(spent <= 1.01 * run.allowed_usd[window] for window, spent in run.spent_usd.items())
    spent = dict.fromkeys(("acme", "beta", "all"), 0.0)
    for window, usd in run.spent_usd.items():
        spent[window.budget] += usd
    assert spent["beta"] > 0.7 * 4 * 0.3
    assert 0.8 < spent["all"] / (4 * 24.0 / 31) < 1.2  # the month's even rate; its tenants might spend 1.05 a day


def test_what_is_carried_is_allowed() -> None:
    run = lived(every(10 * MINUTE, 288), Cap("day", 5.0, "day", carry=True))
    today, tomorrow = run.allowed_usd.values()
    spent, _ = run.spent_usd.values()
    assert (today, tomorrow) == (5.0, pytest.approx(10.0 - spent))


def test_a_cap_that_rejects_turns_requests_down() -> None:
    run = lived(every(MINUTE, 200), Cap("day", 0.05, "day", paced=False, on_exhausted="reject"))
    down = run.arm == TURNED_DOWN
    assert 0 < down.sum() < 200
    assert np.isnan(run.quality[down]).all()
    assert (run.cost_usd[down] == 0).all()
    assert all(spent <= 0.05 for spent in run.spent_usd.values())


def test_a_latency_function_hears_what_is_under_way() -> None:
    heard: list[tuple[str, int]] = []

    def latency(model: str, in_flight: int, rng: np.random.Generator) -> float:
        heard.append((model, in_flight))
        return 10.0 + 10.0 * in_flight + float(rng.random())

    run = lived(every(4.0, 100), latency=latency)
    assert max(in_flight for _, in_flight in heard) > 3
    assert heard[0][1] == 0
    assert run.latency_s == pytest.approx([10.0 + 10.0 * in_flight for _, in_flight in heard], abs=1.0)


def test_bills_come_with_the_answer() -> None:
    """Nothing is learned while the first answer is out, so nothing is spent either."""
    run = lived(every(1.0, 50), Cap("day", 0.05, "day", paced=False), latency=lambda *_: 1_000.0)
    assert run.degraded.any()  # what is out holds its dollars
    ((_, spent),) = run.spent_usd.items()
    assert spent == pytest.approx(run.cost_usd.sum())


def test_outcomes_change_with_the_stage() -> None:
    table = a_table()
    worse = replace(table, quality=np.minimum(table.quality, [1.0, 0.2]))
    run = lived(every(MINUTE, 600), table=table, stages=(Stage(0, 300, table), Stage(300, 600, worse)))
    assert (run.quality[200:300] > 0.5).all()
    dear = run.arm[300:] == 1
    assert (run.quality[300:][dear] <= 0.2).all()
    assert dear[-100:].mean() < 0.2


def test_the_same_seed_plays_the_same_world() -> None:
    cap = Cap("day", 3.0, "day")
    one, again, other = (lived(every(MINUTE, 200), cap, seed=seed) for seed in (3, 3, 4))
    assert one.arm.tolist() == again.arm.tolist()
    assert one.cost_usd.tolist() == again.cost_usd.tolist()
    assert one.row.tolist() != other.row.tolist()
