"""Forgetting old rows: what they taught and spent goes to the sums of rows that are gone as they are deleted."""

from __future__ import annotations

from collections.abc import Sequence

from banditroute.storage.tally import Tally
from banditroute.storage.withdrawing import Withdrawal

from .namespace import Namespace
from .operations import Operation, new_token
from .reading import Found
from .scripts import telling
from .wording import Argument, evidence_parts, listed, logged_of, tally_parts


def prune(namespace: Namespace, rows: Sequence[Found]) -> Operation:
    """Forgets rows that were read; False, and nothing is changed, where they are no longer as they were then."""
    return _forget(namespace, rows, added_up(rows), Withdrawal({}, {}), "")


def withdraw(namespace: Namespace, rows: Sequence[Found], taught: Tally, off: Withdrawal, moved: int) -> Operation:
    """Forgets rows that were read, and what they taught.

    False, and nothing is changed, where they, or the sums, are no longer as they were then.

    Args:
        namespace: whose keys.
        rows: which.
        taught: what they have taught and spent.
        off: what is to be added to the sums in its place.
        moved: how often the sums were moved before they were read.
    """
    retired = Tally(off.retired, taught.spent_usd, taught.paces, taught.paid)
    return _forget(namespace, rows, retired, off, moved)


def added_up(rows: Sequence[Found]) -> Tally:
    """What rows have taught and spent."""
    tally = Tally()
    for each in rows:
        logged_of(0, each.row).add_to(tally)
    return tally


def _forget(namespace: Namespace, rows: Sequence[Found], retired: Tally, off: Withdrawal, moved: Argument) -> Operation:
    words = telling(
        namespace,
        "prune",
        new_token(),
        moved,
        *listed([(each.decision_id, each.judged_bytes) for each in rows]),
        *tally_parts(retired),
        *evidence_parts(off.kept),
    )
    return Operation(words, bool)
