"""Tables: columns that keep their places and names, as plain text for pipes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import List, Sequence


@dataclass
class Table:
    """Rows of words under the names of their columns."""

    columns: Sequence[str]
    rows: List[Sequence[str]] = field(default_factory=list)
    #: Columns of numbers, which stand at the right.
    numbers: Sequence[str] = ()

    def add(self, *cells: str) -> None:
        """Adds a row."""
        assert len(cells) == len(self.columns), "a cell for each column"
        self.rows.append(cells)


def plain(table: Table) -> str:
    """The table as text: as wide as it needs, two spaces between columns, nothing at the end of a line."""
    lines = [[printable(cell) for cell in line] for line in [table.columns, *table.rows]]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(table.columns))]
    text = []
    for line in lines:
        cells = []
        for name, cell, width in zip(table.columns, line, widths):
            padding = " " * (width - _width(cell))
            cells.append(padding + cell if name in table.numbers else cell + padding)
        text.append("  ".join(cells).rstrip())
    return "\n".join(text)


def printable(text: str) -> str:
    """A text that cannot move the cursor or break a line, whoever wrote it: engines hand on what pods' authors chose."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _width(text: str) -> int:
    """How many columns of a terminal it takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
