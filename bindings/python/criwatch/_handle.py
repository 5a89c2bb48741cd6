"""The lifetime of the library's objects in Python.

Any number of threads may use a `Handle`. It is freed once, by the last user. What is still open when the interpreter
ends is closed before Python's own cleanup. A forked child gets new locks, which nobody holds.
"""

from __future__ import annotations

import atexit
import os
import threading
import warnings
import weakref
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List, Optional

from criwatch.enums import Status
from criwatch.errors import failure


class Handle:
    """One object of the library, and how it is freed."""

    def __init__(self, pointer: Any, free: Callable[[Any], None], what: str, closed: Status) -> None:
        self._pointer = pointer
        self._free = free
        self._what = what
        self._status_when_closed = closed
        self._users = 0
        self._closing = False
        self._lock = threading.Lock()
        with _registering:
            _handles.add(self)

    @property
    def is_closed(self) -> bool:
        """Whether it was closed. Some calls may still be using it."""
        return self._closing

    @contextmanager
    def use(self) -> Iterator[Any]:
        """The pointer, which stays valid inside the block."""
        with self._lock:
            if self._closing:
                raise failure(self._status_when_closed, f"{self._what} is closed")
            self._users += 1
        try:
            yield self._pointer
        finally:
            with self._lock:
                self._users -= 1
                is_last = self._closing and self._users == 0
            if is_last:
                self._free(self._pointer)

    def close(self) -> bool:
        """Refuses new users, and frees the object after the last one; False if it was closed already."""
        with self._lock:
            if self._closing:
                return False
            self._closing = True
            is_last = self._users == 0
        if is_last:
            self._free(self._pointer)
        return True

    def renew_after_fork(self) -> None:
        """Resets locks and uses in a forked child, which has no other threads."""
        self._lock = threading.Lock()
        self._users = 0


class Closable:
    """An object that has to be closed: by hand or by `with`, at the latest when the interpreter ends."""

    _warns = True

    def __init__(self) -> None:
        self._made_by = os.getpid()
        with _registering:
            _open.add(self)

    def close(self) -> None:
        """Frees what it holds."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' closed' if self.closed else ''}>"

    def _after_fork(self) -> None:
        """Adapts the object to a forked child."""

    def __del__(self) -> None:
        # If its constructor failed, there is nothing to close. A parent's object is closed by the parent.
        made_by: Optional[int] = getattr(self, "_made_by", None)
        if made_by is None or self.closed:
            return
        if self._warns and made_by == os.getpid():
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
        self.close()


_registering = threading.Lock()
_handles: "weakref.WeakSet[Handle]" = weakref.WeakSet()
_open: "weakref.WeakSet[Closable]" = weakref.WeakSet()


def _close_all() -> None:
    with _registering:
        things: List[Closable] = list(_open)
    for thing in things:
        thing.close()


def _after_fork_in_child() -> None:
    _registering.release()
    for handle in list(_handles):
        handle.renew_after_fork()
    for thing in list(_open):
        thing._after_fork()


atexit.register(_close_all)
# Held during the fork, so that the child finds the sets in a valid state.
os.register_at_fork(
    before=_registering.acquire, after_in_parent=_registering.release, after_in_child=_after_fork_in_child
)
