"""Whether what the gateway spent and learned is what its log says, to the picodollar."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from banditroute.cli.differences import differences
from banditroute.routing.accounts import PICOS, picos_of
from banditroute.storage.protocol import Trail, Window
from banditroute.storage.sqlite_reader import SQLiteReader
from hour_traffic import Heard

UNCAPPED = "batch"  # the tenant that has no cap of its own
RTOL = 1e-9  # of sums of floats, which the store keeps
GAUGE = re.compile(r'^(\w+)\{budget="(\w+)".*\} (\S+)$', re.MULTILINE)


@dataclass(slots=True)
class Books:
    """What is on record.

    Attributes:
        decisions: how many; unsettled: those without an outcome.
        served: decisions with an answer.
        judged: decisions with a judgement.
        picos: charged to each window, in 1e-12 dollars.
        wrong: what does not add up, in words.
    """

    decisions: int = 0
    unsettled: int = 0
    served: set[str] = field(default_factory=set)
    judged: set[str] = field(default_factory=set)
    picos: Counter[Window] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def enter(self, trail: Trail) -> None:
        """Adds what is on record of one decision."""
        self.decisions += 1
        decision, outcome = trail.decision, trail.outcome
        if outcome is None:
            self.unsettled += 1
            return
        if outcome.ok:
            self.served.add(decision.decision_id)
        if trail.feedback:
            self.judged.add(decision.decision_id)
        owed, charged = picos_of(outcome.cost_usd), Counter[str]()
        for charge in trail.charges:  # each call of a request has its own
            self.picos[charge.window] += picos_of(charge.usd)
            charged[charge.window.budget] += picos_of(charge.usd)
        budgets = {"all", decision.tenant} - {UNCAPPED} if owed else set[str]()
        rounding = len(outcome.attempts)  # of each call
        if charged.keys() != budgets or any(abs(picos - owed) > rounding for picos in charged.values()):
            self.wrong.append(f"{decision.decision_id} cost {owed} picodollars and was charged {dict(charged)}")


async def books_of(path: Path, heard: Heard, gauges: str) -> Books:
    """What is on record in a store, held against what callers were told and what the gateway's metrics said at rest."""
    reader = SQLiteReader(path)
    await reader.open()
    books = Books()
    try:
        async for trail in reader.trails():
            books.enter(trail)
        states = await reader.compared()
    finally:
        await reader.aclose()
    books.wrong += [str(each) for each in differences(states) if each.differs]
    books.wrong += [*_unlike(books, states.kept.spent_usd), *_forgotten(books, heard), *_against(books, gauges)]
    return books


def _unlike(books: Books, spent_usd: Mapping[Window, float]) -> Iterator[str]:
    for window in books.picos.keys() | spent_usd.keys():
        usd, logged = spent_usd.get(window, 0.0), books.picos[window] / PICOS
        if abs(usd - logged) > RTOL * max(usd, logged):
            yield f"{window}: {usd} is kept as spent, and the log's charges are {logged}"


def _forgotten(books: Books, heard: Heard) -> Iterator[str]:
    for what, told, logged in (("served", heard.served, books.served), ("judged", heard.judged, books.judged)):
        lost = len(set(told) - logged)
        if lost:
            yield f"{lost} decisions were acknowledged as {what} and are not on record as such"
        if len(set(told)) < len(told):
            yield f"{len(told) - len(set(told))} decisions were acknowledged as {what} twice"


def _against(books: Books, gauges: str) -> Iterator[str]:
    """What the process's own accounts, which are whole picodollars, say otherwise."""
    newest = {window.budget: window for window in sorted(books.picos)}
    for name, budget, value in GAUGE.findall(gauges):
        if name == "banditroute_budget_reserved_usd" and float(value):
            yield f"{budget}: ${value} is held by nobody"
        if name == "banditroute_budget_spent_usd" and float(value) != books.picos[newest[budget]] / PICOS:
            yield f"{budget}: ${value} is spent, and the log's charges are {books.picos[newest[budget]] / PICOS}"
        if name == "banditroute_budget_left_usd" and float(value) < 0:
            yield f"{budget}: ${value} is left"
