"""Printing with colours where there is a terminal and rich is installed, plainly everywhere else."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Optional, Sequence

from criwatch.cli.table import Table, lines, printable
from criwatch.cli.words import Word

if TYPE_CHECKING:
    from rich.console import Console
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


def complain(message: str) -> None:
    """Says on stderr what is wrong: for a terminal in lines, elsewhere in one, so that a log has it whole.

    Engines' words are among it: nothing in them reaches the terminal as a command.
    """
    first, *more = (printable(line.strip()) for line in message.strip().splitlines() or [""])
    text = "\n  ".join([first, *more]) if sys.stderr.isatty() else " ".join([first, "; ".join(more)]).rstrip()
    print(f"criwatch: {text}", file=sys.stderr)


def terminal_width() -> Optional[int]:
    """How many columns the terminal has; None: there is none, or it does not know."""
    return (os.get_terminal_size(sys.stdout.fileno()).columns or None) if sys.stdout.isatty() else None


def print_table(table: Table, whole: bool = False) -> None:
    """Prints a table: fitted on a terminal, unless it is wanted whole."""
    terminal = console()
    for line in lines(table, None if whole else terminal_width()):
        print_line(line, terminal, "  ")


def print_line(words: Sequence[str], terminal: Optional[Console], gap: str = " ") -> None:
    """Prints texts with their styles."""
    if terminal is None:
        print(gap.join(map(printable, words)).rstrip())
    else:
        # Soft: the terminal itself breaks lines, so that they can be copied as one.
        terminal.print(text(words, gap), soft_wrap=True)


def text(words: Sequence[str], gap: str = " ") -> Text:
    """Texts with their styles as rich knows them."""
    from rich.text import Text

    styled = (Text(printable(word), style=word.style if isinstance(word, Word) else "") for word in words)
    return Text(gap, end="").join(styled)
