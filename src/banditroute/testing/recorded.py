"""A router whose providers' answers are on record: asked once, then read from a file, byte for byte."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from banditroute.assemble import decider_of
from banditroute.config import RouterConfig, require_keys
from banditroute.observe import Observer
from banditroute.router import Router
from banditroute.storage.memory import MemoryStore
from banditroute.testing.hermetic import SeededIds, hermetic, loaded, offline
from banditroute.testing.manual_clock import NOON, ManualClock
from banditroute.testing.recorded_wire import RecordingPool, ReplayingPool
from banditroute.testing.recording import Recording
from banditroute.testing.scripted import Notes
from banditroute.workshop import Given, Outside, Workshop


def recorded_router(
    config: str | Path | RouterConfig,
    recording: Recording,
    *,
    record: bool = False,
    seed: int = 0,
    environ: Mapping[str, str] | None = None,
    observer: Observer | None = None,
) -> Router:
    """A router that replays a recording, or makes one; `async with` it. What was recorded is written as it closes.

    Its store is in memory, and its clock begins at the same instant each time and moves on by the seconds that answers
    took, so that the same seed and calls lead to the same models, whose answers are on record. A request that is not
    raises NotOnRecordError. Where seconds count in choices, these may turn out otherwise: name the model then.

    Args:
        config: a router.toml, or what `load_config` made of one.
        recording: what is on record.
        record: whether providers are asked and their answers recorded, in place of all that is on record.
        seed: chance begins here.
        environ: where keys are, while recording; None = the process's environment. Replaying asks for none.
        observer: is told what happens.

    Raises:
        ConfigError: the configuration cannot be used, or a key is needed and not there.
    """
    plan, notes, ids = hermetic(loaded(config, ()), seed), Notes(observer), SeededIds(seed)

    def new_id(_: float) -> str:  # whose instants a replay does not share
        return ids(NOON)

    if record:
        environ = os.environ if environ is None else environ
        require_keys(plan, environ)
        recording.begin_anew()
        outside = Outside(_running_clock(), new_id, pool=lambda: RecordingPool(recording))
    else:
        plan, environ, clock = offline(plan), {}, ManualClock()
        outside = Outside(clock, new_id, pool=lambda: ReplayingPool(recording, clock))
    store = MemoryStore(keep_prompts=plan.store.keep_prompts, clock=outside.clock)
    workshop = Workshop(plan, environ, notes, Given(), store, decider_of, outside)
    notes.learner = workshop.learner
    return Router(workshop.first(), workshop.learner, workshop, outside.clock)


def _running_clock() -> Callable[[], float]:
    """A clock that begins where a ManualClock does, and runs."""
    began = time.monotonic()
    return lambda: NOON + time.monotonic() - began
