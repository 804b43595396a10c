"""Writes what was measured into the part of a page of docs/ that is marked for it."""

from __future__ import annotations

import os
import platform
import time
from datetime import date
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def write_part(page: str, part: str, text: str) -> None:
    """Puts the text between <!-- part --> and <!-- /part --> of a page; where there is no such page, nowhere."""
    path = DOCS / page
    if path.is_file():
        first, last = f"<!-- {part} -->", f"<!-- /{part} -->"
        before, rest = path.read_text(encoding="utf-8").split(first)
        after = rest.split(last)[1]
        path.write_text(f"{before}{first}\n{text}\n{last}{after}", encoding="utf-8")


def footnote(started: float, script: str) -> str:
    """When, how long and with what it was measured, and by which script; `started` is of `time.perf_counter`."""
    return (
        f"Measured on {date.today():%Y-%m-%d} in {time.perf_counter() - started:.0f} s, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, by `python simulations/{Path(script).name}`"
    )
