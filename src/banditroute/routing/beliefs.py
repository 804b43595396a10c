"""What is believed of every model, live: what it answers, how long that is and takes, what it is billed at.

Whoever decides by it asks; whoever sees what came of decisions tells. Tokens and seconds are learned and dollars
computed from the catalog, so that a price edit acts at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning.evidence import Evidence, merged
from banditroute.learning.policy import PolicySettings
from banditroute.learning.priors import LOG_LATENCY, LOG_TOKENS, LOG_TTFT
from banditroute.records import Alarm, Context, Demand, Outcome

from . import watching
from .bills import Bills
from .catalog import Catalog, Model
from .eligibility import Eligibility, Screen, reservation_usd
from .hearing import Hearer
from .hearsay import Hearsay, Told
from .lessons import IN_FLIGHT, SIGNALS, Edge, Lesson, inputs_of, tokens_of
from .load import Load
from .paced import PaceRecord
from .rates import Rates
from .signals import Amounts, Signals

Floats = NDArray[np.float64]

NO_ENCODER = "none"
"""The version of the encoder that makes no features."""


class Beliefs:
    """What is believed of every model; one owner, no clock, no chance, no I/O.

    Args:
        catalog: the models; their order is that of the arms.
        tasks: task classes known from the start; others join when something is first learned of them.
        width: how many features a prompt has.
        settings: how to learn.
        encoder_version: which encoder made the features; evidence of another is not taken in.

    Attributes:
        names: the models.
        catalog: the same, at what they are billed where that is known to be another price.
        rates: their prices as arrays.
        signals: what was learned; row i of its evidence is class `tasks[i]`, the row after the last is empty.
        load: the calls under way; whoever makes calls tells it.
        encoder_version: which encoder's features are learned by; width: how many there are.
    """

    def __init__(
        self,
        catalog: Catalog,
        tasks: Sequence[str] = (),
        width: int = 0,
        settings: PolicySettings | None = None,
        encoder_version: str = NO_ENCODER,
    ) -> None:
        self._settings = PolicySettings() if settings is None else settings
        self.names = catalog.names
        self.encoder_version, self.width = encoder_version, width
        self._bills = Bills(catalog, self._settings.jumps)
        self._bill_anew()
        self._hearsay = Hearsay(self._today)
        self._tasks = {task: index for index, task in enumerate(dict.fromkeys(tasks))}
        self._promised: set[str] = set()  # classes of requests on their way
        priors = (self._settings.quality, LOG_TOKENS, LOG_LATENCY, LOG_TTFT)
        likes = [(arm, catalog.arm(model.like)) for arm, model in enumerate(catalog) if model.like]
        vigilances = watching.vigilances(self._settings)
        self.signals = Signals(priors, len(self._tasks), len(catalog), width + 2, likes, vigilances)
        self.load = Load(self.names)
        self._unused: dict[Edge, Evidence] = {}  # of models that the catalog does not have (any more, or yet)
        self._alarms: list[Alarm] = []
        self._hearers: list[Hearer] = []
        self._seen = 0
        self._next_refresh = self._settings.refresh_first

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task classes of which something can be told apart, in the order they became known."""
        return tuple(self._tasks)

    def tell(self, hearer: Hearer) -> None:
        """Tells it what is taken in from now on, after those that are told already."""
        self._hearers.append(hearer)

    def may_learn(self, task: str, most: int) -> bool:
        """Whether the class is known, or may become so while there are no more than so many; promised once told."""
        if task in self._tasks or task in self._promised:
            return True
        if len(self._tasks) + len(self._promised) >= most:
            return False
        self._promised.add(task)
        return True

    def inputs(self, context: Context) -> Floats:
        """The inputs (X,) of the linear models at a context.

        Raises:
            InputError: the features are not of the width agreed, or not finite.
        """
        features = context.features
        if len(features) != self.width:
            problem = f"{len(features)} features where {self.width} are expected"
            raise InputError(problem, remedy="encode every prompt with one encoder", field="features")
        if not math.isfinite(sum(features)):
            raise InputError("a feature is not a finite number", field="features")
        return np.array(inputs_of(context))

    def amounts(self, task: str, x: Floats, *, busy: bool) -> Amounts:
        """What every model is expected to do in a class at inputs x (X,): as busy as it is now, or as when idle."""
        amounts = self.signals.forecast(self._class_of(task), x)
        return self.load.slowed(amounts) if busy else amounts

    def screened(
        self, task: str, demand: Demand, x: Floats, level_usd: float | None, unavailable: Mapping[str, str]
    ) -> Eligibility:
        """Which models may serve a request of a class at inputs x (X,).

        Args:
            task: the class.
            demand: what the request needs and its caller allows.
            x: its inputs.
            level_usd: dollars left of hard budgets: models that may cost more are excluded.
            unavailable: models that cannot be called now, each with its reason.
        """
        return self._screen.check(
            demand,
            level_usd=level_usd,
            unavailable=unavailable,
            likely_tokens=lambda model: self._likely_tokens(model, task, x),
        )

    def reservation_usd(self, model: Model, context: Context, demand: Demand) -> float:
        """Dollars to hold for a call: its worst case, an answer without a limit bounded by what is likely at 99%."""
        if demand.max_output_tokens is not None:
            return reservation_usd(model, demand)
        return reservation_usd(model, demand, self._likely_tokens(model.name, context.task, self.inputs(context)))

    def take(self, lesson: Lesson) -> None:
        """Takes in one lesson; one of a model or an encoder that is no longer in use teaches nothing here."""
        model = self.catalog.current(lesson.model)
        if model is None:
            return
        if model != lesson.model:
            lesson = replace(lesson, model=model)
        if lesson.encoder_version == IN_FLIGHT:
            self.load.take(lesson)
        elif self._speaks_of_us(lesson.encoder_version, len(lesson.x)) and _says_something(lesson):
            self._observe(lesson)

    def settled(self, outcome: Outcome) -> None:
        """Takes in that one more request is over, and its bill."""
        self.signals.tick()
        self.check_bill(outcome)

    def check_bill(self, outcome: Outcome) -> None:
        """Holds the bill that a provider states against the catalog's prices; reckons with another where it is one."""
        rebilled = self._bills.take(outcome)
        if rebilled is not None:
            self._bill_anew()
            for hearer in self._hearers:
                hearer.rebilled(self.catalog.arm(outcome.served), rebilled.factor)
            self._alarm(rebilled.alarm)

    def forget(self, elapsed_s: float) -> None:
        """Lets all evidence fade by what so many seconds are worth, where the settings say so."""
        if self._settings.half_life_s is not None:
            self.signals.fade(0.5 ** (elapsed_s / self._settings.half_life_s))

    @property
    def alarmed(self) -> bool:
        """Whether there is anything for `take_alarms` to tell."""
        return bool(self._alarms)

    def take_alarms(self, now: float) -> tuple[Alarm, ...]:
        """The changes of models that came to light since this was last asked, as of now."""
        alarms, self._alarms = self._alarms, []
        return tuple(replace(alarm, at=now) for alarm in alarms)

    def take_moves(self) -> dict[Edge, Evidence]:
        """What changes and forgetting have added to the evidence since this was last asked: it may be negative."""
        tasks = (*self._tasks, "")
        return {
            Edge(tasks[task], self.names[arm], SIGNALS[signal], self.encoder_version): sums
            for signal, (task, arm), sums in self.signals.take_moves()
        }

    @property
    def stale(self) -> bool:
        """Whether enough was learned since the last `refresh` for another to be worth its time."""
        return self._seen >= self._next_refresh or self.signals.stale

    def refresh(self) -> None:
        """Solves what was learned anew from all evidence, so that classes and models hear of each other.

        Where evidence was moved and hardly any has come since, only the signals that it is of are solved.
        """
        for _ in self.refreshing():
            pass

    def refreshing(self) -> Iterator[None]:
        """The same in steps, each a part of its time, between which requests can be decided on and lessons taken in."""
        if not self.signals.stale or self._seen >= self._next_refresh:
            self._next_refresh = self._settings.next_refresh(self._seen)
            self.signals.doubt()
        yield from self.signals.catching_up()
        self.load.refresh()
        for hearer in self._hearers:
            hearer.refreshed()

    def begin_with(self, evidence: Mapping[Edge, Evidence]) -> None:
        """Starts from what was measured beforehand; that of models and encoders no longer in use is passed over.

        What is restored or learned later is told apart from it, and outvotes it.
        """
        for edge, sums in evidence.items():
            model = self.catalog.current(edge.model)
            if model is not None and self._speaks_of_us(edge.encoder_version, sums.b.shape[-1]):
                where = self._known_class(edge.task), self.catalog.arm(model)
                self.signals.warm(SIGNALS.index(edge.signal), where, sums)
        self.refresh()

    def restore(self, evidence: Mapping[Edge, Evidence], records: Sequence[PaceRecord]) -> None:
        """Takes up what was learned before, on top of what it knows, and what models were billed at.

        What is known under a former name of a model is known of it; that of models no longer in use is only kept, for
        `learned`; that of other encoders is passed over.
        """
        for edge, sums in evidence.items():
            self._add(edge, sums)
        self._bills.restore(records)
        self._bill_anew()
        self.signals.mend()
        self.refresh()

    def hear(
        self, evidence: Mapping[Edge, Evidence], own: Mapping[Edge, Evidence], *, everything: bool, mend: bool = False
    ) -> dict[Edge, Evidence]:
        """Takes up what several processes know together, in the place of what is known here; what that has added.

        It is solved with the next `refresh`, of which there is reason to make one then.

        Args:
            evidence: sums of edges.
            own: what was taken in here since they were added up.
            everything: whether edges that are not among them have no sums.
            mend: whether it is this process that takes off what two processes have moved at once.
        """
        ours = {edge: sums for edge, sums in evidence.items() if self._is_ours(edge, sums)}
        added: dict[Edge, Evidence] = {}
        for told in self._hearsay.told(ours, own, everything=everything):
            difference = self._put(told, mend=mend)
            if difference is not None:
                added[told.row] = difference
                self._seen += max(int(difference.n), 0)
        return added

    def hear_more(self, added: Mapping[Edge, Evidence]) -> None:
        """Takes up what others have taken in since they were heard of last."""
        for edge, sums in added.items():
            self._add(edge, sums)

    @property
    def learned(self) -> dict[Edge, Evidence]:
        """All that was learned, that of models no longer in use included: what `restore` takes up."""
        found = {**self._unused, **self.load.evidence}
        for signal, evidence in zip(SIGNALS, self.signals.evidence, strict=True):
            for (task, row), (arm, model) in product(self._tasks.items(), enumerate(self.names)):
                if evidence.n[row, arm] > 0.0:
                    sums = Evidence(*(each[row, arm] for each in evidence))
                    found[Edge(task, model, signal, self.encoder_version)] = sums
        return found

    def records(self) -> tuple[PaceRecord, ...]:
        """What models are billed at, where that was ever another price than the catalog's."""
        return self._bills.records()

    def follow(self, before: Beliefs) -> None:
        """Takes over what only a process remembers: calls under way, promised classes, sums of detectors."""
        self.load.count_like(before.load)
        self._promised |= before._promised - self._tasks.keys()
        tasks = {row: self._tasks[task] for task, row in before._tasks.items() if task in self._tasks}
        self.signals.watch_like(before.signals, tasks, self.arms_of(before))

    def arms_of(self, before: Beliefs) -> dict[int, int]:
        """Where the models of others stand here, by where they stand there; those that are gone left out."""
        today = {name: self.catalog.current(name) for name in before.names}
        return {before.catalog.arm(old): self.catalog.arm(new) for old, new in today.items() if new is not None}

    def repriced(self, before: Beliefs) -> dict[int, float]:
        """By how much the dollars of models grew, at a prompt like those so far; of those whose price is another."""
        x = self.signals.usual_inputs()
        input_tokens, tokens = tokens_of(x), self.signals.forecast(len(self._tasks), x).output_tokens
        factors: dict[int, float] = {}
        for old, new in self.arms_of(before).items():
            was, now = before.catalog.models[old].price, self.catalog.models[new].price
            was_usd, now_usd = (price.estimate_usd(input_tokens, float(tokens[new])) for price in (was, now))
            if was_usd > 0.0 and not math.isclose(was_usd, now_usd, rel_tol=1e-3):
                factors[new] = now_usd / was_usd
        return factors

    def _likely_tokens(self, model: str, task: str, x: Floats) -> float:
        """Tokens that 99% of a model's answers are expected to stay below."""
        return float(self.signals.likely_tokens(self._class_of(task), x)[self.catalog.arm(model)])

    def _observe(self, lesson: Lesson) -> None:
        arm, x = self.catalog.arm(lesson.model), np.array(lesson.x)
        for shift in self.signals.observe(self._known_class(lesson.task), arm, x, lesson.values, lesson.weight):
            self._alarm(watching.alarm_of(shift, self.names, self.tasks))
        for hearer in self._hearers:
            hearer.learned(lesson)
        self._seen += 1

    def _add(self, edge: Edge, sums: Evidence) -> None:
        """Adds what was learned of one edge before; `refresh` brings it to bear."""
        model = self.catalog.current(edge.model)
        if edge.encoder_version == IN_FLIGHT:
            self.load.add(edge if model is None else edge._replace(model=model), sums)
        elif not self._speaks_of_us(edge.encoder_version, sums.b.shape[-1]):
            return
        elif model is None:
            self._unused[edge] = sums
        else:
            where = self._known_class(edge.task), self.catalog.arm(model)
            self.signals.add(SIGNALS.index(edge.signal), where, sums)
            self._seen += int(sums.n)

    def _put(self, told: Told, *, mend: bool) -> Evidence | None:
        """Puts or adds what was told of a row; what that has changed, None where it is nothing."""
        row, sums, whole = told
        if row.encoder_version == IN_FLIGHT:
            known = self.load.evidence.get(row)
            return self.load.put(row, sums if whole or known is None else merged(known, sums))
        if self.catalog.current(row.model) is None:
            self._unused[row] = sums if whole or row not in self._unused else merged(self._unused[row], sums)
            return None
        signal, where = SIGNALS.index(row.signal), (self._known_class(row.task), self.catalog.arm(row.model))
        if whole:
            return self.signals.put(signal, where, sums, mend=mend)
        self.signals.add(signal, where, sums)
        return sums

    def _is_ours(self, edge: Edge, sums: Evidence) -> bool:
        return edge.encoder_version == IN_FLIGHT or self._speaks_of_us(edge.encoder_version, sums.b.shape[-1])

    def _today(self, edge: Edge) -> Edge:
        """The edge under the name that its model has now, if it is still there."""
        model = self.catalog.current(edge.model)
        return edge if model is None or model == edge.model else edge._replace(model=model)

    def _bill_anew(self) -> None:
        """Reckons with what models are billed from now on."""
        self.catalog = self._bills.catalog
        self.rates, self._screen = Rates(self.catalog), Screen(self.catalog)

    def _alarm(self, alarm: Alarm) -> None:
        self._alarms.append(alarm)
        for hearer in self._hearers:
            hearer.drifted(alarm)

    def _speaks_of_us(self, encoder_version: str, width: int) -> bool:
        return encoder_version == self.encoder_version and width == self.width + 2

    def _class_of(self, task: str) -> int:
        """The class's index; that of the class that speaks for unknown ones where nothing was learned of it yet."""
        return self._tasks.get(task, len(self._tasks))

    def _known_class(self, task: str) -> int:
        index = self._tasks.get(task)
        if index is None:
            index = self._tasks[task] = self.signals.grow()
            self._promised.discard(task)
        return index


def _says_something(lesson: Lesson) -> bool:
    return lesson.weight != 0.0 and any(value is not None for value in lesson.values)
