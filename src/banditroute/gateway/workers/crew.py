"""The workers of a gateway as one of them sees it: which one it is, and what it shares with the others."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from banditroute.config import RouterConfig
from banditroute.errors import ConfigError
from banditroute.gateway.limits import Dues, OwnDues
from banditroute.gateway.workers.job import Job
from banditroute.gateway.workers.siblings import Siblings


@dataclass(frozen=True, slots=True)
class Crew:
    """Which worker this is.

    Attributes:
        number: from 1; count: of how many.
        siblings: the others.
        dues: when the requests of each key are due.
        again: it takes the place of one that ended.
    """

    number: int = 1
    count: int = 1
    siblings: Siblings = field(default_factory=Siblings)
    dues: Dues = field(default_factory=OwnDues)
    again: bool = False

    @property
    def name(self) -> str:
        """What reports call this worker; empty where there is but one."""
        return str(self.number) if self.count > 1 else ""

    @property
    def recalls(self) -> bool:
        """Whether it shows what was before the gateway began: one of them does, once."""
        return self.number == 1 and not self.again

    def part(self, most: int) -> int:
        """This worker's part of a bound that holds for all together, at least one."""
        return max((most + self.count - self.number) // self.count, 1)

    def plan(self, plan: RouterConfig) -> RouterConfig:
        """A configuration as it is for one worker of several.

        Raises:
            ConfigError: they could not share its store.
        """
        if self.count == 1:
            return plan
        if plan.store.kind == "memory":
            problem = f"a memory store is one process's own, and there are {self.count} workers"
            remedy = 'use kind = "sqlite", or serve with one worker'
            raise ConfigError(problem, remedy=remedy, path=str(plan.path), field="store.kind")
        return replace(plan, store=replace(plan.store, shared=True))


@contextmanager
def crew_of(job: Job) -> Generator[Crew]:
    """The crew of a worker that was started to do a job."""
    from banditroute.gateway.workers.dues import SharedDues

    folder = Path(job.folder)
    siblings, dues = Siblings(folder, job.number, job.count), SharedDues(folder / "dues")
    try:
        yield Crew(job.number, job.count, siblings, dues, job.again)
    finally:
        dues.close()
