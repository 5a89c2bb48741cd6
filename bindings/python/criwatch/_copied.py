"""Copies the library's records into dataclasses."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional

from criwatch import _capi
from criwatch.enums import (
    Changed,
    EventFlag,
    EventType,
    Kind,
    LogLevel,
    Missing,
    PodFlag,
    PodState,
    State,
    WatcherState,
)
from criwatch.records import Container, Event, Pod


class Copier:
    """Copies records that all belong to one snapshot or event: while it lives, an address stands for one pod."""

    def __init__(self) -> None:
        self._pods: Dict[int, Pod] = {}

    def pod(self, pointer: Any) -> Optional[Pod]:
        """The pod that a pointer shows; NULL: None."""
        if not pointer:
            return None
        address = ctypes.addressof(pointer.contents)
        if address not in self._pods:
            self._pods[address] = _pod(pointer.contents)
        return self._pods[address]

    def container(self, pointer: Any) -> Container:
        """The container that a pointer shows."""
        record = pointer.contents
        return Container(
            id=_text(record.id),
            name=_text(record.name),
            kind=Kind(record.kind),
            state=State(record.state),
            attempt=record.attempt,
            pod=self.pod(record.pod),
            pid=record.pid or None,
            pid_start_ticks=record.pid_start_ticks or None,
            exit_code=record.exit_code if record.exit_code != -1 else None,
            missing=Missing(record.missing),
            image=_text(record.image),
            image_ref=_text(record.image_ref),
            image_id=_text(record.image_id),
            reason=_text(record.reason),
            message=_text(record.message),
            cgroup_path=_text(record.cgroup_path),
            created_ns=record.created_unix_nano or None,
            started_ns=record.started_unix_nano or None,
            finished_ns=record.finished_unix_nano or None,
            labels=_labels(record.labels, record.labels_len),
            annotations=_labels(record.annotations, record.annotations_len),
            rucksack=_text(record.rucksack),
        )


def event(pointer: Any) -> Event:
    """The event that a pointer shows."""
    record: _capi.cri_event = pointer.contents
    return Event(
        type=EventType(record.type),
        flags=EventFlag(record.flags),
        seq=record.seq,
        generation=record.generation,
        lost=record.lost,
        changed=Changed(record.changed),
        time_ns=record.time_unix_nano,
        observed_ns=record.observed_unix_nano,
        container=Copier().container(record.container) if record.container else None,
        watcher_state=WatcherState(record.watcher_state),
        message=_text(record.message),
        log_level=LogLevel(record.log_level) if record.log_level else None,
    )


def _pod(record: Any) -> Pod:
    return Pod(
        id=_text(record.id),
        name=_text(record.name),
        namespace=_text(record.pod_namespace),
        uid=_text(record.uid),
        attempt=record.attempt,
        state=PodState(record.state),
        flags=PodFlag(record.flags),
        ips=tuple(_text(record.ips[index]) for index in range(record.ips_len)),
        labels=_labels(record.labels, record.labels_len),
        annotations=_labels(record.annotations, record.annotations_len),
        cgroup_path=_text(record.cgroup_path),
    )


def _labels(array: Any, length: int) -> Dict[str, str]:
    return {_text(array[index].key): _text(array[index].value) for index in range(length)}


def _text(data: Optional[bytes]) -> str:
    return (data or b"").decode("utf-8")
