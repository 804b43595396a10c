"""The most that calls and their judging may cost, and what they are likely to: arithmetic on prices and lengths."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from banditroute.benching.prompts import BenchPrompt
from banditroute.config.values import JudgeConfig
from banditroute.errors import UngradableError
from banditroute.grading.judge import HEAD, TAIL, judge_request
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion, Demand
from banditroute.routing.catalog import Catalog, Model
from banditroute.routing.eligibility import worst_case_usd
from banditroute.routing.requests import demand_of, input_tokens

_MARGIN = 1.25  # token counts of prompts are estimates, good to some ten percent
_CHARACTERS = 4  # of a token
_VERDICT_TOKENS = 10


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars: what is likely, and the most; the latter infinite where nothing bounds it."""

    likely_usd: float
    most_usd: float

    def __add__(self, other: Bill) -> Bill:
        return Bill(self.likely_usd + other.likely_usd, self.most_usd + other.most_usd)


NOTHING = Bill(0.0, 0.0)


class Reckoner:
    """Reckons calls.

    Args:
        catalog: the models, judges included.
        judges: who grades answers for money.
    """

    def __init__(self, catalog: Catalog, judges: Iterable[JudgeConfig]) -> None:
        self._catalog = catalog
        self._judges = tuple(judges)

    def call(self, prompt: BenchPrompt, model: str, answer_tokens: float = 0.0) -> Bill:
        """What asking a model costs, its answer being likely to have so many tokens."""
        return _bill(self._catalog[model], prompt.request, answer_tokens)

    def judging(self, prompt: BenchPrompt, task: str, answer_tokens: float = 0.0) -> Bill:
        """What having the answer judged costs."""
        bills = (self._verdict(judge, prompt, answer_tokens) for judge in self._judges if _covers(judge, task))
        return sum(bills, NOTHING)

    def most_usd(self, prompt: BenchPrompt, task: str, model: str) -> float:
        """The most dollars that a call and its judging may cost; infinite where nothing bounds it."""
        return (self.call(prompt, model) + self.judging(prompt, task)).most_usd

    def _verdict(self, judge: JudgeConfig, prompt: BenchPrompt, answer_tokens: float) -> Bill:
        bench = judge.bench
        likely = self._one_verdict(judge, prompt, round(answer_tokens * _CHARACTERS))
        most = self._one_verdict(judge, prompt, HEAD + TAIL)
        verdict = Bill(likely.likely_usd, most.most_usd)
        if bench.baseline is None:
            return verdict
        return self.call(prompt, bench.baseline, answer_tokens) + verdict + verdict

    def _one_verdict(self, judge: JudgeConfig, prompt: BenchPrompt, characters: int) -> Bill:
        answers = 1 if judge.bench.baseline is None else 2
        text = "x" * (min(characters, HEAD + TAIL) * answers)
        item = Item("", "", prompt.request, Completion({}, "", None), prompt.expected)
        try:
            request = judge_request(item, judge.bench.rubric)
        except UngradableError:
            return NOTHING  # such a prompt cannot be shown to a judge
        longer = replace(request, messages=(*request.messages, {"role": "user", "content": text}))
        return _bill(self._catalog[judge.bench.model], longer, _VERDICT_TOKENS)


def answer_limit(model: Model, request: ChatRequest) -> float:
    """The most tokens that an answer can have by what request and catalog say; infinite where neither says."""
    asked = demand_of(request, 0).max_output_tokens
    written = model.capabilities.max_output_tokens
    return min(math.inf if asked is None else asked, math.inf if written is None else written)


def _bill(model: Model, request: ChatRequest, answer_tokens: float) -> Bill:
    tokens = input_tokens(request)
    demand = demand_of(request, tokens)
    likely = min(answer_tokens, answer_limit(model, request)) * demand.answers
    return Bill(model.price.estimate_usd(tokens, likely), _worst_usd(model, demand))


def _worst_usd(model: Model, demand: Demand) -> float:
    """The worst case of a prompt that may be longer than it is taken to be, and no longer than the model's window."""
    window, tokens = model.capabilities.context_window, math.ceil(demand.input_tokens * _MARGIN)
    if window is not None:
        tokens = max(min(tokens, window), demand.input_tokens)
    return worst_case_usd(model, replace(demand, input_tokens=tokens))


def _covers(judge: JudgeConfig, task: str) -> bool:
    return not judge.tasks or task in judge.tasks
