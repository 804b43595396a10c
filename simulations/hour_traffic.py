"""Those who ask in the hour of traffic, and who judge a share of what they get.

They chat, stream, leave streams, offer tools, speak both protocols, embed, and now and then ask what is wrong.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from hour_upstream import WORDS

KEYS: Mapping[str, str] = {"web": "key-of-web", "batch": "key-of-batch", "trial": "key-of-trial"}
ADMIN_KEY = "key-of-ops"
CALLERS, SHARES = tuple(KEYS), (0.6, 0.37, 0.03)
LOOK_UP = {"type": "object", "properties": {"what": {"type": "string"}}}
JUDGED, JUDGED_AGAIN, ASKED_WHY, NEW_CONNECTION = 0.3, 0.02, 0.01, 0.01
NEW_CONVERSATION = 0.15
CLASS_NAMED, CLASSES = 0.2, 12  # beside those that the router finds by itself
LEFT_AFTER_BYTES = 400
ID = "x-banditroute-decision-id"


@dataclass(slots=True)
class Heard:
    """What the gateway acknowledged.

    Attributes:
        answers: by HTTP status; 0 = it hung up.
        served: decisions whose answer came whole.
        judged: decisions whose judgement was taken in.
    """

    answers: Counter[int] = field(default_factory=Counter)
    served: list[str] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)


class Traffic:
    """Asks, so many at once.

    Args:
        url: the gateway's.
        seed: of what is drawn.

    Attributes:
        heard: what it acknowledged.
        sent: requests, so far.
    """

    def __init__(self, url: str, seed: int) -> None:
        self.heard = Heard()
        self.sent = 0
        self._url = url
        self._rng = random.Random(seed)
        self._conversation = 0
        self._kinds: Sequence[tuple[Callable[[], tuple[str, dict[str, Any]]], float]] = (
            (self._chat, 0.50),
            (self._stream, 0.22),
            (self._left, 0.02),
            (self._tools, 0.08),
            (self._message, 0.08),
            (self._embedding, 0.04),
            (self._pinned, 0.04),
            (self._wrong, 0.02),
        )

    async def run(self, requests: int, at_once: int) -> None:
        """Sends so many requests, and what belongs to them."""
        numbers = iter(range(requests))
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self._ask_all(session, numbers))

    async def _ask_all(self, session: aiohttp.ClientSession, numbers: Iterator[int]) -> None:
        kinds, shares = zip(*self._kinds, strict=True)
        for _ in numbers:
            self.sent += 1
            (kind,), (caller,) = self._rng.choices(kinds, shares), self._rng.choices(CALLERS, SHARES)
            path, body = kind()
            headers = {"authorization": f"Bearer {KEYS[caller]}"}
            if self._rng.random() < NEW_CONNECTION:
                headers["connection"] = "close"
            served = await self._ask(session, path, body, headers, leave=kind == self._left)
            if served:
                await self._judge(session, served, {"authorization": headers["authorization"]})

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        path: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        leave: bool,
    ) -> str:
        """The decision, where an answer came whole."""
        try:
            async with session.post(self._url + path, data=orjson.dumps(body), headers=headers) as response:
                self.heard.answers[response.status] += 1
                if leave:
                    await response.content.read(LEFT_AFTER_BYTES)
                    response.close()
                    return ""
                whole = await response.read()
        except aiohttp.ClientError:
            self.heard.answers[0] += 1
            return ""
        if response.status != 200 or (body.get("stream") and b'"error"' in whole):
            return ""
        self.heard.served.append(response.headers[ID])
        return response.headers[ID]

    async def _judge(self, session: aiohttp.ClientSession, decision_id: str, headers: Mapping[str, str]) -> None:
        rng = self._rng
        if rng.random() < JUDGED:
            judgement: dict[str, Any] = {"decision_id": decision_id, "quality": round(rng.betavariate(4, 2), 3)}
            if rng.random() < 0.2:
                judgement = {"decision_id": decision_id, "signal": {"kind": "thumb", "up": rng.random() < 0.7}}
            if rng.random() < 0.5:
                judgement["source"] = f"user-{rng.randrange(10**6)}"
            for _ in range(1 + (rng.random() < JUDGED_AGAIN)):
                async with session.post(f"{self._url}/v1/feedback", json=judgement, headers=headers) as response:
                    told = await response.json()
                    if told.get("recorded"):
                        self.heard.judged.append(decision_id)
        if rng.random() < ASKED_WHY:
            async with session.get(f"{self._url}/v1/decisions/{decision_id}", headers=headers) as response:
                await response.read()

    def _chat(self) -> tuple[str, dict[str, Any]]:
        if self._rng.random() < NEW_CONVERSATION:
            self._conversation += 1
        named = f"auto:class-{self._rng.randrange(CLASSES)}" if self._rng.random() < CLASS_NAMED else "auto"
        body: dict[str, Any] = {"model": named, "messages": self._messages(), "temperature": 0.3}
        body["banditroute"] = {"session_id": f"conversation-{self._conversation}"}
        if self._rng.random() < 0.5:
            body["max_tokens"] = 300
        return "/v1/chat/completions", body

    def _stream(self) -> tuple[str, dict[str, Any]]:
        path, body = self._chat()
        body["stream"] = True
        if self._rng.random() < 0.5:
            body["stream_options"] = {"include_usage": True}
        return path, body

    def _left(self) -> tuple[str, dict[str, Any]]:
        return self._stream()

    def _tools(self) -> tuple[str, dict[str, Any]]:
        path, body = self._chat()
        body["tools"] = [{"type": "function", "function": {"name": "look_up", "parameters": LOOK_UP}}]
        return path, body

    def _message(self) -> tuple[str, dict[str, Any]]:
        body = {"model": "auto", "messages": self._messages(), "max_tokens": 300, "stream": self._rng.random() < 0.5}
        return "/v1/messages", body

    def _embedding(self) -> tuple[str, dict[str, Any]]:
        return "/v1/embeddings", {"model": "vectors", "input": self._text()}

    def _pinned(self) -> tuple[str, dict[str, Any]]:
        path, body = self._chat()
        return path, {**body, "model": "large"}

    def _wrong(self) -> tuple[str, dict[str, Any]]:
        path, body = self._chat()
        return path, self._rng.choice(({**body, "model": "larg"}, {**body, "messages": []}, {**body, "max_tokens": -1}))

    def _messages(self) -> list[dict[str, str]]:
        system = [{"role": "system", "content": "You are brief."}] if self._rng.random() < 0.5 else []
        return [*system, {"role": "user", "content": self._text()}]

    def _text(self) -> str:
        words = self._rng.choices(WORDS, k=min(5 + int(self._rng.expovariate(1 / 40)), 400))
        ask = self._rng.choice(("Translate: ", "Write a function that sorts. ", "What is 17 * 23? ", "Summarize: ", ""))
        return f"{ask}{' '.join(words)} ({self._rng.randrange(10**9)})"
