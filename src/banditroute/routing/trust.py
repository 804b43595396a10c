"""How much a judgement counts, so that no one caller's feedback steers everyone.

Three factors, of which the product is the weight with which a judgement enters the evidence:

- of its source: as configured. Sources that are not configured count half as much with each that has judged the same
  decision before, so that inventing names for oneself gains little.
- of a flood: where a tenant gave more than a set share of the judgements of late, what it gives counts less, so that
  it makes up that share and no more. It is never applied where there is nobody else.
- of reliability: a tenant's judgements that lie much farther from what was expected than those of other tenants do,
  source by source, count less. What is compared are mean squares over many judgements, in units of the variance that a
  quality of 0 or 1 has around what was expected: hard tasks scatter more than easy ones. To weigh single outliers down
  would shift the mean of every quality that is mostly 0 or 1.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_MOST_KNOWN = 10_000
_MEMORY = 500.0  # judgements after which older ones begin to fade
_PRIOR_JUDGEMENTS = 30.0  # a newcomer starts as if it had agreed with the others so many times
_LEAST_SQUARE = 1e-2
_LEAST_VARIANCE = 0.02
_LEAST_OTHERS = 20.0  # judgements of others without which nobody can be called a flood

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TrustSettings:
    """Whom to believe how much.

    Attributes:
        sources: weight in [0, 1] of each source's judgements.
        most_share: share of the judgements of late beyond which a tenant's count less; 1 = no limit.
        half_life_s: seconds after which a judgement counts half in what "of late" means.
        tolerance: how many times as large as the others' a source's mean square error may be and still count in full.
        severity: the power with which its weight falls beyond that; 0 = nobody is heard less.
        graders: sources that are the router's own: no tenant speaks through them, so they count in full.
    """

    sources: Mapping[str, float] = field(default_factory=lambda: _NONE)
    most_share: float = 0.5
    half_life_s: float = 3600.0
    tolerance: float = 1.5
    severity: float = 4.0
    graders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judgement and what it is measured by.

    Attributes:
        tenant: on whose behalf the decision was made.
        source: who or what judged.
        quality: what it said.
        expected: the quality that was expected of that answer; None where nothing was.
        heard: sources that have judged the decision before.
    """

    tenant: str
    source: str
    quality: float
    expected: float | None = None
    heard: tuple[str, ...] = ()


@dataclass(slots=True)
class _Errors:
    """How far judgements lay from what was expected: how many, and the sum of squares."""

    n: float = 0.0
    squares: float = 0.0

    def add(self, square: float) -> None:
        fade = min(1.0, _MEMORY / (self.n + 1.0))
        self.n = (self.n + 1.0) * fade
        self.squares = (self.squares + square) * fade

    def plus(self, other: _Errors, sign: float = 1.0) -> _Errors:
        return _Errors(self.n + sign * other.n, self.squares + sign * other.squares)


@dataclass(slots=True)
class _Count:
    """Judgements of late, at an instant."""

    n: float = 0.0
    at: float = 0.0

    def add(self, now: float, half_life_s: float) -> float:
        """Counts one more; returns how many they are now."""
        self.n = self.n * 0.5 ** (max(0.0, now - self.at) / half_life_s) + 1.0
        self.at = now
        return self.n


class Trust:
    """Weighs judgements; deterministic, and bounded in memory. What it learned of tenants ends with the process.

    Args:
        settings: whom to believe how much.
    """

    def __init__(self, settings: TrustSettings | None = None) -> None:
        self._settings = TrustSettings() if settings is None else settings
        self._errors: OrderedDict[tuple[str, str], _Errors] = OrderedDict()
        self._all_errors: dict[str, _Errors] = {}
        self._counts: OrderedDict[str, _Count] = OrderedDict()
        self._all_counts = _Count()

    def follow(self, settings: TrustSettings) -> None:
        """Weighs by other settings from now on; what it learned of tenants stays."""
        self._settings = settings

    def weigh(self, judgement: Judgement, now: float) -> float:
        """The weight in [0, 1] of a judgement that comes at an instant, in seconds; takes note of it."""
        if judgement.source in self._settings.graders:
            return 1.0
        return self._of_source(judgement) * self._of_flood(judgement.tenant, now) * self._of_reliability(judgement)

    def _of_source(self, judgement: Judgement) -> float:
        named = self._settings.sources
        if judgement.source in named:
            return named[judgement.source]
        own = self._settings.graders
        return 0.5 ** sum(source not in named and source not in own for source in judgement.heard)

    def _of_flood(self, tenant: str, now: float) -> float:
        half_life_s, share = self._settings.half_life_s, self._settings.most_share
        count = self._counts.pop(tenant, None) or _Count()
        mine, all_ = count.add(now, half_life_s), self._all_counts.add(now, half_life_s)
        self._counts[tenant] = count
        if len(self._counts) > _MOST_KNOWN:
            self._counts.popitem(last=False)
        others = all_ - mine
        if share >= 1.0 or others < _LEAST_OTHERS:
            return 1.0
        return min(1.0, share / (1.0 - share) * others / mine)

    def _of_reliability(self, judgement: Judgement) -> float:
        """How far to believe this source of this tenant, beside the same source of others."""
        if judgement.expected is None:
            return 1.0
        # What nobody configured is one source here: else a new name would be beyond comparison.
        source = judgement.source if judgement.source in self._settings.sources else ""
        who = judgement.tenant, source
        known = self._errors.pop(who, None) or _Errors()
        others = self._all_errors.get(source, _Errors()).plus(known, -1.0)
        known.add(_square(judgement.quality, judgement.expected))
        self._errors[who] = known
        self._all_errors[source] = others.plus(known)
        if len(self._errors) > _MOST_KNOWN:
            (_, of), oldest = self._errors.popitem(last=False)
            self._all_errors[of] = self._all_errors[of].plus(oldest, -1.0)
        return self._believed(known, others)

    def _believed(self, known: _Errors, others: _Errors) -> float:
        if others.n < 1.0:
            return 1.0
        usual = max(others.squares / others.n, _LEAST_SQUARE)
        mean = (known.squares + _PRIOR_JUDGEMENTS * usual) / (known.n + _PRIOR_JUDGEMENTS)
        excess = mean / (usual * self._settings.tolerance)
        return 1.0 if excess <= 1.0 else excess**-self._settings.severity


def _square(quality: float, expected: float) -> float:
    """The squared error, 1 on average for an honest judgement that is 0 or 1."""
    return (quality - expected) ** 2 / max(expected * (1.0 - expected), _LEAST_VARIANCE)
