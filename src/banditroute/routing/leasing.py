"""How much of a cap a process asks for, where several share it: pure arithmetic in 1e-12 dollars.

For every window, what all have spent and what each may still spend stay within what it allows. A process reserves from
its lease without asking anybody. What it settled counts as spent once the store has been told, and until then out of
its lease.
"""

from __future__ import annotations

from typing import NamedTuple

_TICKS = 3  # of spending as fast as lately that a lease is to last, should an exchange come late
_LARGEST = 2  # requests as large as the largest that it is to have room for
_KEPT = 0.97  # of the largest, from one tick to the next: a large request long ago is no reason to hold dollars
_NEWEST = 0.3  # weight of the last tick in how fast is spent
_IDLE = 8  # all processes together hold one part in so many of what is left, whether they need it or not


class Need(NamedTuple):
    """What a process has of a window, and what it would have; at least as much."""

    held: int
    wanted: int


class Lease:
    """What one process may spend of one window of a cap.

    Attributes:
        limit: what may be spent and reserved in the window: what all have spent, as last heard, and what it has of it.
    """

    __slots__ = ("_charged", "_largest", "_lately", "_peak", "_rate", "_refused", "_told", "_told_then", "limit")

    def __init__(self) -> None:
        self.limit = 0
        self._charged = 0  # of this process, ever
        self._told = 0  # of that, what the store was told
        self._told_then = 0  # when it was asked last
        self._lately = 0  # charged since it was asked last
        self._rate = 0.0  # charged from one time to the next, lately
        self._peak = 0  # reserved at once since it was asked last
        self._largest = 0.0  # single reservation, lately
        self._refused = 0  # for want of a lease, since it was asked last

    def reserving(self, wanted: int, reserved: int) -> None:
        """Takes note of a reservation, and of what is reserved with it."""
        self._largest = max(self._largest, wanted)
        self._peak = max(self._peak, reserved)

    def refuse(self, wanted: int) -> None:
        """Takes note of a reservation that the lease has no room for."""
        self._largest = max(self._largest, wanted)
        self._refused += wanted

    def charge(self, amount: int) -> None:
        """Takes note of what was spent."""
        self._charged += amount
        self._lately += amount

    def tell(self, amount: int) -> None:
        """Takes note of what the store is being told of it."""
        self._told += amount

    def owe(self, amount: int) -> None:
        """Takes note that the store was not told after all, as far as is known: it goes on counting."""
        self._charged += amount

    def ask(self, usd: int, spent: int, reserved: int, processes: int) -> Need:
        """What to ask for; where that is less than it has, it does without the rest from now on.

        Lowered before asking, it cannot be reserved by this process and granted to another meanwhile.

        Args:
            usd: what the window allows.
            spent: in it, as far as is known here.
            reserved: of its lease.
            processes: how many share the window.
        """
        unheard = self._charged - self._told
        bound = reserved + unheard
        held = max(self.limit - spent, reserved) + unheard
        self._rate += _NEWEST * (self._lately - self._rate)
        wanted = bound + self._wanted(usd - spent, bound, processes)
        kept = min(held, wanted)
        self.limit -= held - kept
        self._told_then, self._lately, self._peak, self._refused = self._told, 0, reserved, 0
        self._largest *= _KEPT
        return Need(kept, wanted)

    def granted(self, amount: int, spent: int) -> int:
        """Takes in what was granted, and what the store had as spent; what is spent by now.

        What the store has not been told of yet counts besides, and what it was told later.
        """
        self.limit = spent + amount
        return spent + self._charged - self._told_then

    def lapse(self) -> None:
        """Gives no more dollars out: by now the store may count it as gone."""
        self.limit = 0

    def _wanted(self, left: int, bound: int, processes: int) -> int:
        """What to have besides what is bound in requests under way."""
        soon = round(_TICKS * max(self._rate, self._lately) + _LARGEST * self._largest)
        return max(self._peak - bound, 0) + max(soon + self._refused, left // (_IDLE * processes), 0)
