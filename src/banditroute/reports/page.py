"""From a report to one self-contained HTML page: no scripts, no fonts or images to fetch, light and dark, printable."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from banditroute.errors import MissingExtraError
from banditroute.reports.files import write_whole
from banditroute.reports.svg import inline_svg
from banditroute.reports.theme import dark_variables, light_variables

if TYPE_CHECKING:
    from jinja2 import Environment

    from banditroute.reports.parts import Chart, Report

WIDE = 904.0
NARROW = 354.0


def render(report: Report) -> str:
    """The page as HTML text, the same for the same report.

    Raises:
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    page = _environment().get_template("page.html")
    style = _template("report.css")
    return page.render(report=report, light=light_variables(), dark=dark_variables(), style=style, svg=_svg)


def write_report(report: Report, path: Path | str) -> None:
    """Writes the page to a file, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_whole(Path(path), render(report).encode("utf-8"))


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as absent:
        raise MissingExtraError("the HTML report", "plots") from absent
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(_template),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> str:
    return files("banditroute.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _svg(chart: Chart, layout: str) -> str:
    """The chart as inline SVG; `layout` is "wide" or "narrow"."""
    from markupsafe import Markup

    width = WIDE if layout == "wide" else NARROW
    return Markup(inline_svg(chart.draw, width, f"{chart.name}-{layout}", chart.title, chart.description))
