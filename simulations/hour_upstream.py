"""What models do in the hour of traffic: answer, stream, call tools and embed; and now and then be slow or fail."""

from __future__ import annotations

import asyncio
import random

from banditroute.testing.faults import FAULTS
from banditroute.testing.faulty_exchange import DONE, ROLE, STOP, Exchange, chunk, completion, data_frame, frame

WORDS = ("the", "model", "that", "is", "worth", "its", "money", "answers", "at", "once", "and", "says", "no", "more")
TROUBLE = (
    ("500", 0.004),
    ("429-ms", 0.004),
    ("503", 0.002),
    ("529", 0.001),
    ("garbage", 0.001),
    ("close-on-request", 0.002),
    ("cut-before-token", 0.001),
    ("cut-after-token", 0.002),
    ("error-event-before-token", 0.001),
    ("context-overflow", 0.001),
    ("hang-before-head", 0.0002),
    ("stall-between-tokens", 0.0002),
)
SLOW, SLOW_S = 0.02, 0.5
CALLS = 0.7  # of the requests that offer tools


class Upstream:
    """A server's answers; drawn anew each time.

    Args:
        seed: of what is drawn.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._names, self._shares = zip(*TROUBLE, strict=True)
        self._trouble = sum(self._shares)

    async def __call__(self, exchange: Exchange) -> None:
        rng = self._rng
        if rng.random() < self._trouble:
            (name,) = rng.choices(self._names, self._shares)
            return await FAULTS[name](exchange)
        if rng.random() < SLOW:
            await asyncio.sleep(rng.expovariate(1.0 / SLOW_S))
        if "input" in exchange.body:
            self._embed(exchange)
        elif exchange.stream:
            await self._stream(exchange)
        else:
            self._answer(exchange)
        return None

    def _embed(self, exchange: Exchange) -> None:
        rows = [{"object": "embedding", "index": 0, "embedding": [self._rng.random() for _ in range(64)]}]
        usage = {"prompt_tokens": 12, "total_tokens": 12}
        exchange.reply(200, {"object": "list", "data": rows, "model": "upstream", "usage": usage})

    def _answer(self, exchange: Exchange) -> None:
        if exchange.body.get("tools") and self._rng.random() < CALLS:
            call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"what":"it"}'}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            exchange.reply(200, completion(choices=[choice], usage=self._usage(exchange, 20)))
            return
        words = self._words()
        choice = {"index": 0, "message": {"role": "assistant", "content": " ".join(words)}, "finish_reason": "stop"}
        exchange.reply(200, completion(choices=[choice], usage=self._usage(exchange, len(words))))

    async def _stream(self, exchange: Exchange) -> None:
        words = self._words()
        exchange.begin_stream()
        exchange.piece(ROLE)
        for first in range(0, len(words), 4):
            exchange.piece(frame({"content": " ".join(words[first : first + 4])}))
            await asyncio.sleep(0)
        usage = data_frame(chunk(choices=[], usage=self._usage(exchange, len(words))))
        exchange.piece(b"".join((STOP, usage, DONE)))
        exchange.end_stream()

    def _words(self) -> list[str]:
        return self._rng.choices(WORDS, k=min(1 + int(self._rng.expovariate(1 / 30)), 200))

    def _usage(self, exchange: Exchange, answer_tokens: int) -> dict[str, int]:
        prompt = sum(len(str(message.get("content"))) for message in exchange.body["messages"]) // 4 + 4
        total = prompt + answer_tokens
        return {"prompt_tokens": prompt, "completion_tokens": answer_tokens, "total_tokens": total}
