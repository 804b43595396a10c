"""The inputs of every linear model: 1, the centred log of the prompt's length, and the prompt's features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .priors import TOKENS_CENTRE

Floats = NDArray[np.float64]


def inputs_of_rows(input_tokens: Floats, features: Floats) -> Floats:
    """(n, X) for n prompts: their tokens (n,), nan where unknown, which counts as a typical length; features (n, p)."""
    logs = np.log(np.maximum(input_tokens, 0.0) + 1.0) - TOKENS_CENTRE
    centred = np.where(np.isnan(input_tokens), 0.0, logs)
    return np.column_stack([np.ones(input_tokens.size), centred, features])
