"""The page's own files, which everybody may read: they hold nothing of the router."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

from banditroute.gateway.calls import Call
from banditroute.gateway.refusals import refused
from banditroute.reports.theme import MOST_MODELS, dark_variables, light_variables

PAGE = "page.html"
COLOURS = "colours.css"
LOOK = "report.css"
"""The look of reports, which the page shares."""

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Served(NamedTuple):
    """A file as it is sent."""

    body: bytes
    content_type: str
    etag: str


async def page(call: Call) -> web.StreamResponse:
    """The page."""
    return _sent(call, assets()[PAGE])


async def asset(call: Call) -> web.StreamResponse:
    """One of its files.

    Raises:
        RefusedError: there is none of that name.
    """
    name = call.request.match_info["name"]
    served = assets().get(name)
    if served is None:
        raise refused(404, f"the dashboard has no file {name[:80]!r}", "not_found")
    return _sent(call, served)


@cache
def assets() -> Mapping[str, Served]:
    """Every file by its name; read once, at the first look at the page."""
    folder = files("banditroute.gateway.dashboard") / "assets"
    found = {each.name: each.read_bytes() for each in folder.iterdir() if each.name.rpartition(".")[2] in _TYPES}
    found[COLOURS] = _colours().encode()
    found[LOOK] = (files("banditroute.reports") / "templates" / "report.css").read_bytes()
    return {name: _served(name, body) for name, body in found.items()}


def _served(name: str, body: bytes) -> Served:
    return Served(body, _TYPES[name.rpartition(".")[2]], f'"{hashlib.sha256(body).hexdigest()[:20]}"')


def _sent(call: Call, served: Served) -> web.Response:
    call.headers.update(_HEADERS)
    call.headers["ETag"] = served.etag
    if call.request.headers.get("If-None-Match") == served.etag:
        return web.Response(status=304, headers=call.headers)
    return call.answer_bytes(served.body, content_type=served.content_type)


def _colours() -> str:
    """The colours of reports, in the reader's theme unless the page has been told another."""
    light, dark = _declared(light_variables(), "light"), _declared(dark_variables(), "dark")
    return (
        f":root {{ {light} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f':root[data-theme="dark"] {{ {dark} }}\n'
        + "".join(f".m{n} {{ --of-model: var(--m{n}); }}\n" for n in range(MOST_MODELS))
    )


def _declared(colours: Mapping[str, str], scheme: str) -> str:
    return "".join(f"--{name}: {colour}; " for name, colour in colours.items()) + f"color-scheme: {scheme};"
