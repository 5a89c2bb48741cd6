"""Snapshots: the cache at one moment."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Iterator, List, Optional, Tuple

from criwatch import _capi
from criwatch._copied import Copier
from criwatch._handle import Handle
from criwatch._html import Tabular
from criwatch._library import library
from criwatch._text import to_c
from criwatch.answers import rows
from criwatch.enums import Status
from criwatch.errors import call
from criwatch.records import Container, Pod


class Snapshot(Tabular):
    """A copy of the cache at one moment: it does not change while it is read, and outlives its watcher.

    It may be closed, or used in a `with` block, to give its memory back early; nothing is amiss without.
    """

    def __init__(self, pointer: Any) -> None:
        self._handle = Handle(pointer, library().cri_snapshot_free, "the snapshot", Status.E_INVALID_ARGUMENT)
        self._copier = Copier()
        self._containers: Optional[Tuple[Container, ...]] = None
        self._pods: Optional[Tuple[Pod, ...]] = None

    @property
    def generation(self) -> int:
        """The generation that it shows: while the watcher's is the same, there is nothing newer."""
        with self._handle.use() as snapshot:
            return int(library().cri_snapshot_generation(snapshot))

    @property
    def containers(self) -> Tuple[Container, ...]:
        """Everything that runs: containers and ready sandboxes, sorted by namespace, pod and name."""
        if self._containers is None:
            array, length = ctypes.POINTER(ctypes.POINTER(_capi.cri_container))(), ctypes.c_size_t()
            with self._handle.use() as snapshot:
                call("cri_snapshot_containers", snapshot, ctypes.byref(array), ctypes.byref(length))
                self._containers = tuple(self._copier.container(array[index]) for index in range(length.value))
        return self._containers

    @property
    def pods(self) -> Tuple[Pod, ...]:
        """The pods in which something runs, if only the sandbox, sorted by namespace and name."""
        if self._pods is None:
            array, length = ctypes.POINTER(ctypes.POINTER(_capi.cri_pod))(), ctypes.c_size_t()
            with self._handle.use() as snapshot:
                call("cri_snapshot_pods", snapshot, ctypes.byref(array), ctypes.byref(length))
                pods = (self._copier.pod(array[index]) for index in range(length.value))
                self._pods = tuple(pod for pod in pods if pod is not None)
        return self._pods

    def find(self, id_or_name: str) -> Container:
        """One container or sandbox, in whatever state, also one that is gone and still remembered; names are as for `Watcher.get`."""
        found = ctypes.POINTER(_capi.cri_container)()
        with self._handle.use() as snapshot:
            call("cri_snapshot_find", snapshot, to_c(id_or_name), ctypes.byref(found))
            return self._copier.container(found)

    def rows(self) -> List[Dict[str, Any]]:
        """A flat dictionary for each container, as `pandas.DataFrame(watcher.snapshot().rows())` takes them."""
        return rows(self.containers)

    def __iter__(self) -> Iterator[Container]:
        return iter(self.containers)

    def __len__(self) -> int:
        return len(self.containers)

    def __repr__(self) -> str:
        return "<Snapshot closed>" if self._handle.is_closed else f"<Snapshot of generation {self.generation}>"

    def close(self) -> None:
        """Gives back the library's memory; what was read from it stays."""
        self._handle.close()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        handle: Optional[Handle] = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()
