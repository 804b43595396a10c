"""Every policy by every estimator beside what was logged: quality, dollars and seconds."""

import math
from collections.abc import Callable
from typing import NamedTuple

from banditroute.evaluation.results import Estimate, Evaluation, Interval, Logged, Value
from banditroute.reports import columns
from banditroute.reports.charts.dots import UNKNOWN, Dot, Dots, Measure
from banditroute.reports.parts import Chart, Column, Fold, Section, Table, breaks
from banditroute.reports.units import QUALITY, UNITS, Unit

_MEASURED = "measured on the log"


def estimates_section(result: Evaluation) -> Section | None:
    """The section: dots with both intervals, and a table for each measure; None without estimates."""
    if not result.estimates:
        return None
    intro = (
        "Each estimator answers the same question in another way; where they agree, the answer rests on the data. "
        "Those that reweigh (ips, snips) need no model of the answers, dm is nothing but such a model, and dr and "
        "switch-dr correct the model by reweighing."
    )
    folds = tuple(_fold(unit, result) for unit in UNITS if _known(unit, result))
    return Section("estimates", "Estimates beside the log", intro, (_chart(result), *folds))


def value_of(estimate: Estimate, unit: Unit) -> Value | None:
    """The estimate of one quantity; None where nobody judged."""
    values = {"quality": estimate.quality, "cost_usd": estimate.cost_usd, "latency_s": estimate.latency_s}
    return values[unit.key]


def logged_of(logged: Logged, unit: Unit) -> tuple[float, Interval] | None:
    """What was measured of one quantity, with its interval; None where nobody judged."""
    values = {"quality": logged.quality, "cost_usd": logged.cost_usd, "latency_s": logged.latency_s}
    return values[unit.key]


def logged_name(logged: Logged) -> str:
    """What to call a logging policy."""
    return f"logged: {logged.policy}" if logged.policy else "logged"


def _known(unit: Unit, result: Evaluation) -> bool:
    return any(value_of(each, unit) is not None for each in result.estimates)


def _chart(result: Evaluation) -> Chart:
    estimators = tuple(dict.fromkeys(each.estimator for each in result.estimates))
    policies = tuple(dict.fromkeys(each.policy for each in result.estimates))
    known = [unit for unit in UNITS if _known(unit, result)]
    alone = len(result.logged) == 1
    draw = Dots(
        rows=(*map(logged_name, result.logged), *policies),
        series=(_MEASURED, *estimators),
        measures=tuple(_measure(unit, result, policies, estimators) for unit in known),
        reference_label="what the logged policy got" if alone else "",
    )
    anytime = any(value is not None and value.anytime95 for each in result.estimates for value in _values(each))
    thin = "; thin lines hold however often one looks at a growing log" if anytime else ""
    cut = " What leaves the scale is cut off." if any(measure.cut for measure in draw.measures) else ""
    return Chart(
        name="estimates-chart",
        title="Policies beside what was logged",
        description=_description(result),
        caption=f"Thick bars are 95% intervals for one look{thin}.{cut}",
        draw=draw,
        data=_data(result),
    )


def _values(estimate: Estimate) -> tuple[Value | None, ...]:
    return tuple(value_of(estimate, unit) for unit in UNITS)


def _measure(unit: Unit, result: Evaluation, policies: tuple[str, ...], estimators: tuple[str, ...]) -> Measure:
    by_name = {(each.policy, each.estimator): _dot(value_of(each, unit)) for each in result.estimates}
    measured = [logged_of(logged, unit) for logged in result.logged]
    logged = tuple((UNKNOWN if each is None else Dot(each[0], *each[1]),) for each in measured)
    rows = tuple((UNKNOWN, *(by_name.get((policy, name), UNKNOWN) for name in estimators)) for policy in policies)
    reference = measured[0][0] if len(measured) == 1 and measured[0] is not None else math.nan
    return Measure(unit.title, (*logged, *rows), unit.ticks, reference)


def _dot(value: Value | None) -> Dot:
    return UNKNOWN if value is None else Dot(value.mean, *value.ci95, *(value.anytime95 or (math.nan, math.nan)))


def _description(result: Evaluation) -> str:
    spoken = [f"{each.policy}, {each.how}, {each.unit.key} {each.unit.text(each.dot.value)}" for each in _drawn(result)]
    return f"Estimates of each policy with their intervals, beside what was logged. {'; '.join(spoken)}."


def _fold(unit: Unit, result: Evaluation) -> Fold:
    rows = [(each, value) for each in result.estimates if (value := value_of(each, unit)) is not None]
    table = Table(
        name=f"estimates-{unit.key}",
        caption=f"{unit.title} of each policy by each estimator, and the change against the logged "
        "decisions. Beneath: the 95% interval for one look; beside: the one that holds at any time.",
        columns=_columns(unit, rows),
        breaks=breaks([each.policy for each, _ in rows]),
    )
    return Fold(unit.title, (table,), opened=unit is UNITS[0])


def _columns(unit: Unit, rows: list[tuple[Estimate, Value]]) -> tuple[Column, ...]:
    values = [value for _, value in rows]
    return (
        columns.words("policy", "Policy", [each.policy for each, _ in rows]),
        columns.words("estimator", "Estimator", [each.estimator for each, _ in rows]),
        columns.estimates(
            "mean", "Estimate", [each.mean for each in values], [each.ci95 for each in values], unit.text
        ),
        columns.intervals("anytime95", "Any time", [each.anytime95 for each in values], unit.text),
        columns.estimates(
            "gain", "Change", [each.gain for each in values], [each.gain_ci95 for each in values], unit.change
        ),
        columns.intervals("gain_anytime95", "Any time", [each.gain_anytime95 for each in values], unit.change),
    )


class _Drawn(NamedTuple):
    """One dot of the chart and how many decisions it rests on."""

    policy: str
    how: str
    unit: Unit
    dot: Dot
    rows: int


def _drawn(result: Evaluation) -> list[_Drawn]:
    """Every dot of the chart, logged policies first."""
    measured = [
        _Drawn(logged_name(each), "measured", unit, Dot(found[0], *found[1]), _measured_rows(each, unit))
        for each in result.logged
        for unit in UNITS
        if (found := logged_of(each, unit)) is not None
    ]
    estimated = [
        _Drawn(each.policy, each.estimator, unit, _dot(value), value.rows)
        for each in result.estimates
        for unit in UNITS
        if (value := value_of(each, unit)) is not None
    ]
    return measured + estimated


def _measured_rows(logged: Logged, unit: Unit) -> int:
    return logged.judged if unit is QUALITY else logged.rows


def _data(result: Evaluation) -> Table:
    every = _drawn(result)
    return Table(
        name="estimates-chart-data",
        caption="Every dot and interval in the chart.",
        columns=(
            columns.words("policy", "Policy", [each.policy for each in every]),
            columns.words("estimator", "Estimator", [each.how for each in every]),
            columns.words("measure", "Measure", [each.unit.key for each in every]),
            _end("mean", "Estimate", every, lambda dot: dot.value),
            _end("low", "95% low", every, lambda dot: dot.low),
            _end("high", "95% high", every, lambda dot: dot.high),
            _end("anytime_low", "Any time low", every, lambda dot: dot.least),
            _end("anytime_high", "Any time high", every, lambda dot: dot.most),
            columns.counts("rows", "Decisions", [each.rows for each in every]),
        ),
        breaks=breaks([each.policy for each in every]),
    )


def _end(key: str, label: str, every: list[_Drawn], of: Callable[[Dot], float]) -> Column:
    cells = (columns.numbers(key, label, [of(each.dot)], each.unit.text).cells[0] for each in every)
    return Column(key, label, tuple(cells))
