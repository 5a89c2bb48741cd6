"""What `top` shows: pods, and under each its containers, with how each ended last. Pure: from records to lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from criwatch import Container, Kind, PodEntry, PodState, State
from criwatch.cli import words
from criwatch.cli.pods import counts, created


@dataclass(frozen=True)
class Line:
    """One line: a pod, or a container of the pod above it."""

    #: The id of the sandbox or container.
    id: str
    name: str
    is_pod: bool
    state: words.Word
    #: Since when, in nanoseconds since 1970.
    since_ns: Optional[int]
    pid: str
    restarts: int
    #: How it, or the attempt before it, ended.
    last_exit: words.Word
    #: When that was.
    last_exit_ns: Optional[int]
    image: str


#: How pods can be sorted: name, and what is compared.
ORDERS: Dict[str, Callable[[PodEntry], Tuple[object, ...]]] = {
    "name": lambda entry: (entry.pod.namespace, entry.pod.name),
    "newest": lambda entry: (-(created(entry) or 0),),
    "restarts": lambda entry: (-counts(entry)[2], entry.pod.namespace, entry.pod.name),
    "last exit": lambda entry: (-max((one.finished_ns or 0 for one in entry.containers), default=0),),
}


def lines(entries: Sequence[PodEntry], *, everything: bool = False, order: str = "name") -> List[Line]:
    """The lines for these pods, which hold their dead, too; those of pods that are not ready only if all are wanted."""
    shown = [entry for entry in entries if everything or entry.pod.state != PodState.NOT_READY]
    result = []
    for entry in sorted(shown, key=ORDERS[order]):
        result.append(_pod(entry))
        attempts: Dict[str, List[Container]] = {}
        for container in sorted(entry.containers, key=lambda one: (one.name, one.attempt, one.created_ns or 0)):
            if container.kind == Kind.CONTAINER:
                attempts.setdefault(container.name, []).append(container)
        result += [_container(of_one_name) for of_one_name in attempts.values()]
    return result


def _pod(entry: PodEntry) -> Line:
    sandbox = next((one for one in entry.containers if one.kind == Kind.SANDBOX), None)
    return Line(
        id=entry.pod.id,
        name=f"{entry.pod.namespace}/{entry.pod.name}",
        is_pod=True,
        state=words.pod_state(entry.pod),
        since_ns=sandbox.created_ns if sandbox else None,
        pid=words.pid(sandbox) if sandbox else words.NOTHING,
        restarts=counts(entry)[2],
        last_exit=words.Word(""),
        last_exit_ns=None,
        image="",
    )


def _container(attempts: Sequence[Container]) -> Line:
    """The newest attempt, and how the last one that ended did."""
    newest = attempts[-1]
    ended = next((one for one in reversed(attempts) if one.state == State.EXITED), None)
    return Line(
        id=newest.id,
        name=newest.name,
        is_pod=False,
        state=words.state(newest),
        since_ns=words.since(newest),
        pid=words.pid(newest),
        restarts=newest.attempt,
        last_exit=words.end(ended) if ended else words.Word(words.NOTHING, "dim"),
        last_exit_ns=ended.finished_ns if ended else None,
        image=newest.image,
    )


def totals(shown: Sequence[Line]) -> str:
    """How many of them are in which state, in one line."""
    pods = Counter(str(one.state) for one in shown if one.is_pod)
    containers = Counter(str(one.state) for one in shown if not one.is_pod)
    parts = [f"{words.number(pods['ready'], 'pod')} ready"]
    parts += [f"{n} {state}" for state, n in sorted(pods.items()) if state != "ready"]
    parts += [f"{words.number(containers['running'], 'container')} running"]
    parts += [f"{n} {state}" for state, n in sorted(containers.items()) if state != "running"]
    return ", ".join(parts)
