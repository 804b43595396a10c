"""LiteLLM as it is. Each line of standard input is a call, each line of standard output what came of it."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

LOOPBACK = ("127.0.0.1", "::1", "localhost")

answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # LiteLLM prints hints where a call fails
strayed: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Takes note of connections and names that leave this machine."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in LOOPBACK:
        strayed.append(str(host))


sys.addaudithook(watch)
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing it asks the network for prices

import litellm  # noqa: E402 - watched from the first
from openai import OpenAIError  # noqa: E402


async def answer(method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a call: a value, or the chunks of a stream, and the error that ended it."""
    told: dict[str, Any] = {"chunks": []}
    try:
        result = getattr(litellm, method)(**arguments)
        result = await result if inspect.isawaitable(result) else result
        if not arguments.get("stream"):
            told["value"] = result.model_dump()
        elif method.startswith("a"):
            async for chunk in result:
                told["chunks"].append(chunk.model_dump())
        else:
            for chunk in result:
                told["chunks"].append(chunk.model_dump())
    except OpenAIError as error:  # the root of LiteLLM's own
        told["error"] = described(error)
    return told


def described(error: OpenAIError) -> dict[str, Any]:
    """Its classes, nearest first, and what it says."""
    response = getattr(error, "response", None)
    return {
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "status": getattr(error, "status_code", None),
        "message": str(error),
        "retryAfter": response.headers.get("retry-after") if response is not None else None,
    }


async def main() -> None:
    for line in sys.stdin:
        call = json.loads(line)
        told = {"value": strayed} if call["method"] == "strayed" else await answer(call["method"], call["arguments"])
        answers.write(json.dumps(told, default=str) + "\n")
        answers.flush()


asyncio.run(main())
