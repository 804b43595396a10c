"""What was saved and gained against baselines, or why nobody can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts import scales
from banditroute.reports.charts.dots import UNKNOWN, Dot, Dots, Measure
from banditroute.reports.month.comparing import Amount, Compared, Comparison
from banditroute.reports.month.month import Month
from banditroute.reports.parts import Block, Bullets, Chart, Column, Note, Section, Table

_TITLE = "Saved and gained"


def savings_section(month: Month) -> Section:
    """The section: a sentence for each baseline, a picture of those with numbers, all numbers, what was assumed."""
    comparison = month.comparison
    if comparison is None:
        words = (
            "No decision of this month was left to chance and answered, so nothing tells what others would have got."
        )
        return Section("savings", _TITLE, "", (Note(words),))
    intro = (
        "What other policies would have spent and got on the same requests, estimated from decisions that were left "
        "to chance; 95% intervals."
    )
    picture: tuple[Block, ...] = (_picture(comparison),) if _known(comparison) else ()
    sentences = tuple(in_words(each) for each in comparison.rows)
    blocks = (Bullets(sentences), *picture, Bullets(comparison.notes))
    return Section("savings", _TITLE, intro, blocks)


def in_words(each: Compared) -> str:
    """One baseline, in a sentence or two."""
    if each.saved_usd is None:
        return f"{each.name} ({each.meaning}): {each.verdict}"
    said = [_saved(each.saved_usd)]
    if each.gained is not None:
        said.append(_gained(each.gained))
    after = f" {each.verdict}" if each.verdict else ""
    return f"{each.name} ({each.meaning}): {'; '.join(said)}.{after}"


def briefly(each: Compared) -> str:
    """The same for a first look."""
    if each.saved_usd is None:
        return f"Against {each.label}: no verdict, see below."
    said = (_saved(each.saved_usd), *(() if each.gained is None else (_gained(each.gained),)))
    return f"Against {each.label}: {'; '.join(said)}."


def savings_table(comparison: Comparison) -> Table:
    """Every number for files, nothing where the log carries none; then it says why."""
    rows = comparison.rows
    table = _numbers("baselines", comparison, rows)
    meaning = columns.words("meaning", "What it is", [each.meaning for each in rows])
    verdict = columns.words("verdict", "No number, because", [each.verdict for each in rows])
    return replace(table, columns=(*table.columns, meaning, verdict))


def _numbers(name: str, comparison: Comparison, rows: Sequence[Compared]) -> Table:
    return Table(
        name=name,
        caption=f"Beside {write.money(comparison.spent_usd)} that were spent on the "
        f"{write.plural(comparison.decisions, 'decision')} left to chance. Saved and gained: above 0, what was done "
        "was cheaper or better.",
        columns=(
            columns.words("baseline", "Baseline", [each.name for each in rows]),
            *_columns("baseline_usd", "Would have spent", [each.baseline_usd for each in rows], write.money),
            *_columns("saved_usd", "Saved", [each.saved_usd for each in rows], write.money_change),
            *_columns("quality_0_to_1", "Quality", [each.quality for each in rows], write.quality),
            *_columns("quality_gained", "Gained", [each.gained for each in rows], write.quality_change),
        ),
    )


def _saved(amount: Amount) -> str:
    low, high = amount.ci95
    ends = f"({_sizes(amount, write.money)})"
    if low > 0.0:
        return f"{write.money(amount.mean)} saved {ends}"
    if high < 0.0:
        return f"{write.money(-amount.mean)} more spent {ends}"
    return f"no difference in dollars shown ({write.between(low, high, write.money_change)})"


def _gained(amount: Amount) -> str:
    low, high = amount.ci95
    ends = f"({_sizes(amount, write.quality)})"
    if low > 0.0:
        return f"quality better by {write.quality(amount.mean)} {ends}"
    if high < 0.0:
        return f"quality worse by {write.quality(-amount.mean)} {ends}"
    return f"no difference in quality shown ({write.between(low, high, write.quality_change)})"


def _sizes(amount: Amount, text: Callable[[float], str]) -> str:
    """Both ends of an interval that lies on one side of nothing, without their sign."""
    least, most = sorted(map(abs, amount.ci95))
    return write.between(least, most, text)


def _known(comparison: Comparison) -> list[Compared]:
    return [each for each in comparison.rows if each.baseline_usd is not None]


def _picture(comparison: Comparison) -> Chart:
    rows = _known(comparison)
    spent, quality = comparison.spent_usd, comparison.quality
    measures = [Measure("Dollars", tuple((_dot(each.baseline_usd),) for each in rows), scales.dollars, spent)]
    if any(each.quality is not None for each in rows):
        got = math.nan if quality is None else quality
        measures.append(
            Measure("Quality, from 0 to 1", tuple((_dot(each.quality),) for each in rows), scales.qualities, got)
        )
    named = write.listing(f"{each.label} {write.money(_mean(each.baseline_usd))}" for each in rows)
    return Chart(
        name="savings-picture",
        title="What baselines would have spent and got",
        description=f"Dots with 95% intervals beside {write.money(spent)} that were spent: {named}.",
        caption="Bars: 95% intervals. Left of the dashed line is cheaper, or worse, than what was done.",
        draw=Dots(tuple(each.label for each in rows), ("estimate",), tuple(measures), "what was done"),
        data=_numbers("savings-picture-data", comparison, rows),
    )


def _dot(amount: Amount | None) -> Dot:
    return UNKNOWN if amount is None else Dot(amount.mean, *amount.ci95)


def _mean(amount: Amount | None) -> float:
    return math.nan if amount is None else amount.mean


def _columns(
    key: str, label: str, amounts: Sequence[Amount | None], text: Callable[[float], str]
) -> tuple[Column, Column, Column]:
    """The estimate and both ends of its interval."""
    lows, highs = ([math.nan if each is None else each.ci95[end] for each in amounts] for end in (0, 1))
    return (
        columns.numbers(key, label, [_mean(each) for each in amounts], text),
        columns.numbers(f"{key}_low95", "from", lows, text),
        columns.numbers(f"{key}_high95", "to", highs, text),
    )
