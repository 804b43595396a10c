"""How it went over time: dollars, who answered, how well."""

import numpy as np

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts import scales
from banditroute.reports.charts.along import Time
from banditroute.reports.charts.shares import Shares, Stack
from banditroute.reports.charts.timeline import Lane, Limit, Timeline
from banditroute.reports.parts import Chart, Column, Section, Table
from banditroute.reports.store.history import Floats, History
from banditroute.reports.store.live import LiveStore


def spend_section(live: LiveStore) -> Section | None:
    """The section: dollars of each bin, and dollars a request beside paced budgets; None where nothing was answered."""
    history = live.history
    if not history.answered.sum():
        return None
    a_bin = write.stretch(history.bin_s)
    limits = tuple(
        Limit(each.budget.name, each.budget.usd_per_request)
        for each in live.paces
        if each.budget.scope.kind == "global"
    )
    total = history.spent_usd + history.judging_usd
    lanes = (
        Lane(f"Dollars in {a_bin}, judges included", total, scales.dollars, bars=True),
        Lane("Dollars per request", _per_request(history), scales.dollars, limits=limits),
        Lane(f"Requests in {a_bin}", history.requests.astype(np.float64), scales.counts, bars=True),
    )
    named = f" Dashed: {write.listing(limit.label for limit in limits)}." if limits else ""
    chart = Chart(
        name="spend-over-time",
        title="Spending over time",
        description=f"Dollars, dollars per request and requests in bins of {a_bin}. In all "
        f"{write.money(float(total.sum()))} for {write.count(int(history.requests.sum()))} requests.",
        caption=f"Each bin is {a_bin}; the last one may not be over.{named}",
        draw=Timeline(history.start_at, history.bin_s, lanes),
        data=_spend_data(history),
    )
    return Section("spend", "Spending", "", (chart,))


def _per_request(history: History) -> Floats:
    blank = np.full(history.answered.size, np.nan)
    return np.divide(history.spent_usd, history.answered, out=blank, where=history.answered > 0)


def _spend_data(history: History) -> Table:
    return Table(
        name="spend-over-time-data",
        caption="Every bin.",
        columns=(
            _starts(history),
            columns.counts("requests", "Requests", history.requests.tolist()),
            columns.counts("failed", "Without an answer", history.failed.tolist()),
            columns.money("spent_usd", "Spent on answers", history.spent_usd.tolist()),
            columns.money("judging_usd", "Spent on judges", history.judging_usd.tolist()),
            columns.money("usd_per_request", "Per request", _per_request(history).tolist()),
        ),
    )


def serving_section(live: LiveStore) -> Section | None:
    """The section: each model's share of answers over time, and what each did; None where nothing was answered."""
    history = live.history
    if not history.served.sum():
        return None
    names = tuple(record.model for record in history.models)
    total = history.served.sum(axis=1, keepdims=True)
    share = np.divide(history.served, total, out=np.zeros(history.served.shape), where=total > 0)
    ends = (np.arange(1, len(share) + 1) * history.bin_s).astype(np.int64)
    overall = history.served.sum(axis=0) / history.served.sum()
    spoken = write.listing(f"{name} {write.percent(part)}" for name, part in zip(names, overall, strict=True) if part)
    chart = Chart(
        name="model-share",
        title="Share of answers by model",
        description=f"Stacked shares of answers over time. In all: {spoken}.",
        caption="Stacked from the cheapest model at the bottom to the dearest at the top. Where nothing was answered, "
        "there is a gap.",
        draw=Shares(names, (Stack("", ends, share),), along=Time(history.start_at)),
        data=_share_data(history, share, names),
    )
    return Section("models", "Who answers", "", (chart, _models(history)))


def _share_data(history: History, share: Floats, names: tuple[str, ...]) -> Table:
    parts = (columns.numbers(name, name, share[:, k].tolist(), write.percent) for k, name in enumerate(names))
    return Table("model-share-data", "Each model's share of a bin's answers.", (_starts(history), *parts))


def _models(history: History) -> Table:
    records = history.models
    return Table(
        name="models-table",
        caption="What each model did, cheapest first. Stood in: answered where another model was chosen. Dollars a "
        "request and seconds include failed calls on the way.",
        columns=(
            columns.words("model", "Model", [each.model for each in records]),
            columns.counts("chosen", "Chosen", [each.chosen for each in records]),
            columns.counts("served", "Answered", [each.served for each in records]),
            columns.counts("stood_in", "Stood in", [each.stood_in for each in records]),
            columns.counts("failed", "Failed calls", [each.failed for each in records]),
            columns.money("usd_per_answer", "A request", [each.usd_per_answer for each in records]),
            columns.quality("quality", "Quality", [each.quality for each in records]),
            columns.counts("judged", "Judged", [each.judged for each in records]),
            columns.numbers("latency_p50_s", "Median", [each.latency_p50_s for each in records], write.seconds),
            columns.numbers("latency_p95_s", "95% below", [each.latency_p95_s for each in records], write.seconds),
        ),
    )


def quality_section(live: LiveStore) -> Section | None:
    """The section: mean judgement of each bin with its interval; None where nobody judged."""
    history = live.history
    if not history.judged.sum():
        return None
    low, high = history.quality_ends()
    chart = Chart(
        name="quality-over-time",
        title="Judged quality over time",
        description=f"Mean quality of judged answers by bin, {write.quality(history.mean_quality)} over all.",
        caption="By when the decision was made; the band is the 95% interval of each bin's mean. Answers of late may "
        "still wait for their judgement.",
        draw=Timeline(
            history.start_at,
            history.bin_s,
            (Lane("Quality, mean of judgements from 0 to 1", history.quality, scales.qualities, low, high),),
        ),
        data=Table(
            name="quality-over-time-data",
            caption="Every bin.",
            columns=(
                _starts(history),
                columns.counts("judged", "Judged", history.judged.tolist()),
                columns.quality("quality", "Quality", history.quality.tolist()),
                columns.quality("low", "95% low", low.tolist()),
                columns.quality("high", "95% high", high.tolist()),
            ),
        ),
    )
    return Section("quality", "How well", "", (chart,))


def _starts(history: History) -> Column:
    instants = (history.start_at + n * history.bin_s for n in range(history.requests.size))
    return columns.words("from", "From, UTC", [write.date(at) for at in instants])
