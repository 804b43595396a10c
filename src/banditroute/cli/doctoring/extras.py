"""Which optional parts are installed."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, requires

from banditroute._version import __version__
from banditroute.cli.doctoring.lines import Line, State

_EXTRA = re.compile(r"(?P<package>[\w.-]+).*\bextra == ['\"](?P<extra>[\w-]+)['\"]")
_OURS = "banditroute"
_ALL = "all"


def extra_lines() -> Iterator[Line]:
    """One line: those that are there, and those that are not."""
    installed = {extra: all(map(_is_installed, packages)) for extra, packages in _extras().items()}
    there = ", ".join(extra for extra, yes in installed.items() if yes) or "none"
    absent = ", ".join(extra for extra, yes in installed.items() if not yes)
    yield Line(
        State.ok, "extras", f"version {__version__} with {there}{f'; not installed: {absent}' if absent else ''}"
    )


def _extras() -> dict[str, list[str]]:
    """The packages of each extra, as the installed package declares them."""
    extras: dict[str, list[str]] = {}
    for requirement in _requirements():
        match = _EXTRA.match(requirement)
        if match is not None and match["package"] != _OURS and match["extra"] != _ALL:
            extras.setdefault(match["extra"], []).append(match["package"])
    return extras


def _requirements() -> list[str]:
    try:
        return requires(_OURS) or []
    except PackageNotFoundError:  # run from a folder of sources
        return []


def _is_installed(package: str) -> bool:
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
