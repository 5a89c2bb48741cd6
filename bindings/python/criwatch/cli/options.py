"""Options that several sub-commands share, with crictl's names where crictl has them."""

from __future__ import annotations

import os
import re
from argparse import SUPPRESS, Action, ArgumentParser, ArgumentTypeError
from typing import Any, List, Optional, Sequence

#: As crictl reads them; the first that is set counts.
ENDPOINT_VARIABLES = ("CRI_RUNTIME_ENDPOINT", "CONTAINER_RUNTIME_ENDPOINT")

STATES = ("created", "running", "exited", "unknown")

#: Sockets of rootless engines in $XDG_RUNTIME_DIR.
_ROOTLESS = ("k3s/containerd/containerd.sock", "containerd/containerd.sock", "crio/crio.sock")

_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0}


def add_global(parser: ArgumentParser) -> None:
    """Options that stand before or after the sub-command: without defaults, lest the second parser undo the first."""
    group = parser.add_argument_group("engine")
    group.add_argument(
        "-r",
        "--runtime-endpoint",
        metavar="ENDPOINT",
        action="append",
        default=SUPPRESS,
        help="the engine's socket, e.g. unix:///run/containerd/containerd.sock; ps and pods take several (default: "
        + ", ".join(f"${name}" for name in ENDPOINT_VARIABLES)
        + "; otherwise the best engine of the node, see criwatch engines)",
    )
    group.add_argument(
        "--timeout",
        type=seconds,
        metavar="TIME",
        default=SUPPRESS,
        help="how long the engine may take to answer: 10, 500ms, 2s, 1m (default: 10s)",
    )
    group.add_argument(
        "--option",
        metavar="KEY=VALUE",
        action=Pairs,
        default=SUPPRESS,
        help="an option of the library, e.g. host.root=/host; may be repeated",
    )


def add_selection(parser: ArgumentParser, *, name: bool = True) -> None:
    """What to show. All that is given has to hold."""
    group = parser.add_argument_group("selection")
    completed(group.add_argument("--namespace", metavar="NAMESPACE", help="only this namespace"), "namespace")
    pod = group.add_argument(
        "-p",
        "--pod",
        metavar="POD",
        help="only this pod: its name, namespace/name, id, or at least 6 hex digits that the id begins with",
    )
    completed(pod, "pod")
    if name:
        group.add_argument("--name", metavar="NAME", help="only containers with this name")
    group.add_argument(
        "-l",
        "--label",
        metavar="SELECTOR",
        action="append",
        default=[],
        help="only what a label selector of Kubernetes matches, by the labels of pod and container: "
        "app=web, tier!=db, 'env in (a, b)', !app; may be repeated",
    )


def add_output(parser: ArgumentParser, *forms: str, default: str = "table") -> None:
    """How to print it."""
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", choices=forms, default=default, help=f"the form (default: {default})")


def add_table_output(parser: ArgumentParser) -> None:
    """How to print a table of records: with which columns, or only their ids."""
    add_output(parser, "table", "json", "yaml", "name")
    parser.add_argument("-q", "--quiet", action="store_true", help="only ids, whole")
    parser.add_argument("--no-trunc", action="store_true", help="whole ids, and columns as wide as they need")


def completed(action: Action, what: str) -> Action:
    """Marks an option whose values the shell completes by asking: container, pod, namespace or process."""
    setattr(action, "completes", what)
    return action


def endpoint(given: Optional[str]) -> Optional[str]:
    """The endpoint to use; None: the best of the node. A path may be relative, as all paths may."""
    for value in (given, *(os.environ.get(name) for name in ENDPOINT_VARIABLES)):
        if value:
            is_path = value.strip() and not value.startswith("/") and not re.match(r"[a-z]+:", value)
            return os.path.abspath(value) if is_path else value
    return None


def rootless_sockets() -> List[str]:
    """Where this user's own engines may listen. The library reads no environment, and looks below /run/user by itself."""
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if not os.path.isabs(folder) or ":" in folder:
        return []
    return [path for path in (os.path.join(folder, name) for name in _ROOTLESS) if os.path.exists(path)]


def seconds(text: str) -> float:
    """A time in seconds, as people and crictl write it."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|)", text)
    if match is None or not 0.001 <= float(match[1]) * _UNITS[match[2]] <= 3600:
        raise ArgumentTypeError(f"{text!r} is no time from 1ms to 60m, such as 10, 500ms, 2s, 1m")
    return float(match[1]) * _UNITS[match[2]]


class Pairs(Action):
    """Collects KEY=VALUE in a dictionary."""

    def __call__(self, parser: ArgumentParser, namespace: Any, values: Any, option: Optional[str] = None) -> None:
        key, equals, value = str(values).partition("=")
        if not equals:
            parser.error(f"{option}: {values!r} is not KEY=VALUE (the keys: man criwatch, docs/options.md)")
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest, None) or {}), key: value})


class Words(Action):
    """Collects values from a list with commas, and from several lists; crictl's Capital letters are understood."""

    allowed: Sequence[str] = ()

    def __call__(self, parser: ArgumentParser, namespace: Any, values: Any, option: Optional[str] = None) -> None:
        words = [word.strip().lower() for word in str(values).split(",")]
        for word in words:
            if word not in self.allowed:
                parser.error(f"{option}: {word!r} is none of {', '.join(self.allowed)}")
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or []), *words])


def words(allowed: Sequence[str]) -> Any:
    """An action that takes these values."""
    return type("Words", (Words,), {"allowed": allowed})
