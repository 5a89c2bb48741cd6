"""Tables: columns that keep their names and order, as wide as they need for a pipe, fitted for a terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

from criwatch.cli.words import Word

_GAP = "  "

#: What is left of an id where room is short.
_SHORT_ID = 8

#: What is left of a column that is cut before others are let go.
_SOFT_FLOOR = 16

#: What is left of a name before further columns are let go.
_NAME_FLOOR = 10


@dataclass
class Table:
    """Rows of cells under the names of their columns.

    Where a terminal has no room for all: ids are shortened, soft columns cut, optional ones let go; then names are cut
    in the middle, and the dispensable columns let go, until all fits.
    """

    columns: Sequence[str]
    rows: List[Sequence[str]] = field(default_factory=list)
    #: Columns of numbers, which stand at the right.
    numbers: Sequence[str] = ()
    #: Columns of ids, of which the first digits do.
    ids: Sequence[str] = ()
    #: Columns that are cut before any column is let go.
    soft: Sequence[str] = ()
    #: Columns that are let go before a name is cut, the first of them first.
    optional: Sequence[str] = ()
    #: Columns of names, which are cut in the middle: their ends distinguish them.
    names: Sequence[str] = ()
    #: Columns that are let go when the names are as short as they may become, the first of them first.
    dispensable: Sequence[str] = ()

    def add(self, *cells: str) -> None:
        """Adds a row."""
        assert len(cells) == len(self.columns), "a cell for each column"
        self.rows.append([Word(printable(cell), cell.style if isinstance(cell, Word) else "") for cell in cells])

    def widths(self) -> Dict[str, int]:
        """How wide each column wants to be."""
        cells = zip(*[self.columns, *self.rows])
        return {name: max(map(width_of, column)) for name, column in zip(self.columns, cells)}


def lines(table: Table, width: Optional[int] = None, least: Optional[Mapping[str, int]] = None) -> Iterator[List[Word]]:
    """The table's lines, the head first, as padded cells; not wider than `width`, columns not narrower than `least`."""
    widths = table.widths()
    for name, wanted in (least or {}).items():
        widths[name] = max(widths[name], wanted)
    if width is not None:
        widths = _fitted(table, widths, width)
    for number, row in enumerate([table.columns, *table.rows]):
        cells = [
            _padded(cell if number else Word(cell, "bold"), name, widths[name], table)
            for name, cell in zip(table.columns, row)
            if name in widths
        ]
        yield [Word(cell.rstrip() if cell is cells[-1] else cell, cell.style) for cell in cells]


def plain(table: Table, width: Optional[int] = None) -> str:
    """The table as text: two spaces between columns, nothing at the end of a line."""
    return "\n".join(_GAP.join(line).rstrip() for line in lines(table, width))


def printable(text: str) -> str:
    """A text that cannot move the cursor or break a line: engines hand on what the authors of pods wrote."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_width_of_character, text))


def cut(text: str, width: int) -> str:
    """A text that is not wider than this: its begin."""
    if width_of(text) <= width:
        return text
    return f"{_begin(text, width - 1)}…" if width > 0 else ""


def cut_in_the_middle(text: str, width: int) -> str:
    """A text that is not wider than this: its begin and its end."""
    if width_of(text) <= width:
        return text
    if width < 3:
        return cut(text, width)
    begin = _begin(text, width // 2)
    # The reversed text's begin is the end; of a combined character, its marks come with it.
    end = _begin(text[::-1], width - 1 - width_of(begin))[::-1]
    return f"{begin}…{end}"


def _begin(text: str, width: int) -> str:
    kept, used = "", 0
    for character in text:
        used += _width_of_character(character)
        if used > width:
            break
        kept += character
    return kept


def _fitted(table: Table, wanted: Mapping[str, int], width: int) -> Dict[str, int]:
    """Widths of columns that fit together, without the columns that have to go."""
    for gone in range(len(table.optional) + 1):
        widths = _without(wanted, table.optional[:gone])
        for reduced, floor in ((table.ids, _SHORT_ID), (table.soft, _SOFT_FLOOR)):
            _cut(widths, reduced, floor, width)
        if _excess(widths, width) <= 0:
            return widths
    for gone in range(len(table.dispensable) + 1):
        widths = _without(wanted, [*table.optional, *table.dispensable[:gone]])
        _cut(widths, table.ids, _SHORT_ID, width)
        _cut(widths, table.names, _NAME_FLOOR, width)
        if _excess(widths, width) <= 0:
            return widths
    # Not even that: all is cut, and what has no room at all stays away, from the right.
    while len(widths) > 1:
        _cut(widths, list(widths), 3, width)
        if _excess(widths, width) <= 0:
            return widths
        del widths[next(reversed(list(widths)))]
    return {name: min(wanted, width) for name, wanted in widths.items()}


def _without(wanted: Mapping[str, int], gone: Sequence[str]) -> Dict[str, int]:
    return {name: width for name, width in wanted.items() if name not in gone}


def _excess(widths: Mapping[str, int], width: int) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1) - width


def _cut(widths: Dict[str, int], columns: Sequence[str], floor: int, width: int) -> None:
    """Makes columns narrower, the widest first, until all fit or they are as narrow as they may become."""
    excess = _excess(widths, width)
    while excess > 0:
        can = [name for name in columns if widths.get(name, 0) > floor]
        if not can:
            return
        widths[max(can, key=lambda name: widths[name])] -= 1
        excess -= 1


def _padded(cell: str, column: str, width: int, table: Table) -> Word:
    if column in table.ids:
        text = _begin(cell, width)
    else:
        text = cut_in_the_middle(cell, width) if column in (*table.names, *table.soft) else cut(cell, width)
    padding = " " * (width - width_of(text))
    return Word(
        padding + text if column in table.numbers else text + padding, cell.style if isinstance(cell, Word) else ""
    )


def _width_of_character(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
