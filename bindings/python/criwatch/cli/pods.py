"""criwatch pods: pods."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import Any, Iterable, Sequence, Tuple

from criwatch import Kind, PodEntry, PodList, State
from criwatch._json import compact
from criwatch.cli import options, words
from criwatch.cli.engine import looking_at_all
from criwatch.cli.exits import Exit, NothingMatches
from criwatch.cli.nearest import nothing_matches
from criwatch.cli.output import print_for_scripts
from criwatch.cli.selection import is_narrowed, query
from criwatch.cli.table import Table
from criwatch.cli.terminal import print_table

SUMMARY = "list pods"
DESCRIPTION = "Lists the pods that are ready, with how many of their containers run, sorted by namespace and name."
EXAMPLES = (
    ("all pods that the engine has", "criwatch pods -a"),
    ("addresses by name", "criwatch pods -o json | jq -r '.pods[] | \"\\(.name) \\(.ips[0])\"'"),
)

#: The library's words for --state.
_STATES = {"ready": "ready", "notready": "notReady", "unknown": "unknown"}


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    options.add_selection(parser, name=False)
    parser.add_argument("-a", "--all", action="store_true", help="pods in any state")
    parser.add_argument(
        "-s",
        "--state",
        metavar="STATE",
        action=options.words(tuple(_STATES)),
        help="only these states: ready, notready, unknown; with commas, or repeated",
    )
    options.add_table_output(parser)


def run(arguments: Namespace) -> Exit:
    """Does it."""
    rows = table(())
    with looking_at_all(arguments) as watchers:
        is_printed, matches = False, False
        for watcher in watchers:
            document = watcher.pods_json(replace(query(arguments), all=True)) or ""
            if not arguments.all or arguments.state:
                document = _of_states(document, [_STATES[word] for word in arguments.state or ["ready"]])
            entries = PodList.from_json(document).pods
            matches = matches or bool(entries)
            # One document for each engine, which says whose it is.
            is_printed = print_for_scripts(arguments, document, ((one.pod.id, one.pod.path) for one in entries))
            rows.rows += table(entries, arguments.no_trunc).rows
        if not matches and is_narrowed(arguments):
            raise NothingMatches(nothing_matches(watchers[0], arguments))
    if not is_printed:
        print_table(rows, arguments.no_trunc)
    return Exit.OK


def _of_states(document: str, states: Sequence[str]) -> str:
    """The library's document without the pods in other states; a query knows the states of containers only."""
    value: Any = json.loads(document)
    value["pods"] = [pod for pod in value["pods"] if pod["state"] in states]
    return compact(value)


def table(entries: Iterable[PodEntry], whole: bool = False) -> Table:
    """Pods as a table."""
    rows = Table(
        ("NAME", "NAMESPACE", "ID", "STATE", "AGE", "RUNNING", "RESTARTS", "IP"),
        numbers=("RESTARTS",),
        ids=("ID",),
        optional=("RESTARTS", "IP"),
        names=("NAME", "NAMESPACE"),
        dispensable=("AGE", "ID", "RUNNING", "STATE"),
    )
    for entry in entries:
        running, total, restarts = counts(entry)
        rows.add(
            words.Word(entry.pod.name, "bold"),
            entry.pod.namespace,
            words.Word(words.short_id(entry.pod.id, whole), "cyan"),
            words.pod_state(entry.pod),
            words.age(created(entry)),
            words.Word(f"{running}/{total}", "" if running == total else "yellow"),
            words.Word(str(restarts), "yellow" if restarts else ""),
            entry.pod.ips[0] if entry.pod.ips else "host" if entry.pod.host_network else words.NOTHING,
        )
    return rows


def counts(entry: PodEntry) -> Tuple[int, int, int]:
    """How many of a pod's containers run, how many there are, and how often they were restarted. Attempts are one."""
    newest = {}
    for container in sorted(entry.containers, key=lambda one: one.attempt):
        if container.kind == Kind.CONTAINER:
            newest[container.name] = container
    running = sum(container.state == State.RUNNING for container in newest.values())
    return running, len(newest), sum(container.attempt for container in newest.values())


def created(entry: PodEntry) -> Any:
    """When a pod was created: its sandbox knows."""
    return next((one.created_ns for one in entry.containers if one.kind == Kind.SANDBOX), None)
