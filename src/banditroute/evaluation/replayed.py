"""A router's own decisions on the traffic of a log, recomputed with beliefs and budgets of its own.

What it would have drawn from at a decision depends on that decision's request and on the past alone: it learns from
what the log shows of the models that served, and its budgets are charged with what its own choices are expected to
cost. So importance weights stay valid, though the policy moves (Dudik, Erhan, Langford and Li, 2014, sec. 5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError, NoEligibleModelError
from banditroute.records import Context, Decision, Demand
from banditroute.routing.decider import Decider
from banditroute.routing.tasks import is_chosen_on

from .log import LogTable

Floats = NDArray[np.float64]
Progress = Callable[[int, int | None], None]

_SHOWN_EVERY = 256  # decisions
_NOT_IN_LOG = "no decision of the log could have drawn it"
_NOT_ELIGIBLE = "was not eligible"
_EVEN = 0.5  # chance for a draw that nobody looks at
_REASONS = 3  # that a refusal counts one by one


@dataclass(frozen=True, slots=True)
class Replayed:
    """A router led over a log from its first decision to its last.

    Attributes:
        name: what to call it.
        make: a decider as it stands before the first decision; asked anew for every log.
        learns: whether it goes on learning and pacing on the way; a frozen one decides as it stood, from first to last.
        progress: is told now and then how many decisions are done, of how many.
    """

    name: str
    make: Callable[[], Decider]
    learns: bool = True
    progress: Progress | None = None

    def propensities(self, log: LogTable) -> Floats:
        """What it would have drawn from; a row of zeros where nothing was drawn and it could not have decided.

        Raises:
            InputError: it cannot decide on some of what was drawn: its models were not eligible, prompts were encoded
                otherwise or their lengths are not on record.
        """
        decider = self.make()
        _check(log, decider, self.name)
        traffic = _Traffic(log, decider)
        p, helpless = np.zeros(log.eligible.shape), Counter[str]()
        for row in range(log.rows):
            context = traffic.context(row)
            if context is not None:
                able = self._decide(row, context, decider, traffic, p[row])
                helpless.update([] if able or not log.drawn[row] else [_eligible_names(log, row)])
                if self.learns:
                    _learn(decider, context, traffic.shown(row))
            if self.progress is not None and row % _SHOWN_EVERY == 0:
                self.progress(row, log.rows)
        if helpless:
            raise _refusal(self.name, helpless, log, decider)
        return p

    def _decide(self, row: int, context: Context, decider: Decider, traffic: _Traffic, p: Floats) -> bool:
        """Whether it could decide on the row; writes the probabilities into p (K,)."""
        try:
            drawn = decider.decide(
                context,
                Demand(context.input_tokens),
                decision_id=traffic.log.ids[row],
                now=traffic.at(row),
                u=_EVEN,
                unavailable=traffic.unavailable(row),
            )
        except NoEligibleModelError:
            return False
        for model, probability in drawn.propensities.items():
            p[traffic.arms[model]] = probability
        if self.learns:
            decider.spend(_expected_usd(drawn), task=context.task)
        return True


class _Shown(NamedTuple):
    """What a row shows of the model that served; model None = none of the target's did."""

    model: str | None
    quality: float | None
    output_tokens: int | None
    latency_s: float | None


class _Traffic:
    """A log as a decider is told of it."""

    def __init__(self, log: LogTable, decider: Decider) -> None:
        self.log = log
        self.arms = {model: k for k, model in enumerate(log.models)}
        self._width = decider.beliefs.width
        self._names = decider.catalog.names
        self._reasons: dict[bytes, Mapping[str, str]] = {}

    def context(self, row: int) -> Context | None:
        """What is known of the prompt; None where nothing was drawn and it is nothing that policies decide on."""
        log, task = self.log, self.log.tasks[self.log.task_of[row]]
        tokens = float(log.input_tokens[row])
        if not log.drawn[row] and (not is_chosen_on(task) or np.isnan(tokens)):
            return None
        features = tuple(log.features[row].tolist()) if self._width else ()
        return Context(task, features, int(tokens))

    def at(self, row: int) -> float:
        """The instant; 0 where it is not on record."""
        return float(np.nan_to_num(self.log.at[row]))

    def unavailable(self, row: int) -> Mapping[str, str]:
        """Why the target's other models could not have served the row."""
        eligible = self.log.eligible[row]
        key = eligible.tobytes()
        if key not in self._reasons:
            able = {model for model, k in self.arms.items() if eligible[k]}
            self._reasons[key] = {
                name: _NOT_ELIGIBLE if name in self.arms else _NOT_IN_LOG for name in self._names if name not in able
            }
        return self._reasons[key]

    def shown(self, row: int) -> _Shown:
        """What the row shows; after a fallback the time is not that of the model that served."""
        log, served = self.log, int(self.log.served[row])
        model = log.models[served] if served >= 0 and log.models[served] in self._names else None
        quality, tokens, latency_s = (float(column[row]) for column in (log.quality, log.output_tokens, log.latency_s))
        return _Shown(
            model,
            None if np.isnan(quality) else quality,
            int(tokens) if tokens > 0 else None,  # a log has 0 where nobody said
            latency_s if latency_s > 0 and served == log.chosen[row] else None,
        )


def _check(log: LogTable, decider: Decider, name: str) -> None:
    """Raises InputError where the log does not say what the decider needs to know."""
    width = log.features.shape[1]
    own, version = decider.beliefs.width, decider.beliefs.encoder_version
    if own not in (0, width):
        problem = f"{width or 'no'} features a decision, and {name} decides by {own}"
        remedy = "export the log of a router that encodes prompts as this one does"
        raise InputError(problem, remedy=remedy, path=log.name, field="features")
    if own and log.encoder_version not in ("", version):
        problem = f"its features were made by the encoder {log.encoder_version!r}, {name} has {version!r}"
        remedy = "export the log of a router with the same encoder"
        raise InputError(problem, remedy=remedy, path=log.name, field="features")
    unknown = int((np.isnan(log.input_tokens) & log.drawn).sum())
    if unknown:
        problem = f"{unknown:,} of {log.rows:,} decisions have none, and {name} expects dollars by it"
        raise InputError(problem, remedy="give the prompts' lengths", path=log.name, field="input_tokens")


def _expected_usd(drawn: Decision) -> float:
    """What its choice is expected to cost: never the log's bill, which another policy ran up."""
    return sum(p * drawn.forecasts[model].cost_usd for model, p in drawn.propensities.items())


def _learn(decider: Decider, context: Context, shown: _Shown) -> None:
    if shown.model is None:
        return
    decider.learn(
        context,
        shown.model,
        quality=shown.quality,
        output_tokens=shown.output_tokens,
        latency_s=shown.latency_s,
    )
    if decider.refresh_due:
        decider.refresh()


def _eligible_names(log: LogTable, row: int) -> str:
    return ", ".join(model for model, able in zip(log.models, log.eligible[row], strict=True) if able)


def _refusal(name: str, helpless: Counter[str], log: LogTable, decider: Decider) -> InputError:
    counts = "; ".join(f"{rows:,} x {models}" for models, rows in helpless.most_common(_REASONS))
    more = f"; and {len(helpless) - _REASONS} more such sets" if len(helpless) > _REASONS else ""
    problem = (
        f"{helpless.total():,} of {log.rows:,} decisions are between models none of which {name} could draw "
        f"({counts}{more})"
    )
    remedy = f"give it models of those names; it has {', '.join(decider.catalog.names)}"
    return InputError(problem, remedy=remedy, path=log.name)
