"""How far the log carries each policy: effective decisions, weights, and overlap model by model."""

from banditroute.evaluation.results import Evaluation, Target
from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Fold, Section, Table


def carrying_section(result: Evaluation) -> Section | None:
    """The section: a row per policy, then an overlap table for each; None without policies."""
    if not result.targets:
        return None
    intro = (
        "A log speaks of another policy only through the decisions that the two share. Where they share few, a handful "
        "of decisions with large weights stand for all the rest, and the effective number of decisions says so."
    )
    folds = tuple(_fold(n, target, only=len(result.targets) == 1) for n, target in enumerate(result.targets))
    return Section("evidence", "How far the log carries", intro, (_weights(result.targets), *folds))


def _weights(targets: tuple[Target, ...]) -> Table:
    return Table(
        name="weights",
        caption="The evidence on each policy. A mean weight away from 1 means that logged probabilities are not those "
        "that were drawn from, or that the log could not have drawn some choices.",
        columns=(
            columns.words("policy", "Policy", [target.policy for target in targets]),
            columns.words("carries", "Carries a verdict", ["yes" if target.carries else "no" for target in targets]),
            columns.numbers("ess", "Effective decisions", [target.ess for target in targets], _whole),
            columns.numbers("ess_judged", "Effective, judged", [target.ess_judged for target in targets], _whole),
            columns.numbers("max_weight", "Largest weight", [target.max_weight for target in targets], _weight),
            columns.numbers("mean_weight", "Mean weight", [target.mean_weight for target in targets], _weight),
            columns.numbers("unseen_share", "Unseen", [target.unseen_share for target in targets], write.percent),
        ),
    )


def _fold(position: int, target: Target, *, only: bool) -> Fold:
    unseen = f", {write.percent(target.unseen_share)} of its choices unseen" if target.unseen_share > 0 else ""
    return Fold(f"{target.policy}: overlap by model{unseen}", (_overlap(position, target),), opened=only)


def _overlap(position: int, target: Target) -> Table:
    rows = target.overlap
    return Table(
        name=f"overlap-{position}",
        caption=f"Where {target.policy} and the log meet. Shaded: shares of decisions. Unseen: share of decisions that "
        "it would give the model where the log could not have drawn it, of which no estimate speaks.",
        columns=(
            columns.words("model", "Model", [row.model for row in rows]),
            columns.shares("logged_share", "Share in the log", [row.logged_share for row in rows]),
            columns.shares("target_share", f"Share with {target.policy}", [row.target_share for row in rows]),
            columns.counts("matched", "Decisions in common", [row.matched for row in rows]),
            columns.numbers("ess", "Effective decisions", [row.ess for row in rows], _whole),
            columns.numbers("max_weight", "Largest weight", [row.max_weight for row in rows], _weight),
            columns.numbers("unseen_share", "Unseen", [row.unseen_share for row in rows], write.percent),
        ),
    )


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


def _weight(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
