"""Snapshots: the cache at one moment."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from criwatch import _capi
from criwatch._copied import Copier
from criwatch._handle import Handle
from criwatch._html import Tabular
from criwatch._library import library
from criwatch._text import to_c, to_signed, to_unsigned
from criwatch.answers import rows
from criwatch.enums import NamespaceKind, Status
from criwatch.errors import call
from criwatch.lookups import Found, look_up, look_up_all, look_up_sharing
from criwatch.records import Container, Pod


class Snapshot(Tabular):
    """A copy of the cache at one moment: it does not change while it is read, and outlives its watcher.

    It may be closed, or used in a `with` block, to free its memory early; this is not necessary.
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
        """The pods in which anything runs, even only the sandbox, sorted by namespace and name."""
        if self._pods is None:
            array, length = ctypes.POINTER(ctypes.POINTER(_capi.cri_pod))(), ctypes.c_size_t()
            with self._handle.use() as snapshot:
                call("cri_snapshot_pods", snapshot, ctypes.byref(array), ctypes.byref(length))
                pods = (self._copier.pod(array[index]) for index in range(length.value))
                self._pods = tuple(pod for pod in pods if pod is not None)
        return self._pods

    def find(self, id_or_name: str) -> Container:
        """One container or sandbox, as `Watcher.get` finds it: in any state, even if it is gone and still remembered."""
        found = ctypes.POINTER(_capi.cri_container)()
        with self._handle.use() as snapshot:
            call("cri_snapshot_find", snapshot, to_c(id_or_name), ctypes.byref(found))
            return self._copier.container(found)

    def attributes(self, id_or_name: str, schema: str) -> Dict[str, str]:
        """The facts of one container or sandbox under the names of "otel", "falco" or "ecs".

        docs/lookups.md lists the names.
        """
        found, array, length = ctypes.POINTER(_capi.cri_container)(), ctypes.POINTER(_capi.cri_label)(), ctypes.c_size_t()
        with self._handle.use() as snapshot:
            call("cri_snapshot_find", snapshot, to_c(id_or_name), ctypes.byref(found))
            call("cri_container_attributes", found, to_c(schema), ctypes.byref(array), ctypes.byref(length))
            pairs = (array[index] for index in range(length.value))
            return {pair.key.decode(): pair.value.decode() for pair in pairs}

    # Lookups. Each returns None if the key is proven to be the host's, that is of no container of this engine. If it
    # belongs to a pod but to none of its containers, the result is the pod's sandbox.

    def find_pid(self, pid: int, start_ticks: int = 0) -> Optional[Container]:
        """The container of a process or thread; None: it is proven to be the host's.

        With its start time in clock ticks since boot (field 22 of /proc/PID/stat), a process that began at another time is
        `NotFound`; 0: the process that has the pid now. `NotYet`: it is in a container that this snapshot does not have.
        """
        arguments = to_signed(pid, 32, "the pid"), to_unsigned(start_ticks, 64, "start_ticks")
        return self._found("cri_snapshot_find_pid", *arguments)

    def find_cgroup(self, cgroup_id: int) -> Optional[Container]:
        """The container of a v2 cgroup, by its id as eBPF gives it, even one that has ended. Otherwise as `find_pid`."""
        return self._found("cri_snapshot_find_cgroup", to_unsigned(cgroup_id, 64, "the cgroup id"))

    def find_cgroup_path(self, path: str) -> Optional[Container]:
        """The container of a cgroup, by its path in /proc/PID/cgroup or the file system. Otherwise as `find_pid`."""
        text = to_c(path) or b""
        return self._found("cri_snapshot_find_cgroup_path", text, len(text))

    def find_namespace(self, kind: NamespaceKind, inode: int) -> Tuple[Optional[Container], int]:
        """The container of a namespace, by the number in the link /proc/PID/ns/KIND, and how many running ones share it.

        (None, 0): the host's own. `NotFound`: no container is known to be in it, and it is not known to be the host's.
        """
        arguments = to_unsigned(kind, 32, "the kind"), to_unsigned(inode, 64, "the inode")
        with self._handle.use() as snapshot:
            found, sharing = look_up_sharing("cri_snapshot_find_namespace", snapshot, *arguments)
            return (None, 0) if found is None else (self._copier.container(found), sharing)

    def find_pids(self, pids: Sequence[int], start_ticks: Optional[Sequence[int]] = None) -> List[Found]:
        """As `find_pid`, for many in one call; results in the same order. `start_ticks`: as many; None: all 0."""
        starts = [0] * len(pids) if start_ticks is None else start_ticks
        if len(starts) != len(pids):
            raise ValueError(f"{len(pids)} pids and {len(starts)} start_ticks: give one for each pid")
        return self._all(
            "cri_snapshot_find_pids",
            (ctypes.c_int32 * len(pids))(*(to_signed(pid, 32, "the pid") for pid in pids)),
            (ctypes.c_uint64 * len(pids))(*(to_unsigned(start, 64, "start_ticks") for start in starts)),
        )

    def find_cgroups(self, cgroup_ids: Sequence[int]) -> List[Found]:
        """As `find_cgroup`, for many in one call; the results are in the same order."""
        ids = (to_unsigned(one, 64, "the cgroup id") for one in cgroup_ids)
        return self._all("cri_snapshot_find_cgroups", (ctypes.c_uint64 * len(cgroup_ids))(*ids))

    def _found(self, name: str, *arguments: Any) -> Optional[Container]:
        with self._handle.use() as snapshot:
            found = look_up(name, snapshot, *arguments)
            return None if found is None else self._copier.container(found)

    def _all(self, name: str, keys: Any, *more: Any) -> List[Found]:
        with self._handle.use() as snapshot:
            found = look_up_all(name, len(keys), snapshot, keys, *more)
            return [Found(self._copier.container(one) if one else None, status) for one, status in found]

    def rows(self) -> List[Dict[str, Any]]:
        """A flat dictionary for each container, as `pandas.DataFrame(watcher.snapshot().rows())` takes them."""
        return rows(self.containers)

    def __getitem__(self, index: int) -> Container:
        return self.containers[index]

    def __iter__(self) -> Iterator[Container]:
        return iter(self.containers)

    def __len__(self) -> int:
        return len(self.containers)

    def __repr__(self) -> str:
        return "<Snapshot closed>" if self._handle.is_closed else f"<Snapshot of generation {self.generation}>"

    def close(self) -> None:
        """Frees the library's memory; what was read from the snapshot stays valid."""
        self._handle.close()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        handle: Optional[Handle] = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()
