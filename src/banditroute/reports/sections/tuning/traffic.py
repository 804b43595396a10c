"""What each budget costs a month, if traffic is as forecast, and if it is not."""

from banditroute.reports import columns
from banditroute.reports.parts import Section, Table
from banditroute.tuning.results import Tuning


def traffic_section(result: Tuning) -> Section | None:
    """The section: a row per budget, a column per volume of traffic; None without a forecast."""
    if not result.traffic:
        return None
    points = result.frontier
    volumes = (
        columns.money(
            f"usd_per_month_{each.requests_per_day:.0f}", f"{each.requests_per_day:,.0f} a day", each.usd_per_month
        )
        for each in result.traffic
    )
    table = Table(
        name="traffic-table",
        caption="Dollars a month (30.44 days) of each budget, by requests a day.",
        columns=(
            columns.budgets([point.budget_usd for point in points]),
            columns.quality("quality", "Quality", [point.quality for point in points]),
            *volumes,
        ),
    )
    intro = "A budget per request holds whatever the traffic; the bill does not."
    return Section("traffic", "Dollars a month", intro, (table,))
