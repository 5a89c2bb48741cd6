"""`python -m criwatch`: a first look where only this package is. The command `criwatch` is a program of its own, with all
else: docs/command.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, Dict, List, Optional, Sequence

from criwatch._json import compact
from criwatch.enums import State
from criwatch.errors import ConnectFailed, CriError, NotFound, PermissionDenied, Timeout
from criwatch.records import Container
from criwatch.watcher import Watcher

#: The variables that crictl also reads; the first one that is set counts.
_ENDPOINTS = ("CRI_RUNTIME_ENDPOINT", "CONTAINER_RUNTIME_ENDPOINT")

#: The exit codes of the command `criwatch`.
_NOT_FOUND, _UNREACHABLE, _REFUSED, _ENGINE, _OUTPUT, _INTERRUPTED, _BROKEN_PIPE = 1, 3, 4, 5, 74, 130, 141


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs the command, and returns its exit code."""
    if sys.stdout is None:  # It was closed, as by >&-.
        print("criwatch: the output cannot be written: stdout is closed", file=sys.stderr)
        return _OUTPUT
    arguments = _parser().parse_args(words)
    run: Callable[[Watcher, argparse.Namespace], None] = arguments.run
    try:
        with Watcher(_endpoint(arguments), {"details": "full"}, logger=None) as watcher:
            watcher.resync(arguments.timeout)
            run(watcher, arguments)
        sys.stdout.flush()
        return 0
    except CriError as error:
        print(f"criwatch: {_printable(' '.join(str(error).split()))}", file=sys.stderr)
        return _exit_code(error)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        # Otherwise the interpreter would report an error for what is still buffered when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return _BROKEN_PIPE
        print(f"criwatch: the output cannot be written: {error.strerror}", file=sys.stderr)
        return _OUTPUT


def _parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m criwatch", description=__doc__)
    whole.add_argument("-r", "--runtime-endpoint", metavar="ENDPOINT", help="the engine's socket")
    whole.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="how long to wait for the engine's answer")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for name, run, what in (
        ("ps", _ps, "list containers"),
        ("events", _events, "follow what changes, until Ctrl-C"),
        ("inspect", _inspect, "show everything about containers and sandboxes, as JSON"),
    ):
        command = commands.add_parser(name, help=what, description=what)
        command.set_defaults(run=run)
        if name == "inspect":
            command.add_argument("names", nargs="+", metavar="NAME", help="an id, a name, or the beginning of an id")
        else:
            command.add_argument("-o", "--output", choices=("table", "json"), default="table", help="the form")
        if name == "ps":
            command.add_argument("-a", "--all", action="store_true", help="show containers in any state")
    return whole


def _endpoint(arguments: argparse.Namespace) -> Optional[str]:
    return arguments.runtime_endpoint or next(filter(None, map(os.environ.get, _ENDPOINTS)), None)


def _ps(watcher: Watcher, arguments: argparse.Namespace) -> None:
    listed = watcher.list(kind="container", all=arguments.all)
    if arguments.output == "json":
        print(compact(listed.to_dict()))
        return
    rows = [["NAME", "POD", "NAMESPACE", "ID", "STATE", "PID", "RESTARTS", "IMAGE"], *map(_row, listed.containers)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def _row(one: Container) -> List[str]:
    pid = str(one.pid) if one.pid and one.state != State.EXITED else "-"
    pod = (one.pod.name, one.pod.namespace) if one.pod else ("-", "-")
    cells = (one.name, *pod, one.id[:13], one.state.word, pid, str(one.attempt), one.image or "-")
    return [_printable(cell) for cell in cells]


def _events(watcher: Watcher, arguments: argparse.Namespace) -> None:
    watcher.start()
    for event in watcher.events():
        if arguments.output == "json":
            print(event.to_json(), flush=True)
            continue
        about = event.container
        known: Dict[str, object] = {} if about is None else {"pid": about.pid, "exit": about.exit_code, "reason": about.reason}
        details = " ".join(f"{key}={value}" for key, value in known.items() if value not in (None, ""))
        line = f"{event.time} {event.type.word:<8} {about.path if about else event.message} {details}"
        print(_printable(line.rstrip()), flush=True)


def _inspect(watcher: Watcher, arguments: argparse.Namespace) -> None:
    # All names are looked up before anything is printed, so that a script gets all or nothing.
    for document in [watcher.inspect_json(name, timeout=arguments.timeout) for name in arguments.names]:
        print(document)


def _exit_code(error: CriError) -> int:
    codes = {NotFound: _NOT_FOUND, ConnectFailed: _UNREACHABLE, Timeout: _UNREACHABLE, PermissionDenied: _REFUSED}
    return next((code for kind, code in codes.items() if isinstance(error, kind)), _ENGINE)


def _printable(text: str) -> str:
    """The text without anything that moves the cursor, because engines pass on what the authors of pods wrote."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
