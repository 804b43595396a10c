"""What the router asks of a store, and what it hands over.

A log row and what it adds to the beliefs and to the spending are one transaction: a crash can neither lose nor double
evidence, and the same feedback twice counts once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm, Decision, Feedback, Incident, Outcome
from banditroute.routing.budgets import Charge as Charge
from banditroute.routing.budgets import Window as Window
from banditroute.routing.guards.switchboard import Switch as Switch
from banditroute.routing.lessons import Edge as Edge
from banditroute.routing.lessons import Lesson
from banditroute.routing.pacers import PaceRecord as PaceRecord

from .sharing import Paid as Paid
from .sharing import Sharing


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A decision on its way.

    Attributes:
        decision: what was decided.
        reserved_usd: dollars that its budgets hold for it.
        windows: the windows that hold them.
        expires_at: instant at which the reservation ends by itself, seconds since the epoch.
        by_caller: the caller makes the call and records its outcome; nothing is charged where that never comes.
        prompt: the request's messages as JSON; None unless the configuration asks for prompts to be kept.
        holder: the process that serves it, where several share the store; empty = the only one.
        request_id: what the caller calls the request; session_id: its conversation; empty = it did not say.
    """

    decision: Decision
    reserved_usd: float = 0.0
    windows: tuple[Window, ...] = ()
    expires_at: float = 0.0
    by_caller: bool = False
    prompt: bytes | None = None
    holder: str = ""
    request_id: str = ""
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """An outcome and all that it changes.

    Attributes:
        outcome: what serving cost.
        lessons: what it teaches.
        charges: what it spends.
        paces: where the paced budgets that it moved stand after it.
    """

    outcome: Outcome
    lessons: tuple[Lesson, ...] = ()
    charges: tuple[Charge, ...] = ()
    paces: tuple[PaceRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Trail:
    """Everything on record of one decision; charges are what its outcome spent."""

    dispatch: Dispatch
    outcome: Outcome | None = None
    charges: tuple[Charge, ...] = ()
    feedback: tuple[Feedback, ...] = ()

    @property
    def decision(self) -> Decision:
        """What was decided."""
        return self.dispatch.decision


@dataclass(frozen=True, slots=True)
class Named:
    """Decisions by a name that their caller gave them: of the request, or of the conversation; one of both is given.

    Attributes:
        request_id: what the caller calls the request.
        session_id: what it calls the conversation.
        tenant: on whose behalf they were made; None = anybody's.
    """

    request_id: str = ""
    session_id: str = ""
    tenant: str | None = None

    def fits(self, dispatch: Dispatch) -> bool:
        """Whether it is one of them."""
        names = (self.request_id, dispatch.request_id) if self.request_id else (self.session_id, dispatch.session_id)
        return names[0] == names[1] != "" and self.tenant in (None, dispatch.decision.tenant)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that a client of the gateway shows, made by `banditroute keys create`.

    Attributes:
        key_id: the part of the key that says which one it is.
        name: what reports call it.
        digest: SHA-256 of the whole key, which is random, so that nobody finds it from this.
        tenant: on whose behalf its requests are; empty = the request says.
        models: what it may have answer; empty = every model.
        tasks: task classes that it may name; empty = any, or none.
        requests_per_minute: how many it may make; None = any number.
        admin: whether it may read every tenant's decisions, and throw switches.
        created_at: when it was made, seconds since the epoch.
        revoked_at: since when it is refused; None = it is not.
    """

    key_id: str
    name: str
    digest: bytes = field(repr=False)
    tenant: str = ""
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    requests_per_minute: float | None = None
    admin: bool = False
    created_at: float = 0.0
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """What of a tenant is gone.

    Attributes:
        decisions: rows, each with its outcome.
        judgements: of them.
        prompts: that were kept of them.
        keys: of the gateway.
        left: decisions that have no outcome yet; their rows stay until they have.
    """

    decisions: int = 0
    judgements: int = 0
    prompts: int = 0
    keys: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What the log amounts to.

    Attributes:
        evidence: sums of every edge.
        spent_usd: dollars by window.
        paces: by paced budget.
        paid: what each has paid for, by the same names.
    """

    evidence: Mapping[Edge, Evidence]
    spent_usd: Mapping[Window, float]
    paces: Mapping[str, PaceRecord]
    paid: Mapping[str, Paid] = field(default_factory=dict[str, Paid])


class StoreReader(Protocol):
    """Reads the log and what it amounts to. Every method may be awaited by many tasks at once.

    Every method raises StoreError where the store cannot be read.
    """

    async def open(self) -> None:
        """Makes the store ready."""
        ...

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
        """
        ...

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        ...

    def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in."""
        ...

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        ...

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        ...

    async def state(self) -> State:
        """What the log amounts to, as kept up to date with it."""
        ...

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        ...

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first; those of one instant in any order."""
        ...

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last, sorted by name."""
        ...

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, revoked ones too, oldest first."""
        ...

    async def aclose(self) -> None:
        """Lets go of everything; a second call does nothing."""
        ...


class Store(StoreReader, Protocol):
    """Keeps the log and what it amounts to. Every method but `begin` may be awaited by many tasks at once.

    Every method that touches the store raises StoreError where it cannot be read or written.
    """

    async def open(self) -> None:
        """Makes the store ready; brings an older one up to date."""
        ...

    def begin(self, dispatch: Dispatch) -> None:
        """Takes a decision in, to be written soon and never after its settlement; nothing is waited for."""
        ...

    async def settle(self, settlement: Settlement) -> bool:
        """Writes an outcome, its lessons, charges and paces, all or nothing; durable once returned.

        Returns False, and changes nothing, where the decision already has an outcome.

        Raises:
            UnknownDecisionError: the decision is not on record.
        """
        ...

    async def judge(self, feedback: Feedback, lesson: Lesson) -> bool:
        """Writes a judgement and its lesson, all or nothing; durable once returned.

        Returns False, and changes nothing, where that source already judged the decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
        """
        ...

    async def note(self, incident: Incident) -> None:
        """Keeps an incident, among the newest 10,000; durable once returned. The same one again changes nothing.

        Raises:
            InputError: a text in it is no Unicode, or its instant is not finite.
        """
        ...

    async def throw(self, switch: Switch) -> None:
        """Keeps how a switch was thrown, in the place of how it was before; durable once returned."""
        ...

    async def keep_key(self, key: StoredKey) -> None:
        """Keeps a key of the gateway, in the place of what was kept of it before; durable once returned."""
        ...

    async def adjust(self, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> None:
        """Writes alarms and what they, and forgetting, add to the evidence, all or nothing; durable once returned.

        What is added (it may be negative) counts as part of the log: it is in the state, and in what is rebuilt.

        Raises:
            InputError: it is not finite.
        """
        ...

    async def rebuilt(self) -> State:
        """The state, computed anew from the log (and from what rows whose retention is over have added to it)."""
        ...

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept; the log stays as it is."""
        ...

    async def prune(self, before: float) -> int:
        """Forgets decisions older than that instant, with outcome and feedback; what they taught and spent stays.

        Returns how many there were. Decisions without an outcome are kept.
        """
        ...

    async def forget_prompts(self, before: float) -> int:
        """Forgets the messages of settled decisions older than that instant, which stay otherwise.

        Returns how many had any.
        """
        ...

    async def delete_tenant(self, name: str, budgets: Collection[str] = ()) -> Deleted:
        """Forgets a tenant's decisions, with outcome and feedback, what they taught, and its keys of the gateway.

        What they spent stays in the sums of money, so that caps hold, but for that of some budgets. What rows have
        taught that are pruned is told apart no more. Decisions without an outcome are kept.

        Args:
            name: the tenant.
            budgets: whose windows and paces are to go as well: those that are the tenant's alone.
        """
        ...

    async def aclose(self) -> None:
        """Writes what is still waiting and lets go of everything; a second call does nothing."""
        ...


class SharedStore(Store, Sharing, Protocol):
    """A store that several processes use at once, each telling the others what it does."""
