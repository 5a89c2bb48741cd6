"""What the options select, as the library's query: there is one meaning of a selection, the library's."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Dict

from criwatch import Query, Watcher

#: Decisions are forgotten beyond so many, so that a long watch does not grow.
_MEMORY = 20_000


def query(arguments: Namespace) -> Query:
    """The query of the options."""
    return Query(
        namespace=arguments.namespace,
        pod=arguments.pod,
        name=getattr(arguments, "name", None),
        selector=",".join(arguments.label) or None,
    )


def is_narrowed(arguments: Namespace) -> bool:
    """Whether the options leave anything out."""
    return query(arguments) != Query() or bool(getattr(arguments, "state", None))


class Filter:
    """Says whether a container is selected; of the dead, too."""

    def __init__(self, watcher: Watcher, selection: Query) -> None:
        self._watcher = watcher
        self._query = replace(selection, all=True, gone=True, fields=["id"])
        self._is_open = selection == Query()
        self._decided: Dict[str, bool] = {}

    def selects(self, container_id: str) -> bool:
        """Whether the container with this id is selected. What it goes by hardly changes, so it is asked once."""
        if self._is_open:
            return True
        if container_id not in self._decided:
            if len(self._decided) >= _MEMORY:
                self._decided.clear()
            selected = {one.id for one in self._watcher.list(self._query).containers}
            self._decided[container_id] = container_id in selected
        return self._decided[container_id]
