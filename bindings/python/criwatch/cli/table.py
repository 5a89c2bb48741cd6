"""Tables: columns that keep their names and order, as wide as they need for a pipe, fitted for a terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

from criwatch.cli.words import Word

_GAP = "  "

#: A column that gives way keeps at least so much.
_FLOOR = 8


@dataclass
class Table:
    """Rows of words under the names of their columns."""

    columns: Sequence[str]
    rows: List[Sequence[str]] = field(default_factory=list)
    #: Columns of numbers, which stand at the right.
    numbers: Sequence[str] = ()
    #: Columns that may be cut to fit a terminal, the widest first.
    elastic: Sequence[str] = ()
    #: Columns that a terminal can do without, the first of them first, where cutting does not suffice.
    optional: Sequence[str] = ()

    def add(self, *cells: str) -> None:
        """Adds a row."""
        assert len(cells) == len(self.columns), "a cell for each column"
        self.rows.append([Word(printable(cell), cell.style if isinstance(cell, Word) else "") for cell in cells])

    def widths(self) -> Dict[str, int]:
        """How wide each column wants to be."""
        cells = zip(*[self.columns, *self.rows])
        return {name: max(map(width_of, column)) for name, column in zip(self.columns, cells)}


def lines(table: Table, width: Optional[int] = None, least: Optional[Mapping[str, int]] = None) -> Iterator[List[Word]]:
    """The table's lines, the head first, as padded words; not wider than `width`, columns not narrower than `least`."""
    widths = table.widths()
    for name, wanted in (least or {}).items():
        widths[name] = max(widths[name], wanted)
    if width is not None:
        widths = _fitted(table, widths, width)
    for number, row in enumerate([table.columns, *table.rows]):
        cells = [
            _padded(cell if number else Word(cell, "bold"), widths[name], name in table.numbers)
            for name, cell in zip(table.columns, row)
            if name in widths
        ]
        yield [Word(cell.rstrip() if cell is cells[-1] else cell, cell.style) for cell in cells]


def plain(table: Table) -> str:
    """The table as text: as wide as it needs, two spaces between columns, nothing at the end of a line."""
    return "\n".join(_GAP.join(line).rstrip() for line in lines(table))


def printable(text: str) -> str:
    """A text that cannot move the cursor or break a line: engines hand on what the authors of pods wrote."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of_character, text))


def cut(text: str, width: int) -> str:
    """A text that is not wider than this."""
    if width_of(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += _width_of_character(character)
        if used > width:
            break
        kept += character
    return kept + "…" if width > 0 else ""


def _fitted(table: Table, wanted: Mapping[str, int], width: int) -> Dict[str, int]:
    """Widths of columns that fit together, without the columns that have to go."""
    names, optional = list(table.columns), list(table.optional)
    while True:
        widths = {name: wanted[name] for name in names}
        # The column that is needed least is cut first, and let go before anything else is cut.
        least = [name for name in table.optional[:1] if name in widths]
        excess = _cut(
            widths, [name for name in least or table.elastic if name in table.elastic and name in widths], width
        )
        if excess <= 0 or not optional:
            return widths
        names.remove(optional.pop(0))


def _cut(widths: Dict[str, int], elastic: Sequence[str], width: int) -> int:
    """Makes columns narrower, the widest first, until all fit; how much is still too much."""
    excess = sum(widths.values()) + len(_GAP) * (len(widths) - 1) - width
    while excess > 0:
        can = [name for name in elastic if widths[name] > max(_FLOOR, width_of(name))]
        if not can:
            break
        widths[max(can, key=lambda name: widths[name])] -= 1
        excess -= 1
    return excess


def _padded(cell: str, width: int, is_number: bool) -> Word:
    text = cut(cell, width)
    padding = " " * (width - width_of(text))
    return Word(padding + text if is_number else text + padding, cell.style if isinstance(cell, Word) else "")


def _width_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
