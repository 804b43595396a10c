"""Reports: one self-contained page for people, from typed parts that any result can fill.

The public names load on first use (PEP 562), for a gateway writes its numbers as reports do and has no other use for
them. Neither matplotlib nor jinja2 is loaded before something is rendered.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from banditroute.reports import columns as columns
    from banditroute.reports.export import save_parts as save_parts
    from banditroute.reports.headlines import headline as headline
    from banditroute.reports.page import render as render
    from banditroute.reports.page import write_report as write_report
    from banditroute.reports.parts import Block as Block
    from banditroute.reports.parts import Bullets as Bullets
    from banditroute.reports.parts import Card as Card
    from banditroute.reports.parts import Cards as Cards
    from banditroute.reports.parts import Cell as Cell
    from banditroute.reports.parts import Chart as Chart
    from banditroute.reports.parts import Code as Code
    from banditroute.reports.parts import Column as Column
    from banditroute.reports.parts import Fold as Fold
    from banditroute.reports.parts import Note as Note
    from banditroute.reports.parts import Report as Report
    from banditroute.reports.parts import Section as Section
    from banditroute.reports.parts import Table as Table
    from banditroute.reports.parts import Term as Term
    from banditroute.reports.parts import Terms as Terms
    from banditroute.reports.simulation import save_figures as save_figures
    from banditroute.reports.simulation import simulation_report as simulation_report
    from banditroute.reports.simulation import write_simulation_report as write_simulation_report

_HOME = {
    "Block": "parts",
    "Bullets": "parts",
    "Card": "parts",
    "Cards": "parts",
    "Cell": "parts",
    "Chart": "parts",
    "Code": "parts",
    "Column": "parts",
    "Fold": "parts",
    "Note": "parts",
    "Report": "parts",
    "Section": "parts",
    "Table": "parts",
    "Term": "parts",
    "Terms": "parts",
    "headline": "headlines",
    "render": "page",
    "save_figures": "simulation",
    "save_parts": "export",
    "simulation_report": "simulation",
    "write_report": "page",
    "write_simulation_report": "simulation",
}

__all__ = [
    "Block",
    "Bullets",
    "Card",
    "Cards",
    "Cell",
    "Chart",
    "Code",
    "Column",
    "Fold",
    "Note",
    "Report",
    "Section",
    "Table",
    "Term",
    "Terms",
    "columns",
    "headline",
    "render",
    "save_figures",
    "save_parts",
    "simulation_report",
    "write_report",
    "write_simulation_report",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
