"""criwatch engines: the engines of this node."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Iterable

from criwatch.cli import options, words
from criwatch.cli.engine import library_options
from criwatch.cli.exits import Exit
from criwatch.cli.output import print_document
from criwatch.cli.table import Table
from criwatch.cli.terminal import complain, print_table
from criwatch.finder import Candidate, Engines, discover_json

SUMMARY = "list the engines of this node"
DESCRIPTION = """Lists the engines of this node, best first: what the kubelet uses, then what has pods. Without -r, the other
commands take the first. All sockets are asked at once."""
EXAMPLES = (
    ("engines inside containers (kind), too", "criwatch engines --option discover.nested=true"),
    ("why each was looked at", "criwatch engines -o json | jq -r '.engines[] | .api, .reasons[].text'"),
    ("the containers of all of them", "criwatch ps $(criwatch engines -o name | sed 's/^/-r /')"),
)


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    options.add_output(parser, "table", "json", "yaml", "name")


def run(arguments: Namespace) -> Exit:
    """Does it."""
    document = discover_json(library_options(arguments), arguments.timeout)
    found = Engines.from_json(document)
    if arguments.output in ("json", "yaml"):
        print_document(document, arguments.output)
    elif arguments.output == "name":
        for one in found.engines:
            if one.answers:
                print(one.api)
    else:
        print_table(table(found.engines), False)
        for note in found.notes:
            complain(note)
    if not any(one.answers for one in found.engines):
        complain("no engine answers on this node")
        return Exit.UNREACHABLE
    return Exit.OK


def table(engines: Iterable[Candidate]) -> Table:
    """Engines as a table."""
    rows = Table(
        ("ENDPOINT", "ENGINE", "VERSION", "PODS", "PID", "WHY"),
        numbers=("PODS", "PID"),
        soft=("WHY",),
        optional=("PID", "VERSION"),
        names=("ENDPOINT",),
        dispensable=("PODS", "WHY", "ENGINE"),
    )
    for one in engines:
        error = str(one.error.get("message", "")) if one.error else ""
        rows.add(
            words.Word(one.api, "bold" if one.answers else "dim"),
            one.runtime_name or words.NOTHING,
            one.runtime_version or words.NOTHING,
            words.NOTHING if one.sandboxes is None else str(one.sandboxes),
            str(one.pid) if one.pid else words.NOTHING,
            words.Word(one.rank, "") if one.answers else words.Word(error, "red"),
        )
    return rows
