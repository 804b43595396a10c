"""What fails and works again by itself: the store, and putting a configuration in force."""

from __future__ import annotations

from collections.abc import Iterator

from .register import Finding
from .settings import AlertSettings


class Faults:
    """Hears of failures and of what went well after them; no clock, one owner."""

    def __init__(self) -> None:
        self._store: Finding | None = None
        self._store_failed_at = 0.0
        self._written = False  # since it failed
        self._reload: Finding | None = None

    def store_failed(self, doing: str, problem: str, now: float) -> None:
        """The store could not do something."""
        self._store_failed_at, self._written = now, False
        if self._store is None:
            text, over = f"the store fails: it could not {doing}", "the store works again"
            self._store = Finding("store", "", text, problem, over)

    def written(self) -> None:
        """The store has written something."""
        self._written = True

    def reload_failed(self, problem: str) -> None:
        """A configuration could not be put in force."""
        text, over = (
            "the configuration was not reloaded: the one before it stays",
            "the configuration was reloaded",
        )
        self._reload = Finding("reload", "", text, problem, over)

    def reloaded(self) -> None:
        """A configuration was put in force."""
        self._reload = None

    def look(self, settings: AlertSettings, now: float) -> Iterator[Finding]:
        """What fails; a store that wrote again and has not failed for a while works."""
        if self._written and now - self._store_failed_at >= settings.over_s:
            self._store = None
        yield from (each for each in (self._store, self._reload) if each is not None)
