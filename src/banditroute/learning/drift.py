"""Change detection: has a model become another one than its evidence says?

Every observation is held against its forecast. Two one-sided cumulative sums of the standardised residual (Page, 1954)
stay near 0 while the forecast holds, and climb when reality has moved up or down. The formulas serve plain numbers and
arrays alike; what is learned is moved by what was seen since the climb began, and thereby forgets how sure it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence, decayed, shifted
from .pacing import Amount

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Vigilance:
    """Constants of the detection, tuned on judged9's validation table.

    Attributes:
        slack: standard deviations of a residual that count for nothing; changes above twice as much are found soonest.
        material: the least shift worth an alarm, in the signal's own unit: a sum that climbs by less begins anew.
        least: what is below counts as this, in the signal's own unit: changes down there matter to nobody.
        threshold: the sum at which an alarm is raised of a model as a whole.
        edge_threshold: that of a single edge: there are many, and one's forecasts are off more often than a model's.
        most_sds: residuals count for no more standard deviations than this: one absurd answer is no change.
        shift_weight: observations' worth of belief that nothing has moved, by which an estimated shift is shrunk.
        least_carried: observations that a model's moved evidence is worth at least.
        worse: the sign of a shift for the worse; 0 = none is.
        probation_requests: for so many requests after a fall, what is known of the model fades, so that it is tried
            again and its recovery found.
        fading_requests: the time constant of that.
        least_known: observations below which it does not fade.
        probe_every: requests between two fadings.
    """

    slack: float = 0.5
    material: float = 0.0
    least: float = -math.inf
    threshold: float = 16.0
    edge_threshold: float = 20.0
    most_sds: float = 3.0
    shift_weight: float = 4.0
    least_carried: float = 10.0
    worse: float = -1.0
    probation_requests: int = 1200
    fading_requests: float = 200.0
    least_known: float = 5.0
    probe_every: int = 32


QUALITIES = Vigilance()
"""Of qualities: the constants were tuned on judged9's validation table."""

PRICES = Vigilance(threshold=12.0, most_sds=8.0, shift_weight=0.2, worse=0.0)
"""Of log dollars: bills vary little about their forecast, so two absurd ones in a row are a new price."""


AMOUNTS = Vigilance(slack=0.75, threshold=16.0, most_sds=4.0, shift_weight=1.0, worse=0.0)
"""Of log tokens, whose tails are longer than a normal's.

Of 78,000 answers in streams without a change none raised an alarm; tokens that doubled were found by 12 to 36 answers
(simulations/false_alarms.py; judged9's validation table, llmrouter11, mmlu29). Tokens that grew by half are often not:
Gemini's took 61 and 107 answers, Mistral's were not found at all.
"""

TIMES = Vigilance(
    slack=0.5, material=0.2, least=math.log(0.05), threshold=16.0, most_sds=1.5, shift_weight=1.0, worse=1.0
)
"""Of log seconds. A fifth faster or slower is no news: so much machines and networks change by the hour; nor is what
happens below a twentieth of a second, where the router's own machine is as much of it as the model. Calls are seen
when they end: where few are made, those come last and together that took a hundred times as long, so that no sixteen of
them may raise an alarm. A model that got slower is tried again, as one that got worse.
Of 7,800 measured times in a random order none raised an alarm; seconds that doubled took 17 to 19 calls
with three providers, and were not found with the fourth.
"""


class Climb(NamedTuple):
    """One one-sided cumulative sum; every field is a number, or an array of them.

    Attributes:
        height: the sum, 0 while the forecast holds.
        seen: observations since it was last 0.
        surplus: their raw residuals added up, in the signal's own unit.
    """

    height: Amount
    seen: Amount
    surplus: Amount

    @property
    def shift(self) -> Amount:
        """The mean residual since it was last 0: how far the signal is estimated to have moved."""
        return self.surplus / np.maximum(self.seen, 1.0)


class Climbs(NamedTuple):
    """The two sums of one detector, live: `up` looks for a rise and `down` for a fall; fields are plain numbers."""

    up: Climb
    down: Climb

    @property
    def highest(self) -> Climb:
        """The one that is nearer to an alarm."""
        return self.up if self.up.height >= self.down.height else self.down

    def after(self, residual: float, sd: float, settings: Vigilance) -> Climbs:
        """Both after one more observation, as `stepped` says."""
        z = min(max(residual / sd, -settings.most_sds), settings.most_sds)
        return Climbs(_climbed(self.up, z, residual, settings), _climbed(self.down, -z, residual, settings))


FLAT = Climbs(Climb(0.0, 0.0, 0.0), Climb(0.0, 0.0, 0.0))


def stepped(climb: Climb, residual: Floats, sd: Floats, sign: Floats, settings: Vigilance) -> Climb:
    """The sums after one more observation each.

    Args:
        climb: before it.
        residual: observed less forecast.
        sd: of the residual, if the forecast holds: its own uncertainty and the noise of one observation.
        sign: +1 looks for a rise, -1 for a fall.
        settings: constants.
    """
    z = np.clip(sign * residual / sd, -settings.most_sds, settings.most_sds)
    return _climbed(climb, z, residual, settings)


def _climbed(climb: Climb, z: Amount, residual: Amount, settings: Vigilance) -> Climb:
    """The sum after a residual of z standard deviations towards the side that it looks to."""
    height, seen, surplus = climb.height + z - settings.slack, climb.seen + 1.0, climb.surplus + residual
    up = (height > 0.0) & ((height <= settings.threshold) | (abs(surplus) >= settings.material * seen))
    return Climb(height * up, seen * up, surplus * up)


def false_rate(height: float, settings: Vigilance) -> float:
    """How likely noise alone is to lift a sum that high once it has left 0: Lundberg's bound of a normal walk."""
    return math.exp(-2.0 * settings.slack * height)


def moved(evidence: Evidence, shift: float, seen: float, settings: Vigilance) -> Evidence:
    """One model's evidence over its classes (C, 1), moved by what was seen since the change began.

    It keeps what it says of the classes and prompts against each other, moves as a whole by the shrunken shift, and is
    worth no more than the observations that the shift was estimated from.

    Args:
        evidence: over (C, 1) edges.
        shift: the estimated shift in the signal's unit.
        seen: observations behind it.
        settings: constants.
    """
    by = shift * seen / (seen + settings.shift_weight)
    carried = max(seen, settings.least_carried) / max(float(evidence.n.sum()), 1e-12)
    return decayed(shifted(evidence, 0, by), min(1.0, carried))


def fell(shift: float, settings: Vigilance) -> bool:
    """Whether a shift is one for the worse, after which a model is on probation."""
    return shift * settings.worse > 0.0


def faded(evidence: Evidence, settings: Vigilance) -> Evidence:
    """One model's evidence over its classes (C, 1), faded a little as on probation."""
    return decayed(evidence, float(fading(evidence.n.sum(), settings)))


def fading(known: Floats, settings: Vigilance) -> Floats:
    """The factors by which evidence worth so many observations fades between two probes on probation."""
    kept = np.exp(-settings.probe_every / settings.fading_requests)
    return np.minimum(1.0, np.maximum(kept, settings.least_known / np.maximum(known, 1e-12)))
