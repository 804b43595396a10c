"""A headless Chromium, driven by its own protocol over a WebSocket: for tests of pages, and for pictures of them.

    async with Browser() as browser:
        page = await browser.page(width=360, dark=True)
        await page.open("http://127.0.0.1:8080/dashboard")
        assert await page.value("document.title")

It needs the system's chromium and no package.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

from banditroute.errors import BanditrouteError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # containers' root has no user namespaces; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
_START_S = 30.0
_ANSWER_S = 30.0
_LOOK_EVERY_S = 0.05
_MOST_BYTES = 64 * 2**20
_PLACE = """(() => {
  const { x, y, width, height } = document.querySelector(SELECTOR).getBoundingClientRect();
  return [x + scrollX, y + scrollY, width, height];
})()"""
_MIDDLE = """(() => {
  const element = document.querySelector(SELECTOR);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
})()"""


class BrowserError(BanditrouteError):
    """The browser, or what ran in its page, failed: why."""


def missing_browser() -> str:
    """What is missing for a browser to start, as words; empty where it may. For skipping a test, say why."""
    return "" if _executable() else f"no {', '.join(_NAMES)}; apt-get install chromium"


class Browser:
    """A browser of its own profile; it ends with the context."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._replies: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._listeners: dict[str, Callable[[str, Mapping[str, Any]], None]] = {}
        self._socket: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        try:
            profile = Path(self._stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            process = await asyncio.create_subprocess_exec(
                _executable() or "chromium",
                *_ARGUMENTS,
                f"--user-data-dir={profile}",
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            self._stack.push_async_callback(_end, process)
            session = await self._stack.enter_async_context(aiohttp.ClientSession())
            url = await _address(profile / "DevToolsActivePort")
            self._socket = await self._stack.enter_async_context(session.ws_connect(url, max_msg_size=_MOST_BYTES))
            reading = asyncio.create_task(self._read())
            self._stack.push_async_callback(_cancel, reading)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def page(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> Page:
        """A new page of a size in CSS pixels, for a reader who likes it light or dark."""
        target = await self.tell("Target.createTarget", url="about:blank")
        attached = await self.tell("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        self._listeners[attached["sessionId"]] = page.hear
        for domain in ("Page", "Runtime", "Log"):
            await page.tell(f"{domain}.enable")
        await page.resize(width, height)
        await page.prefer(dark=dark)
        return page

    async def tell(self, method: str, session: str | None = None, **params: Any) -> Mapping[str, Any]:
        """What the browser answers to a command of its protocol.

        Raises:
            BrowserError: it refuses, or does not answer.
        """
        number = len(self._replies) + 1
        self._replies[number] = reply = asyncio.get_running_loop().create_future()
        order = {"id": number, "method": method, "params": params}
        await self._socket.send_json(order if session is None else {**order, "sessionId": session})
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await reply
        except TimeoutError:
            raise BrowserError(f"the browser did not answer {method}") from None
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._replies[told["id"]].set_result(told)
            elif told.get("sessionId") in self._listeners:
                self._listeners[told["sessionId"]](told["method"], told["params"])


class Page:
    """One page.

    Attributes:
        complaints: errors and warnings of its console, refused requests among them, and what was thrown in it.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.complaints: list[str] = []

    async def tell(self, method: str, **params: Any) -> Mapping[str, Any]:
        """What the page answers to a command of the browser's protocol."""
        return await self._browser.tell(method, self._session, **params)

    def hear(self, method: str, params: Mapping[str, Any]) -> None:
        """Takes note of what the page complains about."""
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(each.get("value", each.get("description"))) for each in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}".strip())

    async def resize(self, width: int, height: int) -> None:
        """Gives it another size, in CSS pixels; as narrow as a phone, it is one."""
        await self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    async def prefer(self, *, dark: bool) -> None:
        """Has its reader like light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.tell("Emulation.setEmulatedMedia", features=[scheme])

    async def open(self, url: str) -> None:
        """Goes there; returns once it is loaded, scripts and all."""
        failed = (await self.tell("Page.navigate", url=url)).get("errorText")
        if failed:
            raise BrowserError(f"{url}: {failed}")
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to, as JSON can hold it; promises are waited for.

        Raises:
            BrowserError: it throws.
        """
        found = await self.tell("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise BrowserError(str(details.get("exception", {}).get("description", details["text"])))
        return found["result"].get("value")

    async def until(self, expression: str, within_s: float = 20.0) -> Any:
        """What an expression comes to, once that is anything true; of an element, just that it is there.

        Raises:
            BrowserError: it is not within so many seconds.
        """
        plain = f"((found) => found instanceof Node ? true : found)({expression})"
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (value := await self.value(plain)):
                    await asyncio.sleep(_LOOK_EVERY_S)
                return value
        raise BrowserError(f"not so within {within_s:g} s: {expression}")

    async def click(self, selector: str) -> None:
        """Clicks in the middle of what a selector finds, with the mouse."""
        place = await self.value(_MIDDLE.replace("SELECTOR", json.dumps(selector)))
        for kind in ("mousePressed", "mouseReleased"):
            await self.tell("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    async def press(self, key: str, code: int) -> None:
        """Presses a key by its name and Windows' number for it: Tab 9, Enter 13, Escape 27."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.tell("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    async def type(self, text: str) -> None:
        """Types into what has the focus."""
        await self.tell("Input.insertText", text=text)

    async def picture(self, of: str | None = None, *, most_px: int = 6_000, margin_px: int = 0) -> bytes:
        """A PNG of what is to be seen, or of all that a selector finds, to so many pixels of its height."""
        params: dict[str, Any] = {"format": "png"}
        if of is not None:
            x, y, width, height = await self.value(_PLACE.replace("SELECTOR", json.dumps(of)))
            clip = {
                "x": x - margin_px,
                "y": y,
                "width": width + 2 * margin_px,
                "height": min(height, most_px),
                "scale": 1,
            }
            params |= {"clip": clip, "captureBeyondViewport": True}
        return base64.b64decode((await self.tell("Page.captureScreenshot", **params))["data"])


def _executable() -> str | None:
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


async def _address(file: Path) -> str:
    """Where the browser listens, which it writes into a file once it does."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_S):
            while True:
                if file.exists() and len(lines := file.read_text(encoding="utf-8").split()) == 2:
                    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
                await asyncio.sleep(_LOOK_EVERY_S)
    raise BrowserError("the browser did not start")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(5.0):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
