"""What is asked of the server: commands, and what their replies mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from secrets import token_hex
from typing import Any, NamedTuple

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm, Feedback, Incident
from banditroute.routing.lessons import Edge, Lesson
from banditroute.storage.codec import (
    alarm_json,
    dispatch_json,
    feedback_json,
    incident_json,
    pace_json,
    settlement_json,
)
from banditroute.storage.judging import judged_outcome
from banditroute.storage.noting import KEPT
from banditroute.storage.packing import packed
from banditroute.storage.protocol import Dispatch, PaceRecord, Settlement, State
from banditroute.storage.widths import check_width

from .namespace import Namespace
from .scripts import Command, command, telling
from .wording import Argument, edge_of, evidence_parts, lesson_bytes, listed, named, settlement_text, trail_of

_TOKEN_BYTES = 8

_UNKNOWN, _MISFIT = -1, -2

Result = Any


def new_token() -> str:
    """A name that no other write has: the same one again changes nothing, and is answered as the first time."""
    return token_hex(_TOKEN_BYTES)


class Operation(NamedTuple):
    """One command and what its reply means.

    Attributes:
        command: as it is sent; sent twice it does what once would.
        read: the result of a reply; raises BanditrouteError where the command was refused.
        kept: it is sent however long that takes; otherwise only as long as somebody waits for it.
    """

    command: Command
    read: Callable[[Any], Result]
    kept: bool = True


def begin(namespace: Namespace, dispatch: Dispatch, *, keep_prompt: bool) -> Operation:
    """Takes a decision in; whether it was new."""
    decision = dispatch.decision
    row = f"{float(decision.at)!r}\n{dispatch_json(dispatch)}"
    prompt = (dispatch.prompt,) if keep_prompt and dispatch.prompt is not None else ()
    return Operation(command(namespace, "begin", decision.decision_id, row, *prompt), bool)


def settle(namespace: Namespace, settlement: Settlement) -> Operation:
    """Writes an outcome and all that it changes; whether it was the first of its decision."""
    outcome = settlement.outcome
    lessons = [lesson_bytes(each) for each in settlement.lessons if any(v is not None for v in each.values)]
    words = telling(
        namespace,
        "settle",
        outcome.decision_id,
        new_token(),
        int(outcome.ok),
        settlement_json(settlement),
        float(outcome.cost_usd) if math.isfinite(outcome.cost_usd) else 0.0,
        *listed([(lesson,) for lesson in lessons]),
        *listed([(named(*charge.window), float(charge.usd)) for charge in settlement.charges]),
        *_paces(settlement.paces),
    )
    return Operation(words, _Verdict(outcome.decision_id))


def judge(namespace: Namespace, feedback: Feedback, lesson: Lesson) -> Operation:
    """Writes a judgement and its lesson; whether it was that source's first of the decision."""
    words = telling(
        namespace,
        "judge",
        feedback.decision_id,
        named(feedback.source),
        new_token(),
        feedback_json(feedback),
        lesson_bytes(lesson),
    )
    return Operation(words, _Verdict(feedback.decision_id))


def adjust(namespace: Namespace, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> Operation:
    """Writes alarms, and what is added to the evidence."""
    words = telling(
        namespace,
        "adjust",
        new_token(),
        *_evidence(sums),
        *listed([(alarm_json(alarm),) for alarm in alarms]),
    )
    return Operation(words, _Verdict(""))


def replace(namespace: Namespace, state: State) -> Operation:
    """Puts a state in the place of the one that is kept."""
    words = telling(
        namespace,
        "replace",
        new_token(),
        *_evidence(state.evidence),
        *listed([(named(*window), float(usd)) for window, usd in state.spent_usd.items()]),
        *_paces(tuple(state.paces.values())),
        *listed([(named(budget), paid.requests, float(paid.usd)) for budget, paid in state.paid.items()]),
    )
    return Operation(words, bool)


def forget_prompts(namespace: Namespace, decision_ids: Sequence[bytes]) -> Operation:
    """Forgets the messages of decisions; how many of them had any."""
    return Operation(("HDEL", namespace.key("prompt"), *decision_ids), int)


def keep(namespace: Namespace, part: str, name: str, value: bytes) -> Operation:
    """Keeps something under a name, in the place of what was kept there."""
    return Operation(command(namespace, "keep", new_token(), name, value, index=part), bool)


def note(namespace: Namespace, incident: Incident) -> Operation:
    """Keeps an incident among the newest."""
    return Operation(command(namespace, "note", repr(float(incident.at)), incident_json(incident), KEPT), bool)


def trail(namespace: Namespace, decision_id: str) -> Operation:
    """Everything on record of a decision, what was asked to be written of it before included."""
    return Operation(command(namespace, "trail", decision_id), partial(trail_of, decision_id), kept=False)


def flush(namespace: Namespace) -> Operation:
    """Does nothing; whoever waits for it has waited for everything before."""
    return Operation(("EXISTS", namespace.key("meta")), bool, kept=False)


class _Verdict(NamedTuple):
    """Reads what a script says of a write."""

    decision_id: str

    def __call__(self, reply: list[Any]) -> bool:
        """Whether it was new.

        Raises:
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
            StoreError: a lesson does not fit.
        """
        verdict, *more = reply
        if verdict >= 0:
            return verdict == 1
        if verdict == _UNKNOWN:
            raise UnknownDecisionError(self.decision_id)
        if verdict == _MISFIT:
            edge, known, width = more
            check_width(edge_of(edge), known, width)
        settled: bytes | None = more[0]
        judged_outcome(self.decision_id, None if settled is None else settlement_text(settled))
        raise StoreError(f"the server refused to write of {self.decision_id!r} and did not say why")


def _evidence(sums: Mapping[Edge, Evidence]) -> list[Argument]:
    return evidence_parts({edge: packed(each) for edge, each in sums.items()})


def _paces(paces: Sequence[PaceRecord]) -> list[Argument]:
    return listed([(named(pace.budget), pace_json(pace)) for pace in paces])
