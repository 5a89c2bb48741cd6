"""The message where nothing matches: which option it is, and what there is instead."""

from __future__ import annotations

import difflib
from argparse import Namespace
from dataclasses import replace
from typing import Iterable, List, Sequence, Set, Tuple

from criwatch import Container, NotFound, Query, State, Watcher
from criwatch.cli import words
from criwatch.cli.selection import query

#: How many names are offered.
_MOST = 5


def nothing_matches(watcher: Watcher, arguments: Namespace) -> str:
    """Why the options select nothing, with the nearest names."""
    given = _given(query(arguments))
    # What the engine has in any state, of any kind, and what has gone.
    there = watcher.list(all=True, gone=True).containers
    for flag, value, part in given:
        if not watcher.list(replace(part, all=True, gone=True)).containers:
            return f"nothing matches {flag} {value}{_offer(value, _names(flag, there))}"
    matched = watcher.list(replace(query(arguments), all=True)).containers
    states = sorted({words.state(one) for one in matched if one.state != State.RUNNING})
    if given and not matched:
        return f"nothing matches {' '.join(f'{flag} {value}' for flag, value, _ in given)} together"
    chosen: Sequence[str] = getattr(arguments, "state", None) or ()
    if chosen:
        given.append(("--state", ",".join(chosen), Query()))
    what = " ".join(f"{flag} {value}" for flag, value, _ in given)
    hint = f" (there is what is {', '.join(states)}: -a shows it)" if states and not chosen else ""
    return f"nothing matches {what}{hint}" if what else f"nothing runs{hint}"


def unknown_name(watcher: Watcher, name: str, error: NotFound) -> str:
    """The library's message for a name that nothing has, with the nearest names."""
    there = watcher.list(all=True, gone=True).containers
    return f"{error}{_offer(name, {one.path for one in there} | {one.name for one in there})}"


def _given(selection: Query) -> List[Tuple[str, str, Query]]:
    """The options that were given, each with the query for it alone."""
    flags = {"namespace": "--namespace", "pod": "--pod", "name": "--name", "selector": "--label"}
    return [
        (flag, str(getattr(selection, key)), replace(Query(), **{key: getattr(selection, key)}))
        for key, flag in flags.items()
        if getattr(selection, key)
    ]


def _names(flag: str, there: Iterable[Container]) -> Set[str]:
    """What could have been given to an option."""
    pods = {one.pod for one in there if one.pod is not None}
    return {
        "--namespace": lambda: {pod.namespace for pod in pods},
        "--pod": lambda: {pod.name for pod in pods} | {pod.path for pod in pods},
        "--name": lambda: {one.name for one in there},
    }.get(flag, set)()


def _offer(value: str, names: Iterable[str]) -> str:
    every = sorted(names)
    # What begins alike or has it inside is near, whatever else there is: pods' names end in digits that nobody types.
    begins = [name for name in every if name.startswith(value)]
    holds = [name for name in every if value in name]
    near = list(dict.fromkeys([*begins, *holds, *difflib.get_close_matches(value, every, _MOST, 0.5)]))[:_MOST]
    if near:
        return f": did you mean {' or '.join(near)}?"
    shown = ", ".join(every[:_MOST]) + (f" and {len(every) - _MOST} more" if len(every) > _MOST else "")
    return f" (there is: {shown})" if every else ""
