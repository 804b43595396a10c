"""A month against its caps: the store's own books beside the rows on record."""

import pytest

from banditroute.reports.month.budgets import CapMonth, gone_usd
from banditroute.routing.budgets import Cap, Scope


def test_a_daily_cap_by_its_dearest_day():
    cap = CapMonth(Cap("day", 2.0, "day"), {"2026-11-01": 1.0, "2026-11-02": 1.7, "2026-11-03": 2.0}, 4.7)
    assert cap.spent_usd == pytest.approx(4.7)
    assert cap.fullest == ("2026-11-03", 1.0)
    assert (cap.windows_above(0.8), cap.windows_above(1.0)) == (2, 1)
    assert cap.gone_usd == 0.0


def test_nothing_spent_is_no_window():
    assert CapMonth(Cap("month", 2.0, "month"), {}, 0.0).fullest == ("", 0.0)


def test_dollars_whose_rows_are_gone_are_told_from_a_global_cap():
    everywhere = CapMonth(Cap("month", 9.0, "month"), {"2026-11": 5.0}, 3.0)
    one = CapMonth(Cap("shop", 9.0, "month", Scope("tenant", "shop")), {"2026-11": 8.0}, 0.0)
    assert gone_usd((everywhere, one)) == 2.0
    assert gone_usd((one,)) == 0.0
