"""The watcher that a sub-command looks through."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import contextmanager
from dataclasses import replace
from typing import Dict, Iterator

from criwatch import Container, CriError, Missing, NotFound, State, Watcher
from criwatch.cli.exits import UsageError
from criwatch.cli.options import endpoint

#: How long an engine that did not answer is not asked again, in seconds.
_QUIET = 30.0


@contextmanager
def looking(arguments: Namespace) -> Iterator[Watcher]:
    """A watcher with a fresh cache. Whatever prevents that is an error at once, with what to do."""
    milliseconds = str(max(1, round(arguments.timeout * 1000)))
    options = {"connect.timeout_ms": milliseconds, "request.timeout_ms": milliseconds, **arguments.option}
    chosen = endpoint(arguments.runtime_endpoint)
    if chosen is not None and not chosen.strip():
        raise UsageError("the endpoint is empty: give a socket, e.g. -r unix:///run/containerd/containerd.sock")
    with Watcher(chosen, options, logger=None) as watcher:
        watcher.resync(arguments.timeout)
        yield watcher


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
