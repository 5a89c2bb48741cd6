"""criwatch ps: containers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import Iterable

from criwatch import Container, ContainerList, Query, State
from criwatch.cli import options, words
from criwatch.cli.engine import Ends, looking_at_all
from criwatch.cli.exits import Exit, NothingMatches
from criwatch.cli.nearest import nothing_matches
from criwatch.cli.output import print_for_scripts
from criwatch.cli.selection import is_narrowed, query
from criwatch.cli.table import Table
from criwatch.cli.terminal import print_table

SUMMARY = "list containers"
DESCRIPTION = "Lists the containers that run, sorted by namespace, pod and name."
EXAMPLES = (
    ("everything in one namespace, also what has exited", "criwatch ps -a --namespace shop"),
    ("ids for a script", "criwatch ps -q -l app=web"),
    ("pids by name", "criwatch ps -o json | jq -r '.containers[] | \"\\(.pod.name)/\\(.name) \\(.pid)\"'"),
)


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    options.add_selection(parser)
    parser.add_argument("-a", "--all", action="store_true", help="containers in any state")
    parser.add_argument(
        "-s",
        "--state",
        metavar="STATE",
        action=options.words(options.STATES),
        help=f"only these states: {', '.join(options.STATES)}; with commas, or repeated",
    )
    parser.add_argument("--sandboxes", action="store_true", help="the pods' sandboxes (pause containers), too")
    options.add_table_output(parser)


def run(arguments: Namespace) -> Exit:
    """Does it."""
    rows = table(())
    with looking_at_all(arguments) as watchers:
        is_printed, matches = False, False
        for watcher in watchers:
            document = watcher.list_json(_query(arguments)) or ""
            containers = ContainerList.from_json(document).containers
            matches = matches or bool(containers)
            # One document for each engine, which says whose it is.
            is_printed = print_for_scripts(arguments, document, ((one.id, one.path) for one in containers))
            if not is_printed:
                ends = Ends(watcher, arguments.timeout)
                rows.rows += table(map(ends.complete, containers), arguments.no_trunc).rows
        if not matches and is_narrowed(arguments):
            raise NothingMatches(nothing_matches(watchers[0], arguments))
    if not is_printed:
        print_table(rows, arguments.no_trunc)
    return Exit.OK


def _query(arguments: Namespace) -> Query:
    selection = query(arguments)
    if not arguments.sandboxes:
        selection = replace(selection, kind="container")
    return replace(selection, states=arguments.state) if arguments.state else replace(selection, all=arguments.all)


def table(containers: Iterable[Container], whole: bool = False) -> Table:
    """Containers as a table."""
    rows = Table(
        ("NAME", "POD", "NAMESPACE", "ID", "STATE", "AGE", "PID", "RESTARTS", "EXIT", "IMAGE"),
        numbers=("PID", "RESTARTS"),
        ids=("ID",),
        soft=("IMAGE",),
        optional=("EXIT", "RESTARTS", "PID", "IMAGE"),
        names=("NAME", "POD", "NAMESPACE"),
        dispensable=("AGE", "NAMESPACE", "ID", "STATE"),
    )
    for container in containers:
        rows.add(
            words.Word(container.name, "bold"),
            container.pod.name if container.pod else words.NOTHING,
            container.pod.namespace if container.pod else words.NOTHING,
            words.Word(words.short_id(container.id, whole), "cyan"),
            words.state(container),
            words.age(words.since(container)),
            words.pid(container),
            words.Word(str(container.attempt), "yellow" if container.attempt else ""),
            words.end(container) if container.state == State.EXITED else words.NOTHING,
            words.Word(container.image or words.NOTHING, "dim"),
        )
    return rows
