"""Help that fits the terminal: running text is filled, what is indented stays as it is."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from typing import Iterable, List

#: Longer lines are hard to read, however wide the terminal is.
_WIDEST = 100


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """argparse's, in the terminal's width (outside of one, 80 or what $COLUMNS says)."""

    def __init__(self, prog: str) -> None:
        self._columns = max(20, min(_WIDEST, shutil.get_terminal_size().columns))
        # One less, as argparse itself does: a full line makes some terminals add an empty one.
        super().__init__(prog, max_help_position=24, width=self._columns - 1)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(filled(text.splitlines(), width))


def filled(lines: Iterable[str], width: int) -> List[str]:
    """Lines in a width. Of an indented one, what does not fit goes on under its last column; commands are not broken."""
    out: List[str] = []
    running: List[str] = []

    def flush() -> None:
        if running:
            out.extend(textwrap.wrap(" ".join(running), width))
            running.clear()

    before = ""
    for line in lines:
        is_command, before = before.lstrip().startswith("#"), line
        if not line.strip():
            flush()
            out.append("")
        elif not line.startswith(" "):
            running.append(line.strip())
        else:
            flush()
            # A command stands under the comment that says what it is for.
            out.extend([line] if is_command else _indented(line, width))
    flush()
    return out


def _indented(line: str, width: int) -> List[str]:
    if len(line) <= width:
        return [line]
    # Under the text after the last gap: of "  130  ended by Ctrl-C", under "ended".
    column = line.rfind("  ") + 2
    under = " " * (column if column < width // 2 else len(line) - len(line.lstrip()))
    return textwrap.wrap(line, width, subsequent_indent=under, break_on_hyphens=False)
