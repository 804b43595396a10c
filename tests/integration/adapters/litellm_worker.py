"""LiteLLM's own Router with banditroute's strategy in it; prints what came of a few calls as one JSON object."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing it asks the network for prices

import litellm
from openai import OpenAIError

from banditroute import open_router
from banditroute.adapters.litellm import attach, detach
from banditroute.adapters.litellm_proxy import ProxyStrategy
from banditroute.router import Router
from banditroute.storage.protocol import Trail
from banditroute.testing.faulty_server import FaultyServer

ROOT = Path(__file__).parents[3]
LOCAL_URL = "http://127.0.0.1:8000/v1"
HELLO = [{"role": "user", "content": "hello"}]
TOML = """
[[providers]]
name = "litellm"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"

[[models]]
name = "small"
provider = "litellm"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

[[models]]
name = "large"
provider = "litellm"
input_usd_per_mtok = 10.0
output_usd_per_mtok = 20.0
context_window = 1000

[routing]
seed = 7

[store]
kind = "memory"
"""


def deployment(name: str, server: FaultyServer, **info: Any) -> dict[str, Any]:
    params = {"model": f"openai/{name}", "api_base": server.base_url, "api_key": "x"}
    return {"model_name": "auto", "litellm_params": params, "model_info": info}


def told(trail: Trail) -> dict[str, Any]:
    outcome = trail.outcome
    return {
        "chosen": trail.decision.chosen,
        "eligible": sorted(trail.decision.propensities),
        "task": trail.decision.context.task,
        "names": [trail.dispatch.request_id, trail.dispatch.session_id],
        "ok": outcome and outcome.ok,
        "usage": outcome and outcome.usage and [outcome.usage.input_tokens, outcome.usage.output_tokens],
        "cost_usd": outcome and outcome.cost_usd,
        "streamed": outcome is not None and outcome.ttft_s is not None,
    }


async def settled(router: Router, count: int) -> list[dict[str, Any]]:
    """The newest decisions, newest first, once so many are on record and none is open."""
    async with asyncio.timeout(20):
        while True:
            trails = await router.learner.store.recent(count)
            if len(trails) == count and all(trail.outcome for trail in trails):
                return [told(trail) for trail in trails]
            await asyncio.sleep(0.02)


async def calls(router: Router, lite: Any, small: FaultyServer) -> dict[str, Any]:
    results: dict[str, Any] = {}
    metadata = {"banditroute": {"task": "qa", "denied": ["large"]}, "request_id": "r-1", "session_id": "s"}
    answer = await lite.acompletion(model="auto", messages=HELLO, metadata=metadata)
    results["text"] = answer.choices[0].message.content
    results["whole"] = await settled(router, 1)
    results["judged"] = await router.feedback(request_id="r-1", quality=0.5)
    async for _ in await lite.acompletion(model="auto", messages=HELLO, stream=True, metadata={"session_id": "t"}):
        pass
    results["streamed"] = (await settled(router, 2))[0]
    small.default = "500"
    try:
        await lite.acompletion(model="auto", messages=HELLO, metadata={"banditroute": {"denied": ["large"]}})
    except OpenAIError as error:
        results["error"] = type(error).__name__
    results["failed"] = (await settled(router, 3))[0]
    small.default = "ok"
    long = [{"role": "user", "content": "word " * 4000}]
    await asyncio.sleep(1.2)  # until it is no longer cooling down
    await lite.acompletion(model="auto", messages=long)
    results["fits"] = (await settled(router, 4))[0]
    other = await lite.acompletion(model="other", messages=HELLO)
    results["others"] = [other.choices[0].message.content, len(await router.learner.store.recent(9))]
    return results


async def main() -> None:
    folder = Path(sys.argv[1])
    (folder / "router.toml").write_text(TOML)
    async with FaultyServer() as small, FaultyServer() as large, open_router(folder / "router.toml") as router:
        models = [
            deployment("small", small),
            deployment("anything", large, id="one", banditroute="large"),
            {**deployment("unknown", large), "model_name": "other"},
        ]
        lite = litellm.Router(model_list=models, num_retries=0, cooldown_time=1)
        strategy = attach(lite, router, seed=1)
        results = await calls(router, lite, small)
        results["held_usd"] = sum(a.reserved_usd for a in router.learner.ledger.accounts(0.0))
        results["under_way"] = len(strategy._under_way)
        detach(strategy)
        results["left"] = sum(each is strategy for each in litellm.logging_callback_manager.get_all_callbacks())
        results["proxy"] = await proxy(folder, models)
        results["page"] = await page(folder, small)
    json.dump(results, sys.__stdout__)


async def proxy(folder: Path, models: list[dict[str, Any]]) -> list[Any]:
    """What the callback of LiteLLM's proxy makes of its Router, as two requests and a reload come in."""
    strategy, told = ProxyStrategy(folder / "router.toml"), []
    for _ in range(2):
        lite = litellm.Router(model_list=models, num_retries=0)
        sys.modules["litellm.proxy.proxy_server"] = cast("ModuleType", SimpleNamespace(llm_router=lite))
        for _ in range(2):
            asked = {"model": "auto", "messages": HELLO}
            assert await strategy.async_pre_call_hook(None, None, asked, "completion") is asked
            await lite.acompletion(**asked)
        told.append(len(await settled(strategy.router, 2 * len(told) + 2)))
    await strategy.aclose()
    return told


async def page(folder: Path, server: FaultyServer) -> str:
    """What docs/adapters.md has LiteLLM print."""
    (folder / "configs").mkdir()
    (folder / "configs" / "router.toml").write_text((ROOT / "configs" / "router.toml").read_text())
    os.chdir(folder)
    text = (ROOT / "docs" / "adapters.md").read_text()
    [block] = [each for each in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "attach(lite" in each]
    code = compile(
        block.replace(LOCAL_URL, server.base_url), "adapters.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    with redirect_stdout(io.StringIO()) as printed:
        await eval(code, {"__name__": "__main__"})
    return printed.getvalue().strip()


asyncio.run(main())
