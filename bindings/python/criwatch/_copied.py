"""Copies the library's records into dataclasses."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional

from criwatch._fields import container_values, event_values, pod_values
from criwatch.records import Container, Event, Pod


class Copier:
    """Copies records that all belong to one snapshot or event: while that exists, an address stands for one pod."""

    def __init__(self) -> None:
        self._pods: Dict[int, Pod] = {}

    def pod(self, pointer: Any) -> Optional[Pod]:
        """The pod that a pointer shows; NULL: None."""
        if not pointer:
            return None
        address = ctypes.addressof(pointer.contents)
        if address not in self._pods:
            self._pods[address] = Pod(**pod_values(pointer.contents))
        return self._pods[address]

    def container(self, pointer: Any) -> Container:
        """The container that a pointer shows."""
        record = pointer.contents
        return Container(**container_values(record, self.pod(record.pod)))


def event(pointer: Any) -> Event:
    """The event that a pointer shows."""
    record = pointer.contents
    return Event(**event_values(record, Copier().container(record.container) if record.container else None))
