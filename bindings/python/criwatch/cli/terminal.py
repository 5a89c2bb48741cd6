"""What a terminal shows better than a pipe: colours, and tables that fit. Needs rich, and does without where it is not there."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Optional, Sequence

from criwatch.cli.table import Table, plain, printable
from criwatch.cli.words import Word

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

#: What a user does who wants the terminal library.
INSTALL = "pip install 'criwatch[cli]'"


def console() -> Optional[Console]:
    """The terminal, if stdout is one that can do more than print, and rich is installed. rich honours NO_COLOR."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(highlight=False, markup=False, emoji=False)


def print_table(table: Table, no_truncate: bool = False) -> None:
    """Prints a table: fitted and coloured on a terminal, whole and plain elsewhere."""
    terminal = console()
    if terminal is None:
        print(plain(table))
    elif no_truncate:
        # As wide as it is; the terminal wraps.
        terminal.print(rich_table(table), width=max(len(plain(table)), terminal.width), crop=False, soft_wrap=True)
    else:
        terminal.print(rich_table(table))


def print_line(words: Sequence[str], terminal: Optional[Console]) -> None:
    """Prints words with their styles, a space between them."""
    if terminal is None:
        print(*(printable(word) for word in words))
    else:
        from rich.text import Text

        terminal.print(Text(" ").join(text(word) for word in words), soft_wrap=True)


def text(word: str) -> Text:
    """A word with its style."""
    from rich.text import Text

    return Text(printable(word), style=word.style if isinstance(word, Word) else "")


def rich_table(table: Table) -> RichTable:
    """The table as rich draws it: where it is too wide, the last columns give way first."""
    from rich.table import Table as RichTable

    drawn = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, name in enumerate(table.columns):
        cells = [len(row[index]) for row in table.rows]
        # Short columns stay as they are: half an id or half a state is of no use.
        short = max(cells, default=0) <= 20 and index < len(table.columns) - 1
        drawn.add_column(
            name, no_wrap=True, overflow="ellipsis", justify="right" if name in table.numbers else "left",
            min_width=max([len(name), *cells]) if short else min(len(name), 8),
        )  # fmt: skip
    for row in table.rows:
        drawn.add_row(*(text(cell) for cell in row))
    return drawn
