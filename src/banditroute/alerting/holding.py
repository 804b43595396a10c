"""Whether something holds for long enough to be believed, either way: what comes and goes is told once."""

from __future__ import annotations

from collections.abc import Mapping


class Holding:
    """Believes what was seen throughout so many seconds, and that it is gone likewise; no clock, one owner."""

    def __init__(self) -> None:
        self._seen_since: dict[str, float] = {}
        self._gone_since: dict[str, float] = {}
        self._believed: dict[str, float] = {}  # since when each was seen

    def look(
        self,
        seen: Mapping[str, object],
        on_s: float,
        off_s: float,
        now: float,
        kept: Mapping[str, object] | None = None,
    ) -> dict[str, float]:
        """What is believed, each with the instant since which it is so.

        Args:
            seen: all that is seen now.
            on_s: seconds for which it has to be seen until it is believed.
            off_s: seconds for which it must not be seen until it no longer is.
            now: the instant.
            kept: what is enough to go on being believed; None = no less than to begin to be.
        """
        kept = seen if kept is None else kept
        self._seen_since = {name: self._seen_since.get(name, now) for name in seen}
        self._gone_since = {name: self._gone_since.get(name, now) for name in self._believed if name not in kept}
        for name, since in self._seen_since.items():
            if now - since >= on_s:
                self._believed.setdefault(name, since)
        for name, since in self._gone_since.items():
            if now - since >= off_s:
                del self._believed[name]
        return dict(self._believed)

    def forget(self, name: str) -> None:
        """Believes of something no longer that it is so, whatever was seen before."""
        for known in (self._seen_since, self._gone_since, self._believed):
            known.pop(name, None)
