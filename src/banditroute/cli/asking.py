"""The work of `banditroute ask`: one request through a router of its own, shown as it is answered."""

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from banditroute.assemble import open_router
from banditroute.cli import event_loop
from banditroute.cli.json_output import write_json
from banditroute.cli.store_file import is_there, look
from banditroute.cli.tables import printable
from banditroute.config import RouterConfig, load_config
from banditroute.errors import InputError, StoreError
from banditroute.records import Answer
from banditroute.reports.format import money
from banditroute.storage.protocol import Dispatch
from banditroute.storage.rebuilding import ComparingReader


class Question(NamedTuple):
    """What to ask, and on which terms: see `Router.chat`."""

    text: str
    task: str | None = None
    model: str | None = None
    tenant: str = ""


def run(config: Path, question: Question, *, json: bool) -> None:
    """Asks, and shows the answer and what it took.

    Raises:
        InputError: there is no configuration, nothing to ask, or a router at work on a store of one process.
        RequestError, UnansweredError, BrokenStreamError, StoreError: there is no answer.
    """
    if not config.exists():
        raise InputError("is not there", remedy="write one with `banditroute init`", path=str(config))
    asked = question._replace(text=sys.stdin.read() if question.text == "-" else question.text)
    if not asked.text.strip():
        raise InputError("nothing to ask", remedy="give a text", field="TEXT")
    plan = load_config(config)
    _check_alone(plan)
    answer = event_loop.run(_answered(plan, asked, shown=not json))
    if json:
        write_json(_entry(answer))
    else:
        sys.stderr.write(f"{_closing(answer)}\n")


def _check_alone(plan: RouterConfig) -> None:
    """Makes sure that no other router has calls on their way: one that starts beside it takes them for lost.

    Raises:
        InputError: one has.
    """
    if plan.store.shared or plan.store.kind == "memory" or not is_there(plan):
        return
    with suppress(StoreError):  # which opening the router will tell, unless it can mend it
        left_s = max((each.expires_at for each in _on_their_way(plan)), default=0.0) - time.time()
        if left_s > 0:
            problem = "calls of another router are on their way, or were when it ended"
            remedy = f"ask that one over HTTP, set store.shared = true, or wait {left_s:.0f} s"
            raise InputError(problem, remedy=remedy, path=str(plan.store.path))


def _on_their_way(plan: RouterConfig) -> list[Dispatch]:
    async def work(reader: ComparingReader) -> list[Dispatch]:
        return await reader.unsettled()

    return look(plan, work)


async def _answered(config: RouterConfig, question: Question, *, shown: bool) -> Answer:
    text, task, model, tenant = question
    async with open_router(config) as router, router.stream(text, task=task, model=model, tenant=tenant) as stream:
        async for delta in stream:
            if shown and delta.text:
                sys.stdout.write(_visible(delta.text))
                sys.stdout.flush()
        if shown:
            sys.stdout.write("\n")
            sys.stdout.flush()
        return stream.answer


def _visible(text: str) -> str:
    """A model's words without what could move a terminal's cursor; a pipe gets them as they are."""
    if not sys.stdout.isatty():
        return text
    return "".join(sign if sign in "\n\t" else printable(sign) for sign in text)


def _closing(answer: Answer) -> str:
    about = "estimated, " if answer.outcome.estimated else ""
    cost = "free" if answer.cost_usd == 0 else f"{about}{money(answer.cost_usd)}"
    return f"{answer.model} for {answer.task}: {cost}, {answer.latency_s:.2f} s, decision {answer.decision_id}"


def _entry(answer: Answer) -> dict[str, object]:
    return {
        "text": answer.text,
        "model": answer.model,
        "task": answer.task,
        "cost_usd": answer.cost_usd,
        "latency_s": answer.latency_s,
        "ttft_s": answer.outcome.ttft_s,
        "decision_id": answer.decision_id,
    }
