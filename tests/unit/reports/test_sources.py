"""Judgements by source: how many, how good, how heavy; and what judges cost, also those that said nothing."""

from dataclasses import replace

import pytest

from banditroute.records import Feedback
from banditroute.reports.store.sources import SourceView, sources_of
from banditroute.storage.protocol import Trail
from banditroute.testing.store_records import a_dispatch, a_settlement


def trail(task: str, *judgements: tuple[str, float, float], cost_usd: float | None = 0.001) -> Trail:
    dispatch = a_dispatch(1)
    context = replace(dispatch.decision.context, task=task)
    dispatch = replace(dispatch, decision=replace(dispatch.decision, context=context))
    outcome = None if cost_usd is None else replace(a_settlement(dispatch).outcome, cost_usd=cost_usd)
    return Trail(dispatch, outcome, (), tuple(Feedback("d", q, source, 0.0, w) for source, q, w in judgements))


def test_each_source_has_its_means_and_each_judge_its_bill() -> None:
    found = sources_of(
        [
            trail("qa", ("user", 1.0, 0.5), ("judge", 0.2, 1.0)),
            trail("code", ("judge", 0.6, 0.5)),
            trail("judge:judge", cost_usd=0.25),
            trail("judge:judge", cost_usd=0.5),
            trail("judge:mute", cost_usd=0.125),
            trail("judge:mute", cost_usd=None),
        ]
    )
    assert found == (
        SourceView("judge", 2, pytest.approx(0.4), pytest.approx(0.75), 2, 0.75),
        SourceView("mute", 0, None, None, 1, 0.125),
        SourceView("user", 1, 1.0, 0.5, 0, 0.0),
    )


def test_nobody_has_judged() -> None:
    assert sources_of([trail("qa")]) == ()
