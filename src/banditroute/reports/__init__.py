"""Reports: one self-contained page for people, from typed parts that any result can fill.

Importing this package loads neither matplotlib nor jinja2; rendering does.
"""

from banditroute.reports import columns
from banditroute.reports.export import save_parts
from banditroute.reports.headline import headline
from banditroute.reports.page import render, write_report
from banditroute.reports.parts import (
    Block,
    Bullets,
    Card,
    Cards,
    Cell,
    Chart,
    Code,
    Column,
    Fold,
    Note,
    Report,
    Section,
    Table,
    Term,
    Terms,
)
from banditroute.reports.simulation import save_figures, simulation_report, write_simulation_report

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
