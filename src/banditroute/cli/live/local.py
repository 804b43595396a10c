"""`banditroute demo --local-model`: a real model server on this machine, routed to for real."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson
from rich.console import Console

from banditroute.assemble import open_router
from banditroute.cli import event_loop
from banditroute.cli.live.folder import Endpoint, new_folder, write_config
from banditroute.cli.live.questions import QUESTIONS, Question
from banditroute.cli.live.summary import kept_in
from banditroute.cli.tables import plain_console
from banditroute.records import Answer
from banditroute.reports import format as form
from banditroute.router import Router
from banditroute.routing.catalog import Price
from banditroute.testing.local_model import LocalModelServer

PLAIN, DEAR = "plain", "dear"
PRICES = {PLAIN: Price(0.10, 0.10), DEAR: Price(1.00, 1.00)}
BUDGET_USD = 0.00002

_CONTEXT_TOKENS = 1024
_MOST_TOKENS = 40
_SLOTS = 2
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class Asked(NamedTuple):
    """A question, what came back, and what a pattern makes of it."""

    question: Question
    answer: Answer
    quality: float


def local_demo(*, requests: int, json: bool) -> None:
    """Starts the model, routes as many of the questions to it as wanted, and prints what came back.

    Raises:
        MissingLocalModelError: the packages that bring the model are not installed.
    """
    console = Console(quiet=True) if json else plain_console()
    with LocalModelServer(context_tokens=_CONTEXT_TOKENS, slots=_SLOTS) as server:
        config = write_config(new_folder(), _endpoints(server), BUDGET_USD)
        console.print(_opening(server), soft_wrap=True)
        asked = event_loop.run(_route(config, QUESTIONS[:requests], console))
    if json:
        sys.stdout.write(orjson.dumps(_to_json(asked, config), option=_JSON).decode())
    for sentence in _closing(asked):
        console.print(sentence, soft_wrap=not console.is_terminal)
    console.print(kept_in(config), soft_wrap=True)


async def _route(config: Path, questions: Sequence[Question], console: Console) -> list[Asked]:
    """Streams the answer to the first question, then asks the others, as many at once as the server works on."""
    slots = asyncio.Semaphore(_SLOTS)
    async with open_router(config) as router:
        first = await _streamed(router, questions[0], console)

        async def ask(question: Question) -> Asked:
            async with slots:
                answer = await router.chat(question.text, task=question.task, temperature=0, max_tokens=_MOST_TOKENS)
                asked = await _judged(router, question, answer)
            console.print(_line(asked), soft_wrap=True)
            return asked

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(question)) for question in questions[1:]]
    return [first, *(task.result() for task in tasks)]


async def _streamed(router: Router, question: Question, console: Console) -> Asked:
    console.print(f"{question.text} (streamed)")
    request = router.stream(question.text, task=question.task, temperature=0, max_tokens=_MOST_TOKENS)
    async with request as stream:
        async for delta in stream:
            console.print(delta.text, end="", soft_wrap=True)
        answer = stream.answer
    console.print(f"\nfirst token after {_milliseconds(answer.outcome.ttft_s or 0.0)}\n")
    asked = await _judged(router, question, answer)
    console.print(_line(asked), soft_wrap=True)
    return asked


async def _judged(router: Router, question: Question, answer: Answer) -> Asked:
    quality = question.quality(answer.text)
    await router.feedback(answer.decision_id, quality=quality)
    return Asked(question, answer, quality)


def _endpoints(server: LocalModelServer) -> list[Endpoint]:
    return [
        Endpoint(name, "local", server.base_url, server.model, price, _CONTEXT_TOKENS) for name, price in PRICES.items()
    ]


def _opening(server: LocalModelServer) -> str:
    prices = " and ".join(f"{name} at {form.money(price.input_usd_per_mtok)}" for name, price in PRICES.items())
    return (
        f"llama.cpp serves {server.model} at {server.base_url}. The router knows it under two names, {prices} "
        f"a million tokens: the same model, so the dear one is never worth it.\n"
    )


def _line(asked: Asked) -> str:
    usage, answer = asked.answer.usage, asked.answer
    tokens = f"{usage.input_tokens:>3} + {usage.output_tokens:>2} tokens" if usage else "tokens unknown"
    right = "right" if asked.quality else "wrong"
    return (
        f"{asked.question.task:<11} {answer.model:<5} {tokens} {_milliseconds(answer.latency_s):>8} {right}  "
        f"{_cut(asked.question.text, 36)} > {_cut(answer.text, 44)}"
    )


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _closing(asked: Sequence[Asked]) -> list[str]:
    right = sum(one.quality for one in asked)
    shares = ", ".join(f"{_count(asked, name)} by {name}" for name in PRICES)
    tokens = sum(usage.input_tokens + usage.output_tokens for one in asked if (usage := one.answer.usage))
    spent = sum(one.answer.cost_usd for one in asked)
    return [
        f"\n{len(asked)} answered ({shares}), {right:.0f} right as far as a pattern can tell: {form.count(tokens)} "
        f"tokens, {form.money(spent)}, {_milliseconds(median(one.answer.latency_s for one in asked))} in the middle.",
        "The model has 135 million parameters and its answers are poor: this shows that protocol, timing and books are "
        "right with a real server. What routing is worth, `banditroute demo` shows.",
    ]


def _count(asked: Sequence[Asked], model: str) -> int:
    return sum(one.answer.model == model for one in asked)


def _to_json(asked: Sequence[Asked], config: Path) -> dict[str, Any]:
    return {
        "answered": len(asked),
        "share": {name: _count(asked, name) / len(asked) for name in PRICES},
        "cost_usd": sum(one.answer.cost_usd for one in asked),
        "budget_usd": BUDGET_USD,
        "answers": [_answer_json(one) for one in asked],
        "config": str(config),
    }


def _answer_json(asked: Asked) -> dict[str, Any]:
    answer, usage = asked.answer, asked.answer.usage
    return {
        "task": asked.question.task,
        "prompt": asked.question.text,
        "model": answer.model,
        "text": answer.text,
        "quality": asked.quality,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "latency_s": answer.latency_s,
        "ttft_s": answer.outcome.ttft_s,
        "cost_usd": answer.cost_usd,
    }


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
