"""How numbers are written for people: quality as .923, dollars with two telling digits, shares as whole percents."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import PurePath

ABSENT = "–"
_MINUS = "−"
_MOST_DECIMALS = 9
_STRETCHES = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def quality(value: float, decimals: int = 3) -> str:
    """A quality in [0, 1] as .923; 1.000 keeps its leading digit, nan is a dash."""
    if math.isnan(value):
        return ABSENT
    rounded = round(value, decimals) + 0.0  # no minus before nothing
    text = f"{rounded:.{decimals}f}".replace("-", _MINUS)
    return text.replace("0.", ".", 1) if abs(rounded) < 1 else text


def quality_change(value: float, decimals: int = 3) -> str:
    """A difference of two qualities with its sign: +.005, −.009; a change that rounds to nothing is .000."""
    return ("+" if round(value, decimals) > 0 else "") + quality(value, decimals)


def interval(low: float, high: float) -> str:
    """A quality interval as .921 to .925; nan at either end is a dash."""
    return between(low, high, quality)


def percent(share: float) -> str:
    """A share as a whole percent; one decimal below 1%, and never 0% or 100% for what is only close to it."""
    if math.isnan(share):
        return ABSENT
    size = abs(share)
    if 0 < size < 0.001:
        return "<0.1%" if share > 0 else f">{_MINUS}0.1%"
    if 0.995 <= size < 1:
        return ">99%" if share > 0 else f"<{_MINUS}99%"
    return f"{share:,.{1 if 0 < size < 0.00995 else 0}%}".replace("-", _MINUS)


def percent_change(share: float) -> str:
    """A difference in percent with its sign: +4%, −31%; what is only close to something needs none."""
    text = percent(share)
    return f"+{text}" if share > 0 and text[0].isdecimal() else text


def ratio(value: float) -> str:
    """Spend over budget as a percent with one decimal, 99.4%, because a tenth of a percent matters there."""
    return ABSENT if math.isnan(value) else f"{value:,.1%}"


def count(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def money(value_usd: float, digits: int = 2) -> str:
    """Dollars with so many significant digits below one dollar, with cents above: $0.00066, $12.40."""
    if math.isnan(value_usd):
        return ABSENT
    decimals = _decimals(value_usd, digits)
    if decimals > _MOST_DECIMALS:
        return f"${value_usd:.{digits - 1}e}".replace("e-0", "e-").replace("-", _MINUS)
    return money_to(value_usd, decimals)


def money_to(value_usd: float, decimals: int) -> str:
    """Dollars with so many decimals; nan is a dash."""
    if math.isnan(value_usd):
        return ABSENT
    text = f"${abs(value_usd):,.{decimals}f}"
    return _MINUS + text if value_usd < 0 else text


def money_column(values_usd: Sequence[float], digits: int = 2) -> tuple[str, ...]:
    """Dollars with one number of decimals for all, so that a column lines up; the smallest keeps its digits."""
    needed = (_decimals(value, digits) for value in values_usd if value and not math.isnan(value))
    decimals = min(max(needed, default=0), 7)
    return tuple(money_to(value, decimals) for value in values_usd)


def money_names(values_usd: Sequence[float]) -> tuple[str, ...]:
    """Dollars with just as many digits as it takes to tell different values apart."""
    for digits in range(2, 9):
        names = tuple(_without_zeros(money(value, digits)) for value in values_usd)
        if len(set(names)) == len(set(values_usd)):
            return names
    return tuple(f"${value!r}" for value in values_usd)


def budget_names(budgets_usd: Sequence[float | None]) -> tuple[str, ...]:
    """Each budget as dollars, or "no budget"."""
    names = iter(money_names([budget for budget in budgets_usd if budget is not None]))
    return tuple("no budget" if budget is None else next(names) for budget in budgets_usd)


def money_change(value_usd: float, digits: int = 2) -> str:
    """A difference of dollars with its sign: +$0.00012, −$0.41."""
    return ("+" if value_usd > 0 else "") + money(value_usd, digits)


def seconds(value_s: float) -> str:
    """Seconds with three digits, milliseconds below one second; nan is a dash."""
    if math.isnan(value_s):
        return ABSENT
    small = 0 < abs(value_s) < 0.9995
    digits = (
        f"{1000 * value_s if small else value_s:#.3g}".removesuffix(".") if abs(value_s) < 1000 else f"{value_s:,.0f}"
    )
    return f"{digits} {'ms' if small else 's'}".replace("-", _MINUS)


def seconds_change(value_s: float) -> str:
    """A difference of seconds with its sign: +1.2 s, −340 ms."""
    return ("+" if value_s > 0 else "") + seconds(value_s)


def date(at: float) -> str:
    """An instant, seconds since the epoch, as 25 Nov 2026 14:05, UTC."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when.day} {when:%b %Y %H:%M}"


def stretch(seconds_s: float) -> str:
    """A length of time in its largest whole unit: 15 minutes, 1 hour, 7 days."""
    size_s, unit = next((each for each in _STRETCHES if seconds_s >= each[0]), _STRETCHES[-1])
    return plural(round(seconds_s / size_s), unit)


def between(low: float, high: float, text: Callable[[float], str]) -> str:
    """An interval in words, each end written by the function given; nan at either end is a dash."""
    return ABSENT if math.isnan(low) or math.isnan(high) else f"{text(low)} to {text(high)}"


def plural(number: int, noun: str) -> str:
    """So many of something: 1 row, 1,824 rows."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def shorten(name: str, most: int) -> str:
    """The name, or its two ends around an ellipsis where it is longer: what tells models apart stands at the ends."""
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"


def short_names(names: Sequence[str], most: int) -> tuple[str, ...]:
    """Each name shortened to so many characters, or to as many more as it takes to tell them all apart."""
    longest = max(map(len, names), default=0)
    tries = (tuple(shorten(name, length) for name in names) for length in range(most, max(longest, most) + 1))
    return next(short for short in tries if len(set(short)) == len(set(names)))


def listing(parts: Iterable[str]) -> str:
    """Words as people list them: a; a and b; a, b and c."""
    words = list(parts)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def source_name(path: str) -> str:
    """A table's or a log's name without its folders and its file type."""
    name = PurePath(path).name
    for ending in (".gz", ".jsonl", ".csv", ".parquet"):
        name = name.removesuffix(ending)
    return name or path


def seeds(values: Sequence[int]) -> str:
    """Seeds as a range where they count up, else one by one."""
    if len(values) > 2 and all(after == before + 1 for before, after in pairwise(values)):
        return f"{values[0]} to {values[-1]}"
    return listing(str(value) for value in values)


def _without_zeros(text: str) -> str:
    """Dollars without the zeros at the end, where more than cents are shown."""
    whole, point, decimals = text.partition(".")
    return f"{whole}{point}{decimals.rstrip('0'):0<2}" if len(decimals) > 2 and decimals.isdecimal() else text


def _decimals(value_usd: float, digits: int) -> int:
    if value_usd == 0:
        return 0
    if abs(value_usd) >= 1:
        return max(2, digits - 1 - math.floor(math.log10(abs(value_usd))))
    return digits - 1 - math.floor(math.log10(float(f"{abs(value_usd):.{digits - 1}e}")))
