"""Lookups of a container by a pid, a cgroup or a namespace. docs/lookups.md says which key to use when."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence, Tuple, TypeVar

from criwatch import _capi
from criwatch._copied import Copier
from criwatch._library import library
from criwatch._text import to_milliseconds, to_signed, to_unsigned
from criwatch._waiting import awaiting
from criwatch.enums import Status
from criwatch.errors import call, failure
from criwatch.records import Container

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """The result of one lookup of a batch."""

    container: Optional[Container]
    """The container or sandbox; None unless the status is OK."""
    status: Status
    """The status of the single lookup."""


def look_up(name: str, *arguments: Any) -> Any:
    """The record that a C function finds; None if the key is proven to be the host's."""
    found = ctypes.POINTER(_capi.cri_container)()
    return found if _answer(name, *arguments, ctypes.byref(found)) else None


def look_up_sharing(name: str, *arguments: Any) -> Tuple[Any, int]:
    """As `look_up`, for a function that also gives the number of those who share the key."""
    found, sharing = ctypes.POINTER(_capi.cri_container)(), ctypes.c_size_t()
    is_found = _answer(name, *arguments, ctypes.byref(found), ctypes.byref(sharing))
    return (found, sharing.value) if is_found else (None, 0)


def look_up_all(name: str, count: int, *arguments: Any) -> Sequence[Tuple[Any, Status]]:
    """The records and statuses that a C function gives for `count` keys."""
    found, statuses = (ctypes.POINTER(_capi.cri_container) * count)(), (ctypes.c_int32 * count)()
    call(name, *arguments, count, found, statuses)
    return [(found[index], Status(statuses[index])) for index in range(count)]


def _answer(name: str, *arguments: Any) -> bool:
    status = call(name, *arguments)
    if status == Status.AGAIN:
        raise failure(
            status, "it is in a container or pod that the engine has not reported yet (the watcher's lookup_pid waits for it)"
        )
    return status == Status.OK


class WaitingLookups:
    """The lookups of a watcher, which wait for containers that are being made."""

    def lookup_pid(self, pid: int, start_ticks: int = 0, timeout: Optional[float] = None) -> Optional[Container]:
        """As `Snapshot.find_pid` in the newest snapshot, but waits for a container that is being made.

        It is found even if its process has ended meanwhile. Give a timeout, because a container of another engine never
        comes. Raises `NotYet` after the timeout. None: it is proven to be the host's.
        """
        key = to_signed(pid, 32, "the pid"), to_unsigned(start_ticks, 64, "start_ticks")
        return self._lookup("cri_watcher_lookup_pid", key, timeout)

    async def lookup_pid_async(
        self, pid: int, start_ticks: int = 0, timeout: Optional[float] = None
    ) -> Optional[Container]:
        """As `lookup_pid`, for asyncio."""
        return await awaiting(lambda: self.lookup_pid(pid, start_ticks, timeout))

    def lookup_cgroup(self, cgroup_id: int, timeout: Optional[float] = None) -> Optional[Container]:
        """As `Snapshot.find_cgroup` in the newest snapshot, and waits as `lookup_pid` does."""
        return self._lookup("cri_watcher_lookup_cgroup", (to_unsigned(cgroup_id, 64, "the cgroup id"),), timeout)

    async def lookup_cgroup_async(self, cgroup_id: int, timeout: Optional[float] = None) -> Optional[Container]:
        """As `lookup_cgroup`, for asyncio."""
        return await awaiting(lambda: self.lookup_cgroup(cgroup_id, timeout))

    def _lookup(self, name: str, key: Tuple[int, ...], timeout: Optional[float]) -> Optional[Container]:
        def ask(watcher: Any) -> Optional[Container]:
            found = look_up(name, watcher, *key, to_milliseconds(timeout))
            if found is None:
                return None
            try:
                return Copier().container(found)
            finally:
                library().cri_container_unref(found)

        return self._waiting(ask, timeout)

    def _waiting(self, ask: Callable[[Any], T], timeout: Optional[float]) -> T:
        """Makes a call that may wait, with the library's watcher."""
        raise NotImplementedError
