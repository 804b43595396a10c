"""What a month saved and gained against baselines: off-policy estimates, carried over from a sample to the month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from banditroute.errors import InputError
from banditroute.evaluation.evaluate import evaluate
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.mixing import Mix
from banditroute.evaluation.replayed import Progress
from banditroute.evaluation.results import Evaluation, Interval, Target, Value
from banditroute.evaluation.targets import Given, TargetPolicy
from banditroute.reports import format as write
from banditroute.reports.month.baselines import ALWAYS, BEST, CHEAPEST, LAST_MONTH, Baselines, targets_of
from banditroute.reports.month.sample import Sample

ESTIMATOR = "dr"

_STEADY = "dm"
_NOBODY_JUDGED = "No verdict: nobody judged an answer, so no model is known to be best."
_MOSTLY = 0.5  # share of the decisions that a model must have been able to serve to be taken for always best


@dataclass(frozen=True, slots=True)
class Amount:
    """An estimate with its 95% interval."""

    mean: float
    ci95: Interval


@dataclass(frozen=True, slots=True)
class Compared:
    """One baseline beside what was done.

    Attributes:
        name: as asked for; meaning: what it is, in words.
        baseline_usd: what it would have spent on the month's decisions that were left to chance; saved_usd: how much
            more that is than what was spent on them. None where the log carries no verdict.
        quality: that it would have got, from 0 to 1; gained: how much less that is than what was got; None likewise.
        verdict: why there are no numbers, or none of quality; empty where there are all.
        who: the fixed model that it turned out to be, where that was to be found; is_sure: whether it surely is.
    """

    name: str
    meaning: str
    baseline_usd: Amount | None = None
    saved_usd: Amount | None = None
    quality: Amount | None = None
    gained: Amount | None = None
    verdict: str = ""
    who: str = ""
    is_sure: bool = True

    @property
    def label(self) -> str:
        """Its name for people, with the model that it turned out to be."""
        if not self.who:
            return self.name
        return f"{self.name}: {self.who}" if self.is_sure else f"{self.name}, perhaps {self.who}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All baselines.

    Attributes:
        decisions: the month's that were left to chance and answered; spent_usd: dollars of them.
        looked_at: how many of them the estimates rest on; set_aside: how many more were looked at in vain.
        quality: mean of what was got, as the estimates weigh it; None where none says.
        rows: one for each baseline, in the order asked for.
        notes: what was assumed, in plain sentences.
    """

    decisions: int
    spent_usd: float
    looked_at: int
    set_aside: int
    quality: float | None
    rows: tuple[Compared, ...]
    notes: tuple[str, ...]


def compared(
    baselines: Baselines, sample: Sample, mix: Mapping[str, Mapping[str, int]], show: Progress | None = None
) -> Comparison | None:
    """What was done beside the baselines; None where nothing was left to chance.

    Args:
        baselines: which.
        sample: of the month's decisions.
        mix: how often each model was chosen in each class in the month before; empty = nothing is known of it.
        show: is told how far a router is led over the sample.
    """
    loaded = sample.log("month")
    if loaded is None or not sample.seen:
        return None
    log = loaded.log
    targets = targets_of(baselines, log, mix, show)
    work = _Work(log, sample, targets)
    rows = tuple(work.row(name) for name in baselines.names)
    return Comparison(
        decisions=sample.seen,
        spent_usd=sample.usd,
        looked_at=log.rows,
        set_aside=sample.kept - log.rows,
        quality=work.logged_quality,
        rows=rows,
        notes=tuple(_notes(sample, log, targets, work)),
    )


class _Work:
    """Every target evaluated once, and once more for its dollars alone where quality lacks a verdict."""

    def __init__(self, log: LogTable, sample: Sample, targets: Mapping[str, TargetPolicy]) -> None:
        self._log = log
        self._sample = sample
        self._refused: dict[str, str] = {}
        able = [given for target in targets.values() if (given := self._given(target)) is not None]
        self.whole = evaluate(log, able, (ESTIMATOR, _STEADY))
        self._verdicts = {each.policy: each for each in self.whole.targets}
        unsaid = [each for each in able if not self._verdicts[each.name].carries]
        self._dollars = _of_dollars(log, unsaid) if unsaid and np.isfinite(log.quality).any() else self.whole

    @property
    def logged_quality(self) -> float | None:
        """Mean of what was got, each model's judged answers standing for all of its answers."""
        known = (each.quality for each in self.whole.estimates if each.quality is not None)
        value = next(known, None)
        return None if value is None else value.mean - value.gain

    def row(self, name: str) -> Compared:
        """The baseline of that name."""
        if name == BEST:
            return self._best(name)
        if name == CHEAPEST:
            return self._cheapest(name)
        if name == LAST_MONTH:
            return self._known(name, name, "the month before's share of each model in each task class")
        if name.startswith(ALWAYS):
            return self._known(name, name, f"always {name.removeprefix(ALWAYS)}")
        return self._known(name, name, f"the router of {name}, led over the same decisions")

    def _given(self, target: TargetPolicy) -> Given | None:
        """What it would draw from, worked out once; None where it cannot decide on the traffic, and why is kept."""
        try:
            return Given(target.name, target.propensities(self._log))
        except InputError as error:
            self._refused[target.name] = f"No verdict: {error.problem}."
            return None

    def _known(self, name: str, target: str, meaning: str) -> Compared:
        if target not in self._verdicts:
            return Compared(name, meaning, verdict=self._refused.get(target) or self._absent(target))
        verdict = self._verdicts[target]
        if verdict.carries:
            return self._numbers(name, meaning, self.whole, target)
        second = next((each for each in self._dollars.targets if each.policy == target), verdict)
        if not second.carries:
            return Compared(name, meaning, verdict=self._at_most(verdict))
        found = self._numbers(name, meaning, self._dollars, target)
        return replace(found, verdict=f"Of quality: {_lowered(self._at_most(verdict))}")

    def _absent(self, target: str) -> str:
        if target == LAST_MONTH:
            return "No verdict: no decision of the month before is on record."
        return f"No verdict: no decision of the month could have been {target.removeprefix(ALWAYS)}'s."

    def _at_most(self, target: Target) -> str:
        """The verdict, with how much of the month it rests on where that is a part."""
        if self._log.rows == self._sample.seen:
            return target.verdict
        return f"{target.verdict} {self._sample.seen:,} are on record; --evidence looks at more of them."

    def _numbers(self, name: str, meaning: str, found: Evaluation, target: str) -> Compared:
        estimate = found.of(target, ESTIMATOR)
        spent, number = self._sample.usd, self._sample.seen
        more = _scaled(estimate.cost_usd, number, spent)
        baseline = Amount(spent + more.mean, Interval(*(spent + end for end in more.ci95)))
        quality = estimate.quality
        return Compared(
            name,
            meaning,
            baseline_usd=baseline,
            saved_usd=more,
            quality=None if quality is None else Amount(quality.mean, quality.ci95),
            gained=None if quality is None else _turned(quality),
            verdict="" if quality is not None else "Nobody judged an answer: nothing is known of quality.",
        )

    def _best(self, name: str) -> Compared:
        """The fixed model of which most quality is expected, with how sure that is."""
        meaning, candidates = "the fixed model of highest estimated quality", self._candidates()
        expected = {model: self._expected_quality(f"{ALWAYS}{model}") for model in candidates}
        known = {model: value for model, value in expected.items() if value is not None}
        if not known:
            return Compared(name, meaning, verdict=_NOBODY_JUDGED)
        model = max(known, key=lambda each: (known[each], each))
        vague = sum(not self._verdicts[f"{ALWAYS}{each}"].carries for each in candidates)
        unsure = f"; not surely so, for of {write.plural(vague, 'model')} the log says too little" if vague else ""
        found = self._known(name, f"{ALWAYS}{model}", f"always {model}, {meaning}{unsure}")
        return replace(found, who=model, is_sure=not vague)

    def _expected_quality(self, target: str) -> float | None:
        """As estimated where the log carries that; else by the outcome model, which few answers do not carry away."""
        estimator = ESTIMATOR if self._verdicts[target].carries else _STEADY
        quality = self.whole.of(target, estimator).quality
        return None if quality is None else quality.mean

    def _cheapest(self, name: str) -> Compared:
        """The fixed model that is estimated to cost least, whether or not the log carries it."""
        dollars = {each: self.whole.of(f"{ALWAYS}{each}", ESTIMATOR).cost_usd.mean for each in self._candidates()}
        model = min(dollars, key=lambda each: (dollars[each], each))
        found = self._known(name, f"{ALWAYS}{model}", f"always {model}, the fixed model of lowest estimated dollars")
        return replace(found, who=model)

    def _candidates(self) -> list[str]:
        """Models that could have served most of the decisions; all, where none could."""
        able = self._log.eligible.mean(axis=0)
        most = [model for model, share in zip(self._log.models, able, strict=True) if share >= _MOSTLY]
        return most or list(self._log.models)


def _of_dollars(log: LogTable, targets: Sequence[TargetPolicy]) -> Evaluation:
    return evaluate(replace(log, quality=np.full(log.rows, np.nan)), targets, (ESTIMATOR,))


def _scaled(value: Value, number: int, spent_usd: float) -> Amount:
    """How much more than what was spent a baseline costs on so many requests: it costs no less than nothing."""
    mean, low, high = (max(number * each, -spent_usd) for each in (value.gain, *value.gain_ci95))
    return Amount(mean, Interval(low, high))


def _turned(value: Value) -> Amount:
    """How much better what was done is than the baseline."""
    low, high = value.gain_ci95
    return Amount(-value.gain, Interval(-high, -low))


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _notes(sample: Sample, log: LogTable, targets: Mapping[str, TargetPolicy], work: _Work) -> Iterator[str]:
    """What was assumed."""
    part = "" if log.rows == sample.seen else f"{log.rows:,} of "
    yield (
        f"Estimated on {part}the {write.plural(sample.seen, 'decision')} that were left to chance and came to an end, "
        "by the doubly robust estimator with the probabilities that they were drawn with; dollars are "
        "carried over to all of these. Calls of a model that its caller named, and judges' calls, are the same "
        "under every baseline."
    )
    if log.rows < sample.kept:
        left_out = write.plural(sample.kept - log.rows, "decision")
        yield f"{left_out} could be no evidence: probabilities that do not fit, or prompts that were encoded otherwise."
    yield "Where a fixed model could not serve a request, it is taken to be answered as it was."
    yield "A baseline is taken to meet the same requests, at the same prices and with the same failures."
    judged = int(np.isfinite(log.quality).sum())
    if 0 < judged < log.rows:
        yield (
            f"Quality is known of {judged:,} of them; each stands for others of its model, so being judged is taken "
            "not to depend on how good an answer was."
        )
    yield from _notes_on(targets, log)
    if any(each.quality is not None for each in work.whole.estimates):
        yield "The best fixed model is named by the same answers that it is compared on, which flatters it a little."


def _notes_on(targets: Mapping[str, TargetPolicy], log: LogTable) -> Iterator[str]:
    mix = targets.get(LAST_MONTH)
    if isinstance(mix, Mix) and (lost := mix.lost_share(log)) > 0.0:
        yield (
            f"{write.percent(lost)} of the month before's choices were models that no decision of this month could "
            "have drawn; the others take their share."
        )
    if any(name.endswith(".toml") for name in targets):
        yield "A router's caps and its tenants' budgets are left out, and it learns from the decisions looked at alone."
