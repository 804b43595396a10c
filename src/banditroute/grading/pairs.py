"""Comparing an answer with a baseline's, in both orders, for judges favour whatever stands first.

Source: Zheng et al. (2023), Judging LLM-as-a-judge with MT-Bench and Chatbot Arena, section 3.4: a judge that changes
its mind with the order has not found a difference.
"""

from __future__ import annotations

from typing import cast

from banditroute.errors import UngradableError
from banditroute.records import ChatRequest, Json

from .judge import Rubric, asked, read
from .protocol import Item

_FORM = '{"better": "A"}, {"better": "B"}, or {"better": "tie"} where neither is better.'
_WORTH = {"A": 1.0, "tie": 0.5, "B": 0.0}


def pair_requests(item: Item, baseline: str, rubric: Rubric) -> tuple[ChatRequest, ChatRequest]:
    """What a judge is asked: the answer as A and the baseline's as B, and then the other way round.

    Raises:
        UngradableError: they cannot be written as JSON.
    """
    answer = item.completion.text
    first = asked(rubric, _FORM, {"A": answer, "B": baseline}, item)
    return first, asked(rubric, _FORM, {"A": baseline, "B": answer}, item)


def pair_verdict(first: str, swapped: str) -> float:
    """The quality that two replies amount to: 1 where the answer won both times, 0 where it lost both, .5 for a tie.

    Raises:
        UngradableError: a reply names neither.
    """
    return (_worth_of_a(first) + 1.0 - _worth_of_a(swapped)) / 2


def _worth_of_a(reply: str) -> float:
    found = read(reply)
    better: object = cast("Json", found).get("better") if isinstance(found, dict) else found
    if not isinstance(better, str) or better not in _WORTH:
        raise UngradableError("the judge's reply names none of A, B and tie")
    return _WORTH[better]
