"""Exit codes: what scripts can rely on, and which error gives which."""

from __future__ import annotations

from enum import IntEnum
from typing import Dict

from criwatch.enums import Status
from criwatch.errors import CriError


class Exit(IntEnum):
    """How the command ended."""

    OK = 0
    NOT_FOUND = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    ENGINE = 5
    LIBRARY = 6
    DEFECT = 70
    OUTPUT = 74
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


#: For the manual page and the help.
MEANINGS: Dict[Exit, str] = {
    Exit.OK: "done",
    Exit.NOT_FOUND: "nothing matches, or several things have the name, or it has no process",
    Exit.USAGE: "the command line is wrong, or the terminal library is needed and not installed",
    Exit.UNREACHABLE: "the engine cannot be reached, or does not answer in time",
    Exit.REFUSED: "the engine's socket may not be used by this user",
    Exit.ENGINE: "the engine answered with an error, or does not offer what was asked for",
    Exit.LIBRARY: "the shared library cannot be loaded",
    Exit.DEFECT: "a defect in criwatch",
    Exit.OUTPUT: "what there is to say cannot be written: the disk is full, for example",
    Exit.INTERRUPTED: "ended by Ctrl-C (the key q ends top with 0)",
    Exit.BROKEN_PIPE: "nobody reads the output any more, as with | head",
    Exit.TERMINATED: "top was ended by SIGTERM",
}

_BY_STATUS: Dict[Status, Exit] = {
    Status.E_NOT_FOUND: Exit.NOT_FOUND,
    Status.E_AMBIGUOUS: Exit.NOT_FOUND,
    Status.E_PROCESSLESS: Exit.NOT_FOUND,
    Status.E_INVALID_ARGUMENT: Exit.USAGE,
    Status.E_OPTION: Exit.USAGE,
    Status.E_QUERY: Exit.USAGE,
    Status.E_CONNECT: Exit.UNREACHABLE,
    Status.E_TIMEOUT: Exit.UNREACHABLE,
    Status.E_PERMISSION: Exit.REFUSED,
    Status.E_RPC: Exit.ENGINE,
    Status.E_UNSUPPORTED: Exit.ENGINE,
    Status.E_PROTOCOL: Exit.ENGINE,
    Status.E_OS: Exit.ENGINE,
}


def of_error(error: CriError) -> Exit:
    """The exit code of an error."""
    return _BY_STATUS.get(error.status, Exit.DEFECT)


class NothingMatches(Exception):
    """What the options ask for is not there; the message says what there is instead."""


class UsageError(Exception):
    """The command line is wrong in a way that only its meaning shows; the message says what to do."""
