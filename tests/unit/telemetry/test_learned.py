from __future__ import annotations

import pytest

from banditroute.records import Context
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.telemetry.learned import learned

CATALOG = Catalog((Model("small", "p", "small", Price(1.0, 4.0)), Model("gratis", "p", "gratis", Price(1.0, 0.0))))


def taught(answers: int, *, tokens: int = 400) -> Decider:
    decider = Decider(CATALOG, ("qa", "code"), 1)
    for number in range(answers):
        for model in CATALOG.names:
            context = Context("qa", (0.5 if number % 2 else -0.5,), tokens)
            decider.learn(context, model, quality=0.8, output_tokens=100, latency_s=2.0)
    decider.refresh()
    return decider


def test_it_is_what_the_router_expects_of_a_mean_prompt_of_the_class() -> None:
    decider = taught(40)
    edges = dict(learned(decider))
    assert set(edges) == {(task, model) for task in ("qa", "code") for model in CATALOG.names}
    expected = decider.forecasts("qa", 400, (0.0,))["small"]
    edge = edges["qa", "small"]
    assert (edge.quality, edge.quality_sd) == pytest.approx((expected.quality, expected.quality_sd))
    assert (edge.cost_usd, edge.latency_s) == pytest.approx((expected.cost_usd, expected.latency_s))
    assert (edge.judged, edge.answered) == (40, 40)
    assert edges["code", "small"].judged == 0


def test_widths_shrink_as_answers_come_in() -> None:
    few, many = (dict(learned(taught(answers)))["qa", "small"] for answers in (4, 64))
    assert 0 < many.quality_sd < few.quality_sd
    assert 0 < many.cost_sd_usd < few.cost_sd_usd / 2
    assert 0 < many.latency_sd_s < few.latency_sd_s / 2
    assert few.cost_sd_usd < few.cost_usd


def test_a_class_without_answers_is_wider_and_where_answers_cost_nothing_dollars_are_sure() -> None:
    edges = dict(learned(taught(40)))
    assert edges["code", "small"].quality_sd > edges["qa", "small"].quality_sd
    assert edges["qa", "gratis"].cost_sd_usd == 0.0
    assert edges["qa", "gratis"].cost_usd == pytest.approx(400 * 1e-6)


def test_before_anything_is_learned_there_is_the_prior() -> None:
    edges = dict(learned(Decider(CATALOG, ("qa",))))
    assert edges["qa", "small"].judged == 0
    assert edges["qa", "small"].quality_sd > 0.1
