"""From a router's store, open for reading, to all that a report of it is made of."""

from __future__ import annotations

from banditroute.config import RouterConfig
from banditroute.reports import format as write
from banditroute.reports.store.gathering import gathered
from banditroute.reports.store.inspection import Inspection
from banditroute.reports.store.live import LiveStore
from banditroute.reports.store.timeline import timeline
from banditroute.storage.protocol import StoreReader

_LATELY_S = 30 * 86_400.0


async def live_store(plan: RouterConfig, found: Inspection, store: StoreReader) -> LiveStore:
    """All that a report is made of; reads the whole log, a page of it at a time.

    Raises:
        StoreError: the store cannot be read.
    """
    return LiveStore(
        name=plan.store.path.name,
        at=found.at,
        edges=found.edges,
        prompt=found.prompt,
        paces=found.paces,
        accounts=found.accounts,
        open_decisions=found.open_decisions,
        history=await gathered(store.trails()),
        remarks=_remarks(found),
        notes=_notes(found),
        alarms=found.alarms,
        timeline=await timeline(store, found.at - _LATELY_S),
    )


def _remarks(found: Inspection) -> tuple[str, ...]:
    shadow = found.shadow
    if shadow is None or shadow.comparison is None:
        return ()
    return (f"Shadow {shadow.name}, by the newest decisions: {shadow.comparison.verdict}",)


def _notes(found: Inspection) -> tuple[str, ...]:
    left_out = write.plural(found.judged_elsewhere, "judgement")
    words = f"{left_out} of models or features that the configuration does not have stand outside the beliefs."
    return (words,) if found.judged_elsewhere > 0 else ()
