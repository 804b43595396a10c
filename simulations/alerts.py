"""Writes the measured part of docs/alerts.md: how often feedback that comes and caps that last are alarmed about.

Hours of ServeGen's rates (alibaba/ServeGen), which have their days and nights, nine requests a minute on
average and costs of judged9_val. Feedback: judged at random, much or little, an hour late, by session, or once a night;
then it stops. Caps: days that need so much of the cap; what counts as a false alarm is one on a day that stayed below.

Run: `python simulations/alerts.py`; about three minutes. It reads the traces from ../shared/data.
"""

from __future__ import annotations

import gzip
import heapq
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import load_table
from banditroute.alerting.settings import AlertSettings
from banditroute.alerting.silence import Silence
from banditroute.alerting.spending import Spending
from banditroute.alerting.view import View
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, Window
from banditroute.routing.forecasting import Traffic
from banditroute.routing.paced_caps import CapOutlook
from banditroute.routing.windows import period_at
from marked_page import footnote, write_part

Floats = NDArray[np.float64]

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"
RATES_S = 600.0
RPS = 0.15
HOUR_S, DAY_S = 3_600.0, 86_400.0
START = 20_400 * DAY_S  # a midnight
STREAMS = tuple((model, seed) for model in ("m-mid", "m-small") for seed in (0, 1))  # two weeks each
TASKS = ("qa", "code", "math", "writing", "general")
SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)
TIMES = (5.0, 10.0, 20.0)
MARGINS = (0.1, 0.2, 0.3)
NEEDS = (0.7, 0.9, 0.97, 1.2, 1.5)
HEARD_S = 12 * HOUR_S  # of feedback, before which it does not stop


class Feedback(NamedTuple):
    """How judgements come: of which share, how late on average, and in sessions of how many, or once a night."""

    name: str
    share: float
    late_s: float = 0.0
    session: int = 1
    nightly: bool = False


FEEDBACK = (
    Feedback("3 in 10, at once", 0.3),
    Feedback("1 in 50, at once", 0.02),
    Feedback("1 in 10, an hour late", 0.1, late_s=HOUR_S),
    Feedback("1 in 10, by sessions of 20", 0.1, session=20),
    Feedback("1 in 5, all of them once a night", 0.2, nightly=True),
)


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    lines = [*_silence_table(), "", *_forecast_table(), "", f"{footnote(started, __file__)}."]
    text = "\n".join(lines)
    print(text)
    write_part("alerts.md", "measured", text)


def traffic(model: str, rng: np.random.Generator) -> Floats:
    """Instants of requests at a model's rates, scaled to the same mean."""
    rows = (
        json.loads(line)
        for line in gzip.decompress((DATA / "traces" / "servegen_rates.jsonl.gz").read_bytes()).splitlines()
    )
    rates = np.array([row["rate_rps"] for row in rows if row["model"] == model])
    counts = rng.poisson(rates / rates.mean() * RPS * RATES_S)
    begins = START + RATES_S * np.repeat(np.arange(rates.size), counts)
    return np.sort(begins + RATES_S * rng.random(begins.size))


# Feedback


def _silence_table() -> Iterator[str]:
    yield (
        "| feedback | "
        + " | ".join(f"false alarms at {times:g}x" for times in TIMES)
        + " | hours | told after it stopped, at 10x |"
    )
    yield "|---|" + "---|" * (len(TIMES) + 2)
    for feedback in FEEDBACK:
        alarms, hours = dict.fromkeys(TIMES, 0), 0.0
        for model, seed in STREAMS:
            at = traffic(model, np.random.default_rng([seed, 1]))
            hours += (at[-1] - at[0]) / HOUR_S
            for times in TIMES:
                alarms[times] += _alarms(at, feedback, times, seed)
        waits = [_wait_s(feedback, seed, model) for model, seed in STREAMS]
        found = sorted(wait for wait in waits if wait is not None)
        told = f"{found[len(found) // 2] / HOUR_S:.1f} h" if found else "not in a week"
        counts = " | ".join(f"{alarms[times]}" for times in TIMES)
        yield f"| {feedback.name} | {counts} | {hours:,.0f} | {told} |"


def _alarms(at: Floats, feedback: Feedback, times: float, seed: int) -> int:
    """How often somebody was said to be silent who was not."""
    return len(list(_told(at, feedback, times, seed, np.inf)))


def _wait_s(feedback: Feedback, seed: int, model: str) -> float | None:
    """Seconds from the last judgement, half way, until that is told; None where it never is."""
    at = traffic(model, np.random.default_rng([seed, 1]))
    stop = float(at[at.size // 2])
    return next(
        (told - stop for told in _told(at, feedback, AlertSettings().silent_times, seed, stop) if told > stop), None
    )


def _told(at: Floats, feedback: Feedback, times: float, seed: int, stop: float) -> Iterator[float]:
    """The instants at which a silence begins to be told, with no judgement after `stop`."""
    rng = np.random.default_rng([seed, 2])
    silence, settings = Silence(), replace(AlertSettings(), silent_times=times)
    tasks = rng.choice(TASKS, size=at.size, p=SHARES)
    judged = np.repeat(rng.random(at.size // feedback.session + 1) < feedback.share, feedback.session)[: at.size]
    late = rng.exponential(feedback.late_s, at.size) if feedback.late_s else np.zeros(at.size)
    coming: list[tuple[float, str]] = []
    known: set[str] = set()
    for number, now in enumerate(at.tolist()):
        silence.answered(tasks[number], now)
        if judged[number]:
            when = (now // DAY_S + 1) * DAY_S if feedback.nightly else now + late[number]
            heapq.heappush(coming, (when, tasks[number]))
        while coming and coming[0][0] <= now:
            when, task = heapq.heappop(coming)
            if when <= stop:
                silence.judged(task, "user", when)
        if number % 10 == 0:
            found = {each.about for each in silence.look(settings)}
            yield from (now for _ in found - known)
            known = found


# Caps


def _forecast_table() -> Iterator[str]:
    yield (
        "| the day needs | cap | "
        + " | ".join(f"told at margin {margin:.0%}" for margin in MARGINS)
        + " | told when so much of the day was over, at 20% |"
    )
    yield "|---|---|" + "---|" * (len(MARGINS) + 1)
    days = [day for model, seed in STREAMS for day in _days(model, seed)]
    for need in NEEDS:
        for paced in (True, False):
            told = {margin: [_forecast_at(day, need, margin, paced=paced) for day in days] for margin in MARGINS}
            shares = [f"{sum(each is not None for each in told[margin])} of {len(days)}" for margin in MARGINS]
            when = sorted(each for each in told[AlertSettings().forecast_margin] if each is not None)
            middle = f"{when[len(when) // 2]:.0%}" if when else ""
            yield (
                f"| {need:.0%} of its cap | {'paced' if paced else 'not paced'} | "
                + " | ".join(shares)
                + f" | {middle} |"
            )


class Day(NamedTuple):
    """A day of requests, their dollars, and the requests of the day before."""

    at: Floats
    usd: Floats
    before: Floats


def _days(model: str, seed: int) -> Iterator[Day]:
    rng = np.random.default_rng([seed, 3])
    cost = load_table(DATA / "outcomes" / "judged9_val.jsonl.gz").cost_usd
    at = traffic(model, rng)
    usd = cost[rng.integers(cost.shape[0], size=at.size), rng.integers(cost.shape[1], size=at.size)]
    number = ((at - START) // DAY_S).astype(int)
    for day in range(1, int(number.max())):
        today, before = number == day, number == day - 1
        yield Day(at[today], usd[today], at[before])


def _forecast_at(day: Day, need: float, margin: float, *, paced: bool) -> float | None:
    """The share of the day that is over when its cap is said not to last; None where it is not."""
    cap = Cap("day", float(day.usd.sum()) / need, "day", paced=paced)
    counted, spending = Traffic("day"), Spending()
    settings = replace(AlertSettings(), forecast_margin=margin)
    for at in day.before.tolist():
        counted.count(at)
    period, spent, look_at = period_at("day", float(day.at[0])), 0.0, 0.0
    for at, usd in zip(day.at.tolist(), day.usd.tolist(), strict=True):
        counted.count(at)
        spent += usd
        if at < look_at:
            continue
        look_at = at + 60.0
        account = Account(cap, Window("day", period.name), period.ends_at, min(spent, cap.usd), 0.0, 0.0)
        outlook = CapOutlook("day", 0.0, counted.requests, counted.forecast(at).to_come, 0.0, 0.0)
        if any(spending.forecasts(View((account,), (outlook,) if paced else ()), settings, at)):
            return (at - period.starts_at) / DAY_S
    return None


if __name__ == "__main__":
    main()
