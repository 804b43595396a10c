r"""Numbers as people and models write them: 1,234.5, 3,5, -3/4, \frac{1}{2}, 1 3/4, 12 %, 6.02e23."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_GROUPED = r"\d{1,3}(?:[,'’\u00a0\u2009\u202f]\d{3}){1,100}(?![\d,])"
_DECIMAL_COMMA = r"(?<!\d,)\d{1,400},\d{1,400}(?![.,]?\d)"
_DECIMAL = rf"(?:(?:{_GROUPED}|\d{{1,400}})(?:\.\d{{1,400}})?|\.\d{{1,400}})(?:[eE][-+−]?\d{{1,3}}(?!\d))?"
_FRACTION = r"\\[dt]?frac ?\{ ?(?P<top>\d{1,100}) ?\} ?\{ ?(?P<bottom>\d{1,100}) ?\}"
_MIXED = r"(?:(?P<whole>\d{1,100})[ \u00a0])?(?P<above>\d{1,100}) ?/ ?(?P<below>\d{1,100})(?![\d/])"
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])(?P<sign>[-+−])?[$€£¥]?"
    rf"(?:{_FRACTION}|{_MIXED}|(?P<comma>(?!{_GROUPED}){_DECIMAL_COMMA})|(?P<decimal>{_DECIMAL}))"
    r"(?P<percent> ?\\?[%％])?"
)
_SEPARATORS = re.compile("[,'’\u00a0\u2009\u202f]")


class Quantity(NamedTuple):
    """A number as it was written; 50% is 50 and a percentage."""

    value: float
    percent: bool = False


def quantities(text: str) -> Iterator[Quantity]:
    """The numbers of a text in order; 10-20 are two of them, 10 and 20, and x2 is none."""
    for match in _NUMBER.finditer(text):
        size = _size(match)
        if size is not None:
            yield Quantity(-size if match["sign"] in ("-", "−") else size, match["percent"] is not None)


def last_quantity(text: str) -> Quantity | None:
    """The last number of a text; None where there is none."""
    last = None
    for quantity in quantities(text):
        last = quantity
    return last


def _size(match: re.Match[str]) -> float | None:
    """The number without its sign; None where it is a fraction of nothing."""
    if match["comma"]:
        return float(match["comma"].replace(",", "."))
    if match["decimal"]:
        return float(_SEPARATORS.sub("", match["decimal"]).replace("−", "-"))
    above, below = float(match["top"] or match["above"]), float(match["bottom"] or match["below"])
    return float(match["whole"] or 0) + above / below if below else None
