"""Feedback that has gone silent: who used to judge and does not, while requests go on that they would have judged.

Time is counted in the judgements that would have come by now, of each task class's requests as many as used to: so it
stands still at night, and does not run faster where traffic turns to what was never judged. A gap between judgements is
then 1 on average. What is usual is the gap that an ordinary moment lies in, E[gap^2] / E[gap] (Feller 1971, vol. II,
I.4): 2 where judgements come by chance, and as many as come at once where they come in batches.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from banditroute.storage.protocol import Trail

from .register import Finding
from .settings import AlertSettings

_LEAST_JUDGED = 20
_LEAST_HEARD = 10.0  # times the least silence that is told, for which somebody has to be heard until they are missed
_LEAST_GAPS = 5.0  # usual ones, that were seen in all
_REMEMBERED = 50.0  # usual gaps, after which one counts for a third
_IDLE_S = 300.0  # no more than this of the time between two requests counts as time in which they went on
_MOST_SPEAKERS = 256


class Gaps:
    """How long is usual between two of something, the newest counting most."""

    __slots__ = ("_squares", "_sum")

    def __init__(self) -> None:
        self._sum = 0.0
        self._squares = 0.0

    @property
    def usual(self) -> float:
        """The gap that an ordinary moment lies in; 0 before anything is known."""
        return self._squares / self._sum if self._sum else 0.0

    @property
    def known(self) -> bool:
        """Whether enough gaps were seen to call one usual."""
        return self._sum >= _LEAST_GAPS * self.usual > 0.0

    def add(self, gap: float) -> None:
        """Takes one in."""
        if gap > 0.0:
            usual = self.usual
            kept = 1.0 if not usual else max(1.0 - gap / (_REMEMBERED * usual), 1.0 - 1.0 / _LEAST_GAPS)
            self._sum = kept * self._sum + gap
            self._squares = kept * self._squares + gap * gap


class Speaker:
    """Somebody who judges answers: a source, or whoever judges a task class."""

    __slots__ = (
        "_active_s",
        "_answers",
        "_at",
        "_gaps",
        "_judged",
        "_pending",
        "_seconds",
        "heard",
        "heard_at",
        "heard_s",
    )

    def __init__(self) -> None:
        self.heard = 0
        self.heard_at = 0.0
        self.heard_s = 0.0  # in which answers came, from the first judgement to the newest
        self._judged: Counter[str] = Counter()  # by task class
        self._answers: Counter[str] = Counter()  # until the newest judgement, likewise
        self._pending: Counter[str] = Counter()  # since then
        self._gaps = Gaps()
        self._seconds = Gaps()
        self._active_s = 0.0  # since the newest judgement
        self._at = 0.0  # of the newest answer

    def answered(self, task: str, now: float) -> None:
        """Takes in an answer that could be judged."""
        if self.heard:
            self._pending[task] += 1
            self._active_s += min(max(now - self._at, 0.0), _IDLE_S)
            self._at = now

    def judged(self, task: str, now: float) -> None:
        """Takes in a judgement."""
        if self.heard:
            self._gaps.add(self.missed)
            self._seconds.add(self._active_s)
            self.heard_s += self._active_s
        for pending, count in self._pending.items():
            self._answers[pending] += count
        self._pending.clear()
        self._judged[task] += 1
        self._active_s, self._at, self.heard_at = 0.0, now, now
        self.heard += 1

    def pardon(self) -> None:
        """Counts from now on, as if a judgement had just come."""
        self._pending.clear()
        self._active_s = 0.0

    @property
    def missed(self) -> float:
        """Judgements that would have come since the newest one."""
        return sum(
            count * min(self._judged[task] / max(self._answers[task], 1), 1.0)
            for task, count in self._pending.items()
            if task in self._judged
        )

    @property
    def answers(self) -> int:
        """Answers since the newest judgement, of task classes that were judged before."""
        return sum(count for task, count in self._pending.items() if task in self._judged)

    def silent(self, settings: AlertSettings) -> bool:
        """Whether none has come for so many times what is usual."""
        if self.heard < _LEAST_JUDGED or not self._gaps.known or self._active_s < settings.silent_least_s:
            return False
        if self.heard_s < _LEAST_HEARD * settings.silent_least_s:
            return False
        times = settings.silent_times
        return self.missed > times * self._gaps.usual and self._active_s > times * self._seconds.usual


class Silence:
    """Listens for judgements; no clock, one owner."""

    def __init__(self) -> None:
        self._sources: dict[str, Speaker] = {}
        self._tasks: dict[str, Speaker] = {}
        self._silent: list[str] = []  # sources, at the last look

    def answered(self, task: str, now: float) -> None:
        """Takes in an answer that could be judged."""
        for speaker in self._sources.values():
            speaker.answered(task, now)
        if task in self._tasks:
            self._tasks[task].answered(task, now)

    def judged(self, task: str, source: str, now: float) -> None:
        """Takes in a judgement; whoever was silent and is back cannot be at fault for what was missed till then."""
        if source in self._silent:
            self._silent.remove(source)
            for speaker in self._tasks.values():
                speaker.pardon()
        for speakers, name in ((self._sources, source), (self._tasks, task)):
            speaker = speakers.get(name)
            if speaker is None and len(speakers) < _MOST_SPEAKERS:
                speaker = speakers[name] = Speaker()
            if speaker is not None:
                speaker.judged(task, now)

    def doubtful(self, settings: AlertSettings) -> bool:
        """Whether somebody is silent, or well on the way to be."""
        sooner = replace(settings, silent_times=settings.silent_times / 2, silent_least_s=settings.silent_least_s / 2)
        return any(speaker.silent(sooner) for speaker in (*self._sources.values(), *self._tasks.values()))

    def overheard(self, trails: Iterable[Trail]) -> None:
        """Takes in judgements that are on record and newer than what was heard."""
        known = {name: speaker.heard_at for name, speaker in self._sources.items()}
        for trail in trails:
            for feedback in trail.feedback:
                if feedback.at > known.get(feedback.source, math.inf):
                    self.judged(trail.decision.context.task, feedback.source, feedback.at)

    def look(self, settings: AlertSettings) -> Iterator[Finding]:
        """Sources that have gone silent; or else the task classes that nobody judges any more."""
        self._silent = [name for name, speaker in self._sources.items() if speaker.silent(settings)]
        for name in self._silent:
            yield _finding(f"source {name}", self._sources[name])
        if self._silent:
            return
        for name, speaker in self._tasks.items():
            if speaker.silent(settings):
                yield _finding(f"task {name}", speaker)


def _finding(who: str, speaker: Speaker) -> Finding:
    text = f"feedback of {who} has gone silent: {speaker.answers:,} answers without a judgement"
    cause = f"about {speaker.missed:.0f} judgements would have come by now, as {speaker.heard:,} did before"
    return Finding("feedback", who, text, cause, f"feedback of {who} is back")
