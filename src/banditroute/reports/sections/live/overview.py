"""The telling numbers, and what a manager should know, in sentences."""

import numpy as np

from banditroute.reports import format as write
from banditroute.reports.parts import Bullets, Card, Cards, Note, Section
from banditroute.reports.sections.live.alarms import alarm_in_words
from banditroute.reports.sections.live.budgets import cap_in_words, pace_in_words
from banditroute.reports.store.history import History, wilson
from banditroute.reports.store.live import LiveStore

_TELLING_SHARE = 0.05
_MANY_FAILURES = 0.01


def overview_section(live: LiveStore) -> Section:
    """The section: cards, then what stands out."""
    title, history = "At a glance", live.history
    if not history.requests.sum():
        return Section("overview", title, "", (Note("No request is on record yet."),))
    found = (
        *_serving(history),
        *(pace_in_words(each) for each in live.paces),
        *(cap_in_words(each, live.at) for each in live.accounts),
        *alarm_in_words(live),
        *live.remarks,
        *_warnings(live),
    )
    return Section("overview", title, "", (Cards(_cards(history)), Bullets(found)))


def _cards(history: History) -> tuple[Card, ...]:
    judging = float(history.judging_usd.sum())
    return (
        Card(
            "Requests",
            write.count(int(history.requests.sum())),
            f"{write.count(int(history.failed.sum()))} without a whole answer",
        ),
        Card("Spent on answers", write.money(float(history.spent_usd.sum())), f"and {write.money(judging)} on judges"),
        Card("Per request", write.money(history.usd_per_request), _dearest(history)),
        Card("Quality", write.quality(history.mean_quality), _ends(history)),
    )


def _dearest(history: History) -> str:
    answering = [record for record in history.models if record.served]
    if len(answering) < 2:
        return ""
    return f"{answering[-1].model} takes {write.money(answering[-1].usd_per_answer)}"


def _ends(history: History) -> str:
    judged = int(history.judged.sum())
    if not judged:
        return "no answer was judged"
    low, high = (float(end[0]) for end in wilson(np.array([history.mean_quality]), np.array([judged])))
    return f"95% interval {write.interval(low, high)}, {write.count(judged)} judged"


def _serving(history: History) -> tuple[str, ...]:
    """Who answers how much, the busiest first; models that hardly answer are left out."""
    total = sum(record.served for record in history.models)
    busy = sorted(history.models, key=lambda record: -record.served)
    shares = [
        f"{record.model} {write.percent(record.served / total)} at {write.money(record.usd_per_answer)}"
        for record in busy
        if total and record.served / total >= _TELLING_SHARE
    ]
    return (f"Answers by model: {write.listing(shares)}.",) if shares else ()


def _warnings(live: LiveStore) -> tuple[str, ...]:
    history = live.history
    answered, failed = int(history.answered.sum()), int(history.failed.sum())
    judged = int(history.judged.sum())
    found = (
        (
            answered and not judged,
            "No answer was judged: nothing is learned of quality, so choices rest on prior beliefs.",
        ),
        (
            answered and judged,
            f"{write.percent(judged / max(answered, 1))} of answers were judged; quality is theirs, and "
            "says nothing of the others unless it is left to chance which answers are judged.",
        ),
        (
            failed > _MANY_FAILURES * answered,
            f"{write.percent(failed / max(answered, 1))} of requests got no whole answer.",
        ),
        (live.open_decisions, f"{write.plural(live.open_decisions, 'decision')} without an outcome so far."),
    )
    return tuple(words for holds, words in found if holds)
