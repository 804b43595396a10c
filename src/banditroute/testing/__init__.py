"""For those who test against banditroute or extend it: a scripted router, recorded replies, fakes, contract suites.

The public names load on first use (PEP 562), so that a pytest which never asks for them pays nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from banditroute.testing.manual_clock import ManualClock as ManualClock
    from banditroute.testing.network_guard import NetworkBlockedError as NetworkBlockedError
    from banditroute.testing.network_guard import network_blocked as network_blocked
    from banditroute.testing.recorded import recorded_router as recorded_router
    from banditroute.testing.recording import NotOnRecordError as NotOnRecordError
    from banditroute.testing.recording import Recording as Recording
    from banditroute.testing.scripted import Call as Call
    from banditroute.testing.scripted import ScriptedRouter as ScriptedRouter
    from banditroute.testing.scripted import scripted_router as scripted_router
    from banditroute.testing.scripts import Asked as Asked
    from banditroute.testing.scripts import Reply as Reply
    from banditroute.testing.scripts import Script as Script
    from banditroute.testing.scripts import ScriptEndedError as ScriptEndedError

_HOME = {
    "Asked": "scripts",
    "Call": "scripted",
    "ManualClock": "manual_clock",
    "NetworkBlockedError": "network_guard",
    "NotOnRecordError": "recording",
    "Recording": "recording",
    "Reply": "scripts",
    "Script": "scripts",
    "ScriptEndedError": "scripts",
    "ScriptedRouter": "scripted",
    "network_blocked": "network_guard",
    "recorded_router": "recorded",
    "scripted_router": "scripted",
}

__all__ = [
    "Asked",
    "Call",
    "ManualClock",
    "NetworkBlockedError",
    "NotOnRecordError",
    "Recording",
    "Reply",
    "Script",
    "ScriptEndedError",
    "ScriptedRouter",
    "network_blocked",
    "recorded_router",
    "scripted_router",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
