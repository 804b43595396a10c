"""How promises of latency stand, for people and for machines."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from banditroute.cli.tables import add_figures, add_names, printable, titled_table
from banditroute.reports import format as form
from banditroute.routing.promises import Kept, Promise


def promises_table(promises: Sequence[Kept]) -> Table:
    """One row for each promise."""
    table = titled_table("Promises of latency")
    add_names(table, "promise")
    add_names(table, "task")
    add_names(table, "limit")
    add_figures(table, "allowed", "late", "lately", "requests", "price")
    for each in promises:
        promise = each.promise
        names = (printable(promise.name), printable(promise.task) or form.ABSENT, _limit(promise))
        known = each.requests > 0
        rates = (each.late_rate, each.lately * promise.epsilon)
        late = [form.percent(rate) if known else form.ABSENT for rate in rates]
        price = f"{each.shadow_price:.3f}"
        table.add_row(*map(Text, names), form.percent(promise.epsilon), *late, form.count(each.requests), price)
    return table


def promise_lines(promises: Sequence[Kept]) -> list[str]:
    """What each promise costs, in words."""
    return [
        f"{printable(each.promise.name)} cost {each.given_up:.3f} quality points a request; one late answer in a "
        f"hundred less would cost {each.per_point:.4f} more"
        for each in promises
        if each.requests
    ]


def promise_json(each: Kept) -> dict[str, object]:
    """The same for machines."""
    promise = each.promise
    return {
        "name": promise.name,
        "task": promise.task or None,
        "latency_s": promise.latency_s,
        "ttft_s": promise.ttft_s,
        "epsilon": promise.epsilon,
        "requests": each.requests,
        "late": int(each.late),
        "late_rate": each.late_rate if each.requests else None,
        "late_rate_lately": each.lately * promise.epsilon if each.requests else None,
        "shadow_price": each.shadow_price,
        "quality_given_up": each.given_up if each.requests else None,
        "quality_per_point": each.per_point,
    }


def _limit(promise: Promise) -> str:
    return f"{promise.limit_s:.3g} s{'' if promise.ttft_s is None else ', token'}"
