"""-o: JSON as the library writes it, the same as YAML, or a table."""

from __future__ import annotations

import json
import sys
from typing import Any

from criwatch.cli import yaml
from criwatch.cli.terminal import console


def print_document(document: str, form: str) -> None:
    """Prints one of the library's documents.

    JSON is the library's, to the byte, one document a line, so that scripts can compare and cut it; only on a terminal
    it is indented, for eyes.
    """
    if form == "yaml":
        sys.stdout.write("---\n" + yaml.dump(json.loads(document)))
    elif not sys.stdout.isatty():
        print(document)
    else:
        indented = json.dumps(json.loads(document), indent=2, ensure_ascii=False)
        terminal = console()
        if terminal is None:
            print(indented)
        else:
            from rich.syntax import Syntax

            # The theme takes the terminal's own colours.
            terminal.print(Syntax(indented, "json", theme="ansi_dark", background_color="default"), soft_wrap=True)


def as_library_writes(value: Any) -> str:
    """JSON in the library's spelling: without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
