"""The watchers that a sub-command looks through."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Dict, Iterator, List, Optional

from criwatch import Container, CriError, Missing, NotFound, State, Watcher
from criwatch.cli.exits import UsageError
from criwatch.cli.options import endpoint, rootless_sockets

#: How long an engine that did not answer is not asked again, in seconds.
_QUIET = 30.0


def library_options(arguments: Namespace) -> Dict[str, str]:
    """The library's options: those given, the time to wait, and where this user's own engines may listen."""
    milliseconds = str(max(1, round(arguments.timeout * 1000)))
    options = {"connect.timeout_ms": milliseconds, "request.timeout_ms": milliseconds}
    own = ":".join(rootless_sockets())
    # A command that ends at once would not wait for what comes later.
    options["details"] = "full"
    return {**options, **({"discover.sockets": own} if own else {}), **arguments.option}


def endpoints(arguments: Namespace) -> List[Optional[str]]:
    """The engines to look at: each that -r gives, one that the environment names, or None for the best of the node."""
    chosen = [endpoint(given) for given in arguments.runtime_endpoint or [None]]
    if any(one is not None and not one.strip() for one in chosen):
        raise UsageError("the endpoint is empty: give a socket, e.g. -r unix:///run/containerd/containerd.sock")
    return list(dict.fromkeys(chosen))


@contextmanager
def looking_at(chosen: Optional[str], arguments: Namespace) -> Iterator[Watcher]:
    """A watcher of this engine with a fresh cache. An error says at once what prevents that, and what to do."""
    with Watcher(chosen, library_options(arguments), logger=None) as watcher:
        watcher.resync(arguments.timeout)
        yield watcher


@contextmanager
def looking(arguments: Namespace) -> Iterator[Watcher]:
    """As `looking_at`, for a command that looks at one engine."""
    chosen = endpoints(arguments)
    if len(chosen) > 1:
        raise UsageError(f"{arguments.command} looks at one engine: give -r once (ps and pods take several)")
    with looking_at(chosen[0], arguments) as watcher:
        yield watcher


@contextmanager
def looking_at_all(arguments: Namespace) -> Iterator[List[Watcher]]:
    """As `looking_at`, a watcher for each engine that is given."""
    with ExitStack() as stack:
        yield [stack.enter_context(looking_at(chosen, arguments)) for chosen in endpoints(arguments)]


def follow(watcher: Watcher, timeout: float) -> None:
    """Has the watcher follow what changes from now on."""
    watcher.start()
    watcher.wait_ready(timeout)


class Ends:
    """How the dead ended: of what had exited before the first list, the library does not ask it at once."""

    def __init__(self, watcher: Watcher, timeout: float) -> None:
        self._watcher = watcher
        self._timeout = timeout
        self._known: Dict[str, Container] = {}
        self._quiet_until = 0.0

    def complete(self, container: Container) -> Container:
        """The container with code, reason and times of its end, as far as the engine still knows them."""
        if container.state != State.EXITED or not container.missing & Missing.EXIT:
            return container
        if container.id not in self._known:
            if time.monotonic() < self._quiet_until:
                return container
            try:
                self._known[container.id] = self._watcher.inspect(container.id, timeout=self._timeout).container
            except NotFound:
                # Gone: nobody knows any more.
                self._known[container.id] = container
            except CriError:
                # The engine does not answer: nobody waits for it again and again, and what is shown says "-".
                self._quiet_until = time.monotonic() + _QUIET
                return container
        ended = self._known[container.id]
        return replace(
            container, exit_code=ended.exit_code, reason=ended.reason, started_ns=ended.started_ns,
            finished_ns=ended.finished_ns,
        )  # fmt: skip
