"""A report's charts and tables as files of their own, for papers and spreadsheets."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from banditroute.reports.charts.canvas import drawing
from banditroute.reports.files import make_directory, write_whole
from banditroute.reports.page import WIDE
from banditroute.reports.parts import Block, Chart, Fold, Report, Table
from banditroute.reports.svg import save

Value = float | str | None

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_PNG_DPI = 144  # two pixels for each CSS pixel


def save_parts(report: Report, directory: Path | str) -> tuple[Path, ...]:
    """The files written: NAME.svg, NAME.png and NAME.csv for each chart, NAME.csv for each table, light colours.

    Raises:
        InputError: the directory cannot be made or written to.
        MissingExtraError: matplotlib is not installed.
    """
    folder = Path(directory)
    make_directory(folder)
    return tuple(path for section in report.sections for path in _save(section.blocks, folder))


def save_tables(tables: Iterable[Table], directory: Path | str) -> tuple[Path, ...]:
    """The files written: NAME.csv for each table; what a spreadsheet would take for a formula stands behind a quote.

    Raises:
        InputError: the directory cannot be made or written to.
    """
    folder = Path(directory)
    make_directory(folder)
    return tuple(_save_table(table, folder / f"{table.name}.csv", plain=_harmless) for table in tables)


def _save(blocks: Iterable[Block], folder: Path) -> Iterator[Path]:
    for block in blocks:
        match block:
            case Chart():
                yield from _save_chart(block, folder)
                yield _save_table(block.data, folder / f"{block.name}.csv")
            case Table():
                yield _save_table(block, folder / f"{block.name}.csv")
            case Fold():
                yield from _save(block.blocks, folder)
            case _:
                pass  # words stay on the page


def _save_chart(chart: Chart, folder: Path) -> list[Path]:
    paths = [folder / f"{chart.name}.{kind}" for kind in ("svg", "png")]
    with drawing():
        for path, dpi in zip(paths, (72, _PNG_DPI), strict=True):
            figure = chart.draw(WIDE)
            figure.set_facecolor("white")
            write_whole(path, save(figure, path.suffix.removeprefix("."), dpi))
    return paths


def _harmless(value: Value) -> Value:
    """The value, or words that no spreadsheet calculates with: names may be anybody's."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


def _save_table(table: Table, path: Path, plain: Callable[[Value], Value] = lambda value: value) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.key for column in table.columns)
    writer.writerows([plain(cell.value) for cell in row] for row in table.rows)
    write_whole(path, text.getvalue().encode("utf-8"))
    return path
