"""What providers' headers say of waiting and retrying, in every form that they say it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MILLISECOND_HEADERS = ("retry-after-ms", "x-ms-retry-after-ms")
_GO_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_GO_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|μs|ns)", re.ASCII)
_GO_DURATION = re.compile(rf"(?:{_GO_TERM.pattern})+", re.ASCII)


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the provider asks to wait, the longest of all the forms given; None where it gives none.

    Args:
        headers: looked up without regard to case, or all in lower case.
        now: seconds since the epoch, which a date is counted from.
    """
    waits = [wait / 1000.0 for name in _MILLISECOND_HEADERS if (wait := non_negative(headers.get(name))) is not None]
    text = headers.get("retry-after")
    if text is not None:
        wait = non_negative(text)
        wait = _until_date_s(text, now) if wait is None else wait
        if wait is not None:
            waits.append(wait)
    return max(waits, default=None)


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Whether the provider says that retrying is of use (`x-should-retry`); None where it does not say."""
    text = headers.get("x-should-retry")
    return None if text is None else {"true": True, "false": False}.get(text.strip().lower())


def non_negative(text: str | None) -> float | None:
    """The number in a text; None where it is no finite number, or is negative."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0.0 else None


def go_duration_s(text: str) -> float | None:
    """Seconds in a duration as Go writes it ("6m0s", "6ms", "1h2m3.5s"); None where it is none, or is negative."""
    text = text.strip()
    if not _GO_DURATION.fullmatch(text):
        return 0.0 if text == "0" else None
    return math.fsum(float(number) * _GO_SECONDS[unit] for number, unit in _GO_TERM.findall(text))


def rfc3339(text: str) -> float | None:
    """The instant that an RFC 3339 timestamp names, seconds since the epoch; None where it is none."""
    try:
        instant = datetime.fromisoformat(text.strip().upper())
        return None if instant.tzinfo is None else instant.timestamp()
    except (ValueError, OverflowError):
        return None


def _until_date_s(text: str, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        at = (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(at - now, 0.0)
