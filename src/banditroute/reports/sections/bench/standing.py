"""What a benchmark says when it is read: who is best, and who is as good for less."""

import math

from banditroute.benching.results import BenchResult, BenchRow, Difference
from banditroute.reports import format as write


def bench_headline(result: BenchResult) -> str:
    """The finding in a sentence or two of plain text, without markup."""
    best = best_row(result)
    if best is None:
        return f"No answer was graded, so nothing is said of quality.{_unfinished(result)}"
    rival = cheapest_rival(result)
    return f"{_opening(best)}{_beside(best, rival, result)}.{_unfinished(result)}"


def best_row(result: BenchResult) -> BenchRow | None:
    """The row over all prompts of the model with the highest quality, the cheaper on a tie; None without grades."""
    graded = [row for row in result.rows_of() if row.quality is not None]
    return max(graded, key=lambda row: (quality_of(row), -_usd(row)), default=None)


def cheapest_rival(result: BenchResult) -> BenchRow | None:
    """The cheapest model that is cheaper than the best one and not shown to be worse; None where there is none."""
    best = best_row(result)
    if best is None:
        return None
    cheaper = (row for row in result.rows_of() if _usd(row) < _usd(best))
    close = (row for row in cheaper if _may_be_as_good(difference_to(result, best.model, row.model), best))
    return min(close, key=_usd, default=None)


def _may_be_as_good(difference: Difference | None, best: BenchRow) -> bool:
    """Whether a model was compared with the best one and is not shown to be worse."""
    return difference is not None and not (difference.shown and difference.first == best.model)


def difference_to(result: BenchResult, best: str, other: str) -> Difference | None:
    """How the two compare by quality over all prompts; None where they were not compared."""
    return next((each for each in result.compared("quality") if {each.first, each.second} == {best, other}), None)


def quality_of(row: BenchRow) -> float:
    """Mean quality, nan where nothing was graded."""
    return math.nan if row.quality is None else row.quality.value


def by_cost(result: BenchResult) -> tuple[BenchRow, ...]:
    """The rows over all prompts, cheapest model first, those that never answered last."""
    return tuple(sorted(result.rows_of(), key=_usd))


def _usd(row: BenchRow) -> float:
    return math.inf if row.cost_usd is None else row.cost_usd.value


def _opening(best: BenchRow) -> str:
    known = best.quality is not None and not math.isnan(best.quality.low)
    ends = f" (95% interval {write.interval(*best.quality[1:])})" if best.quality is not None and known else ""
    price = "" if best.cost_usd is None else f" at {write.money(best.cost_usd.value)} a call"
    return f"{best.model} answers best: quality {write.quality(quality_of(best))}{ends}{price}"


def _beside(best: BenchRow, rival: BenchRow | None, result: BenchResult) -> str:
    if rival is None:
        return "" if len(result.models) < 2 else "; no cheaper model comes close enough to be taken for it"
    share = f"{write.percent(_usd(rival) / _usd(best))} of its dollars"
    return (
        f". {rival.model} ({write.quality(quality_of(rival))}) is not shown to be worse on these "
        f"{write.plural(result.prompts, 'prompt')}, for {share}"
    )


def _unfinished(result: BenchResult) -> str:
    if result.complete:
        return ""
    return f" The benchmark is not finished: {write.count(result.done)} of {write.plural(result.planned, 'call')}."
