"""One decision and what a shadow would have drawn from beside it, with what was then expected of each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.errors import InputError
from banditroute.records import Decision, Forecast, Json


class Expected(NamedTuple):
    """What was expected of a model: quality with its uncertainty, and dollars."""

    quality: float
    quality_sd: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Beside:
    """One decision that a shadow decided on too.

    Attributes:
        shadow: the shadow's name.
        chosen: the model that the router chose, or its caller named.
        drawn: whether that was left to chance.
        propensities: the shadow's probability of each model.
        expected: of the chosen model and of each that the shadow could have drawn.
    """

    shadow: str
    chosen: str
    drawn: bool
    propensities: Mapping[str, float]
    expected: Mapping[str, Expected]

    def likely(self) -> Iterator[tuple[float, Expected]]:
        """The shadow's probability of each model that it may draw instead, with what was expected of it."""
        for model, p in self.propensities.items():
            if p > 0 and model != self.chosen:
                yield p, self.expected[model]


def beside_of(decision: Decision) -> Beside | None:
    """What a decision on record says of its shadow; None where none decided on it, or nobody knew the chosen model.

    Where the router and the shadow expect something of the same model, the shadow's word counts: both sides of a
    comparison are to be by one belief.
    """
    shadow = decision.shadow
    if shadow is None:
        return None
    expected = {model: _expected(each) for model, each in {**decision.forecasts, **shadow.forecasts}.items()}
    if decision.chosen not in expected:
        return None
    return Beside(shadow.name, decision.chosen, not decision.pinned, shadow.propensities, expected)


def beside_of_row(row: Json) -> Beside | None:
    """What a row of a decision log says of a shadow; None where it says nothing, or not what was expected.

    Raises:
        InputError: its `shadow` is not as `banditroute export` writes it.
    """
    shadow = row.get("shadow")
    try:
        if shadow is None or shadow.get("expected") is None:
            return None
        expected = {
            str(model): Expected(float(of["quality"]), float(of["quality_sd"]), float(of["cost_usd"]))
            for model, of in shadow["expected"].items()
        }
        propensities = {str(model): float(p) for model, p in shadow["propensities"].items()}
        name, chosen = str(shadow["policy"]), str(row["chosen"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("not a shadow's decision", remedy="export the log anew", field="shadow") from error
    if {chosen, *propensities} - expected.keys():
        problem = "nothing is expected of a model that was drawn or could have been"
        raise InputError(problem, remedy="export the log anew", field="shadow.expected")
    return Beside(name, chosen, row.get("propensity") is not None, propensities, expected)


def _expected(forecast: Forecast) -> Expected:
    return Expected(forecast.quality, forecast.quality_sd, forecast.cost_usd)
