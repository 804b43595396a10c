"""What is believed of each signal before anything is seen.

Only the scale of a signal is set here. What differs between tables (noise, how much classes and prompts matter) is
learned from the evidence, starting from these; see `variance`.
"""

from __future__ import annotations

from dataclasses import dataclass

TOKENS_CENTRE = 5.0
"""The log of a typical prompt length (about 150 tokens): the point at which an intercept is meant."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Gaussian prior of one signal, in the signal's own unit.

    Attributes:
        mean: of a model's level when no model was seen; later the pooled level of the others.
        level_sd: spread of levels between models.
        class_sd: starting value for the spread between task classes.
        tokens_sd: spread of the slope on log input tokens.
        feature_sd: starting value for the slope on one feature of unit size.
        noise_sd: starting value for the noise of one observation.
        noise_weight: observations that this starting value is worth, for a model.
        edge_noise_weight: observations that a model's noise is worth for each of its edges.
        slope_deviation: how far an edge's slopes stray from its model's, as a share of their own spread.
    """

    mean: float
    level_sd: float
    class_sd: float
    tokens_sd: float
    feature_sd: float
    noise_sd: float
    noise_weight: float = 20.0
    edge_noise_weight: float = 50.0
    slope_deviation: float = 1.0


QUALITY = Prior(mean=0.7, level_sd=0.15, class_sd=0.06, tokens_sd=0.02, feature_sd=0.02, noise_sd=0.4)
"""Quality in [0, 1]. noise_sd starts high: one unlucky first answer must not close an edge for good."""

LOG_COST = Prior(mean=-9.2, level_sd=3.0, class_sd=0.5, tokens_sd=0.3, feature_sd=0.15, noise_sd=0.5)
"""Natural log of dollars, where dollars are all that is seen."""

LOG_TOKENS = Prior(mean=5.5, level_sd=1.5, class_sd=0.5, tokens_sd=0.3, feature_sd=0.1, noise_sd=0.6)
"""Natural log of output tokens."""

LOG_LATENCY = Prior(mean=1.0, level_sd=1.5, class_sd=0.5, tokens_sd=0.3, feature_sd=0.1, noise_sd=0.5)
"""Natural log of seconds."""

LOG_TTFT = Prior(mean=-0.5, level_sd=1.5, class_sd=0.5, tokens_sd=0.3, feature_sd=0.1, noise_sd=0.5)
"""Natural log of seconds to the first token."""
