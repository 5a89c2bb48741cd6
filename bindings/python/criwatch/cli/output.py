"""-o: JSON as the library writes it, the same as YAML, or a table."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Iterable, Tuple

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
        indented = yaml.escaped(json.dumps(json.loads(document), indent=2, ensure_ascii=False), is_json=True)
        terminal = console()
        if terminal is None:
            print(indented)
        else:
            from rich.syntax import Syntax

            # The theme takes the terminal's own colours.
            terminal.print(Syntax(indented, "json", theme="ansi_dark", background_color="default"), soft_wrap=True)


def print_for_scripts(arguments: Namespace, document: str, named: Iterable[Tuple[str, str]]) -> bool:
    """Prints a list as a document, as ids or as names, where one of these is wanted; whether it is.

    `named` are the ids and names of what is in the document.
    """
    if arguments.quiet or arguments.output == "name":
        for identifier, name in named:
            print(identifier if arguments.quiet else name)
    elif arguments.output in ("json", "yaml"):
        print_document(document, arguments.output)
    else:
        return False
    return True
