"""What a command writes beside what it prints: its report, and the charts and tables of it as files of their own."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from banditroute.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from banditroute.reports import Report as Parts

Report = Annotated[Path | None, typer.Option(metavar="OUT.html", help="Also write a report, one self-contained page.")]
"""`--report OUT.html`, for a command's signature; `arguments.check_report` checks it."""

Export = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Also write the report's charts and tables: SVG, PNG, CSV.")
]
"""`--export DIR` likewise."""


def check_export(directory: Path | None) -> None:
    """Raises unless files can be put there: better now than after the long work.

    Raises:
        InputError: it is no directory, or none that can be made or written to.
        MissingExtraError: what draws charts is not installed.
    """
    if directory is None:
        return
    if find_spec("matplotlib") is None:
        raise MissingExtraError("drawing charts", "plots")
    there = next(place for place in (directory, *directory.absolute().parents) if place.exists())
    if not there.is_dir():
        raise InputError(f"{there} is a file", remedy="name a directory, such as charts", field="--export")
    if not os.access(there, os.W_OK):
        raise InputError(f"{there} cannot be written to", remedy="choose another place", field="--export")


def write_export(report: "Parts", directory: Path, *, quiet: bool) -> None:
    """Writes charts and tables, and says where unless it is to be quiet.

    Raises:
        InputError: the directory cannot be made or written to.
    """
    from banditroute.cli.tables import listing_console
    from banditroute.reports import save_parts

    save_parts(report, directory)
    if not quiet:
        listing_console().print(f"charts and tables: {directory}", soft_wrap=True)
