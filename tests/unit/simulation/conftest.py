"""Small outcome tables, built by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.simulation.table import OutcomeTable

Floats = NDArray[np.float64]

BuildTable = Callable[..., OutcomeTable]


def build(
    quality: Floats, cost_usd: Floats, *, models: tuple[str, ...], latency_s: float | None = None
) -> OutcomeTable:
    """A table of n rows with one feature and no classes."""
    n = len(quality)
    nothing = np.full(quality.shape, np.nan)
    return OutcomeTable(
        name="table",
        ids=tuple(f"r{i}" for i in range(n)),
        models=models,
        tasks=(),
        task_of=np.full(n, -1),
        input_tokens=np.full(n, 100.0),
        features=np.linspace(-1.0, 1.0, n)[:, None],
        at=np.full(n, np.nan),
        prompts=(None,) * n,
        quality=quality,
        cost_usd=cost_usd,
        output_tokens=nothing,
        latency_s=nothing if latency_s is None else np.full(quality.shape, latency_s),
    )


@pytest.fixture
def build_table() -> BuildTable:
    """Builds (n, K) qualities and dollars into a table."""
    return build


@pytest.fixture
def plain() -> OutcomeTable:
    """200 rows: small gets .5 for a hundredth of a cent, large .9 for a cent, each answer taking a second."""
    quality, cost = np.tile([0.5, 0.9], (200, 1)), np.tile([1e-4, 1e-2], (200, 1))
    return build(quality, cost, models=("small", "large"), latency_s=1.0)
