"""How good the answers of a month were, week by week, and who said so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from banditroute.evaluation.results import Z95
from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts import scales
from banditroute.reports.charts.dots import Dot, Dots, Measure
from banditroute.reports.month.month import Month, WeekSums
from banditroute.reports.parts import Bullets, Chart, Note, Section, Table
from banditroute.reports.store.history import wilson

_ENOUGH = 30  # judged answers of a week, for its mean to be compared with another's


def quality_section(month: Month) -> Section:
    """The section: the trend and whether there is one, how many answers were judged, by whom."""
    total = month.traffic.total
    if not total.judged:
        words = "No answer of this month was judged, so nothing is known of their quality."
        return Section("quality", "How well", "", (Note(words), *_sources(month)))
    share = write.percent(total.judged / max(total.requests, 1))
    told = (
        f"{write.count(total.judged)} of {write.plural(total.requests, 'request')} were judged ({share}), at "
        f"{write.quality(total.quality)} on average. Quality is theirs, and says nothing of the others unless it is "
        "left to chance which answers are judged.",
        trend_in_words(month.traffic.weeks),
    )
    return Section("quality", "How well", "", (Bullets(told), _picture(month), *_sources(month)))


def quality_tables(month: Month) -> tuple[Table, ...]:
    """Weeks, and sources of judgements where there are any."""
    return (_weeks(month.traffic.weeks), *_sources(month))


def trend_in_words(weeks: Sequence[WeekSums]) -> str:
    """Whether the last whole week that tells enough is better or worse than the first one."""
    telling = [each for each in weeks if each.week.whole and each.sums.judged >= _ENOUGH]
    if len(telling) < 2:
        return f"No trend is told: fewer than two whole weeks have {_ENOUGH} judged answers."
    first, last = telling[0], telling[-1]
    change = last.sums.quality - first.sums.quality
    half = Z95 * math.hypot(*(each.sums.quality_sd / math.sqrt(each.sums.judged) for each in (first, last)))
    between = f"from {first.week.name} to {last.week.name}"
    ends = write.between(change - half, change + half, write.quality_change)
    if abs(change) <= half:
        return f"No change of quality is shown {between} ({ends})."
    return f"Quality {'rose' if change > 0 else 'fell'} by {write.quality(abs(change))} {between} ({ends})."


def _picture(month: Month) -> Chart:
    weeks = [each for each in month.traffic.weeks if each.sums.judged]
    low, high = _ends(weeks)
    dots = tuple((Dot(each.sums.quality, *ends),) for each, *ends in zip(weeks, low, high, strict=True))
    measure = Measure("Quality, mean of judgements from 0 to 1", dots, scales.qualities, month.traffic.total.quality)
    return Chart(
        name="quality-by-week",
        title="Judged quality by week",
        description="Mean quality of the answers that were judged, by week: "
        + write.listing(f"{each.week.name} {write.quality(each.sums.quality)}" for each in weeks)
        + ".",
        caption="By when requests were decided. Bars: 95% intervals. Answers of late may still be judged.",
        draw=Dots(tuple(_named(each) for each in weeks), ("quality",), (measure,), "the whole month"),
        data=_weeks(month.traffic.weeks),
    )


def _named(each: WeekSums) -> str:
    return each.week.name if each.week.whole else f"{each.week.name} (part of a week)"


def _ends(weeks: Sequence[WeekSums]) -> tuple[list[float], list[float]]:
    """Both ends of each week's 95% interval."""
    mean = np.array([each.sums.quality for each in weeks], dtype=np.float64)
    low, high = wilson(mean, np.array([each.sums.judged for each in weeks], dtype=np.int64))
    return low.tolist(), high.tolist()


def _weeks(weeks: Sequence[WeekSums]) -> Table:
    low, high = _ends(weeks)
    return Table(
        name="weeks",
        caption="Weeks begin on Mondays, UTC; at both ends of the month they may be a part of one.",
        columns=(
            columns.words("week_utc", "Week", [_named(each) for each in weeks]),
            columns.counts("requests", "Requests", [each.sums.requests for each in weeks]),
            columns.counts("judged", "Judged", [each.sums.judged for each in weeks]),
            columns.quality("quality_0_to_1", "Quality", [each.sums.quality for each in weeks]),
            columns.quality("quality_low95", "from", low),
            columns.quality("quality_high95", "to", high),
            columns.money("spent_usd", "Dollars", [each.sums.usd for each in weeks]),
        ),
    )


def _sources(month: Month) -> tuple[Table, ...]:
    sources = month.traffic.sources
    if not sources:
        return ()
    table = Table(
        name="sources",
        caption="Who judged. Weight: how much their judgements count for, against 1 for one that is trusted in full. "
        "Calls and dollars: of judge models.",
        columns=(
            columns.words("source", "Source", [each.source for each in sources]),
            columns.counts("judged", "Judged", [each.judged for each in sources]),
            columns.quality("quality_0_to_1", "Quality", [_known(each.quality) for each in sources]),
            columns.numbers("weight_0_to_1", "Weight", [_known(each.weight) for each in sources], lambda x: f"{x:.2f}"),
            columns.counts("calls", "Calls", [each.calls for each in sources]),
            columns.money("cost_usd", "Dollars", [each.cost_usd for each in sources]),
        ),
    )
    return (table,)


def _known(value: float | None) -> float:
    return math.nan if value is None else value
