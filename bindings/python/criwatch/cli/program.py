"""The command's beginning and end: arguments in, exit code out, and every failure told in plain words."""

from __future__ import annotations

import os
import sys
from typing import Optional, Sequence

from criwatch import CriError, LibraryUnusable
from criwatch.cli import exits
from criwatch.cli.exits import Exit, UsageError
from criwatch.cli.parser import COMMANDS, parse


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs the command; gives its exit code."""
    try:
        arguments = parse(sys.argv[1:] if words is None else words)
        code = Exit(COMMANDS[arguments.command].run(arguments))
        sys.stdout.flush()
        return code
    except SystemExit as end:
        # argparse has said what there is to say.
        return end.code if isinstance(end.code, int) else Exit.USAGE
    except CriError as error:
        return _told(str(error), exits.of_error(error))
    except UsageError as error:
        return _told(str(error), Exit.USAGE)
    except LibraryUnusable as error:
        return _told(str(error), Exit.LIBRARY)
    except BrokenPipeError:
        # What is still buffered must not complain when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _told(message: str, code: Exit) -> Exit:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    print(f"criwatch: {message}", file=sys.stderr)
    return code
