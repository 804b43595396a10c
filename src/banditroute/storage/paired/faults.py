"""What is wrong with sums that are kept beside a log."""

from __future__ import annotations

from banditroute.errors import StoreError


class UnsoundError(StoreError):
    """The sums in Redis are not those of the log, or may have lost something: they are to be looked at first."""
