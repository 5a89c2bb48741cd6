"""Short texts for people: ages, ids, exits. None has a space in it, so that columns can be cut by any tool."""

from __future__ import annotations

import time
from typing import Optional

from criwatch.enums import Kind, PodState, State
from criwatch.records import Container, Pod

#: What stands where nothing is known, or nothing applies.
NOTHING = "-"

#: How much of an id is shown, as crictl does.
_SHORT = 13

#: Style by state, for terminals; of what exited, the code decides.
_STATES = {State.RUNNING: "green", State.CREATED: "yellow", State.UNKNOWN: "magenta"}
_POD_STATES = {PodState.READY: "green", PodState.NOT_READY: "dim", PodState.UNKNOWN: "magenta"}


class Word(str):
    """A text with the style that a terminal shows it in."""

    style: str

    def __new__(cls, text: str, style: str = "") -> Word:
        word = super().__new__(cls, text)
        word.style = style
        return word


def short_id(identifier: str, whole: bool = False) -> str:
    """An id, cut unless it shall be whole."""
    return identifier if whole else identifier[:_SHORT]


def number(count: int, what: str) -> str:
    """So many of something: "1 pod", "2 pods"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def age(since_ns: Optional[int], now_ns: Optional[int] = None) -> str:
    """How long ago, in one or two units: 5s, 12m, 3h20m, 4d6h."""
    if not since_ns:
        return NOTHING
    seconds = max(0, ((now_ns or time.time_ns()) - since_ns) // 1_000_000_000)
    for unit, length, below, smaller in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if seconds >= length:
            whole, rest = divmod(seconds, length)
            # The second unit only while it says something.
            return f"{whole}{unit}{rest // smaller}{below}" if whole < 10 and rest >= smaller else f"{whole}{unit}"
    return f"{seconds}s"


def moment(nanoseconds: int) -> str:
    """A time in UTC to the millisecond, as wide as any other."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest // 1_000_000:03d}Z"


def state(container: Container) -> Word:
    """The state of a container; of a sandbox as that of its pod."""
    if container.kind == Kind.SANDBOX and container.state in (State.RUNNING, State.EXITED):
        return Word("ready", "green") if container.state == State.RUNNING else Word("notready", "dim")
    if container.state == State.EXITED:
        return Word("exited", "red" if container.exit_code else "dim")
    return Word(container.state.name.lower(), _STATES.get(container.state, ""))


def pod_state(pod: Pod) -> Word:
    """The state of a pod."""
    return Word(pod.state.name.lower().replace("_", ""), _POD_STATES.get(pod.state, ""))


def end(container: Container) -> Word:
    """How it ended: OOMKilled(137), Completed(0), gone."""
    if container.state != State.EXITED or (container.exit_code is None and not container.reason):
        return Word(NOTHING, "dim")
    code = "" if container.exit_code is None else f"({container.exit_code})"
    reason = container.reason or "exit"
    return Word(f"{reason}{code}", "red" if container.exit_code or reason == "gone" else "dim")


def pid(container: Container) -> str:
    """The pid while it means something."""
    return str(container.pid) if container.pid and container.state != State.EXITED else NOTHING


def since(container: Container) -> Optional[int]:
    """When its present state began, as far as is known."""
    if container.state == State.EXITED:
        return container.finished_ns or container.started_ns or container.created_ns
    return container.started_ns or container.created_ns
