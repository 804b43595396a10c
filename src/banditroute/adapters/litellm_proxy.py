"""LiteLLM's proxy: a callback that opens a router and attaches itself to the proxy's Router with the first request."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from banditroute.adapters.litellm import CustomLogger, LiteLLMRouter, Strategy, attach, detach
from banditroute.assemble import open_router
from banditroute.config import RouterConfig
from banditroute.router import Router

_SERVER = "litellm.proxy.proxy_server"


class ProxyStrategy(CustomLogger):
    """Name it in the proxy's `litellm_settings.callbacks`; from the first request on the router chooses.

    A Router that the proxy makes anew, as when its configuration is reloaded, is attached to as well.

    Args:
        config: the path of a router.toml, or what `load_config` made of one.
        environ: where its keys are; None = the process's environment.
    """

    def __init__(self, config: str | Path | RouterConfig, *, environ: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._config = config
        self._environ = environ
        self._opening = asyncio.Lock()
        self._attached: LiteLLMRouter | None = None
        self._strategy: Strategy | None = None
        self._former: Strategy | None = None  # whose last calls may be on their way
        self.router: Router | None = None

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: Any, call_type: Any) -> Any:  # noqa: ARG002
        """The request as it is, once the router is at work."""
        lite: LiteLLMRouter | None = getattr(sys.modules.get(_SERVER), "llm_router", None)
        if lite is not None and lite is not self._attached:
            async with self._opening:
                await self._attach(lite)
        return data

    async def aclose(self) -> None:
        """Closes the router; a second call does nothing."""
        if self.router is not None:
            await self.router.aclose()

    async def _attach(self, lite: LiteLLMRouter) -> None:
        if lite is self._attached:
            return
        if self.router is None:
            self.router = await open_router(self._config, environ=self._environ).__aenter__()
        if self._former is not None:
            detach(self._former)
        self._former, self._strategy = self._strategy, attach(lite, self.router)
        self._attached = lite
