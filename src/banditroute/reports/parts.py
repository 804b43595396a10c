"""The parts of a report: a title, sections and a few kinds of block, as typed values that know nothing of drawing.

A block is anything with a `template`: the name of the file under `templates/` that shows it as `block`. A new kind of
block is a dataclass here and a template there; nothing else changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[float], "Figure"]
"""Draws a chart for a width in CSS pixels; it is called once for wide screens and paper and once for phones."""


class Block(Protocol):
    """Something a section shows."""

    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell.

    Attributes:
        text: as shown.
        value: as exported; None where there is nothing.
        strong: emphasised; the table's caption says what that means.
        shade: 0..1, how strongly the cell is filled; None = not at all.
        detail: a second, quieter line.
    """

    text: str
    value: float | str | None
    strong: bool = False
    shade: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One table column.

    Attributes:
        key: its name in an exported file.
        label: its heading.
        cells: top to bottom.
        numeric: whether it is set right-aligned.
    """

    key: str
    label: str
    cells: tuple[Cell, ...]
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; the first one names the rows.

    Attributes:
        name: anchor on the page and stem of the exported file.
        caption: what it shows and what emphasis means.
        columns: left to right.
        breaks: rows above which a rule is drawn, to group them.
    """

    template: ClassVar[str] = "table.html"

    name: str
    caption: str
    columns: tuple[Column, ...]
    breaks: frozenset[int] = frozenset()

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The cells row by row."""
        return tuple(zip(*(column.cells for column in self.columns), strict=True))

    @property
    def shaded(self) -> bool:
        """Whether any cell is filled."""
        return any(cell.shade is not None for column in self.columns for cell in column.cells)


def breaks(groups: Sequence[object]) -> frozenset[int]:
    """The rows at which the group that a row belongs to changes."""
    return frozenset(n for n in range(1, len(groups)) if groups[n] != groups[n - 1])


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, and the same in words and numbers for those who can't see it.

    Attributes:
        name: anchor on the page and stem of the exported files.
        title: what is drawn, short.
        description: what it shows, in a sentence or two, read out in place of the drawing.
        draw: makes the drawing.
        data: every number in it.
        caption: how to read it.
    """

    template: ClassVar[str] = "chart.html"

    name: str
    title: str
    description: str
    draw: Draw
    data: Table
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One telling number: what it is, the number, and a line of context."""

    label: str
    value: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Cards:
    """A row of telling numbers."""

    template: ClassVar[str] = "cards.html"

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A plain sentence that must not be overlooked."""

    template: ClassVar[str] = "note.html"

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of plain sentences."""

    template: ClassVar[str] = "bullets.html"

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy into a file, as they are."""

    template: ClassVar[str] = "code.html"

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means here."""

    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A list of definitions."""

    template: ClassVar[str] = "terms.html"

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks behind a line that opens and closes them."""

    template: ClassVar[str] = "fold.html"

    label: str
    blocks: tuple[Block, ...]
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, what the section is about, and its blocks.

    Attributes:
        name: anchor on the page.
        title: its heading.
        intro: a short paragraph; may be empty.
        blocks: top to bottom.
    """

    name: str
    title: str
    intro: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole page.

    Attributes:
        title: its heading.
        subtitle: what it is made from, in one line.
        summary: the finding, in one sentence.
        sections: top to bottom.
    """

    title: str
    subtitle: str
    summary: str
    sections: tuple[Section, ...]
