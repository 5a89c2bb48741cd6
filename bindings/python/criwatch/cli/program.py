"""The command's beginning and end: arguments in, exit code out, and a plain message for every failure."""

from __future__ import annotations

import os
import sys
from typing import Optional, Sequence

from criwatch import CriError, LibraryUnusable
from criwatch.cli import exits
from criwatch.cli.exits import Exit, NothingMatches, UsageError
from criwatch.cli.parser import COMMANDS, parse
from criwatch.cli.terminal import complain


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs the command; gives its exit code."""
    if sys.stdout is None:
        return _told("stdout is closed: there is nowhere to print to", Exit.OUTPUT)
    try:
        arguments = parse(sys.argv[1:] if words is None else words)
        code = Exit(COMMANDS[arguments.command].run(arguments))
        sys.stdout.flush()
        return code
    except SystemExit as end:
        # argparse has printed its message.
        return _flushed(end.code if isinstance(end.code, int) else Exit.USAGE)
    except CriError as error:
        return _told(str(error), exits.of_error(error))
    except NothingMatches as error:
        return _told(str(error), Exit.NOT_FOUND)
    except UsageError as error:
        return _told(str(error), Exit.USAGE)
    except LibraryUnusable as error:
        return _told(str(error), Exit.LIBRARY)
    except OSError as error:
        return _unwritable(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def _told(message: str, code: Exit) -> int:
    """Says what is wrong, after what was printed."""
    flushed = _flushed(code) if sys.stdout is not None else code
    complain(message)
    return flushed if flushed == Exit.OUTPUT else code


def _flushed(code: int) -> int:
    """Prints what is still buffered; what cannot be printed is another end."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _unwritable(error)
    return code


def _unwritable(error: OSError) -> int:
    """The end where the output cannot be written: its reader has left, the disk is full."""
    # What is still buffered must not complain when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return Exit.BROKEN_PIPE
    complain(f"the output cannot be written: {error.strerror or error}")
    return Exit.OUTPUT
