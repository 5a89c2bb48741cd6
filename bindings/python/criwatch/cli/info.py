"""criwatch info: which engine this is, how changes are noticed and why, what is missing, and what it cost."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from typing import Any, Dict, Iterator, Optional, Tuple

import criwatch
from criwatch import ContainerList, CriError, Kind, Query, RpcFailed, Status, Watcher
from criwatch._json import compact
from criwatch.cli import options, words
from criwatch.cli.engine import follow, looking
from criwatch.cli.exits import Exit
from criwatch.cli.output import print_document
from criwatch.cli.table import Table
from criwatch.cli.terminal import console, print_line, print_table

SUMMARY = "show the engine and what it can do"
DESCRIPTION = """Shows which engine this is and whether it is ready, how changes are noticed and why so, what is not
known of its containers, and what the look has cost."""
EXAMPLES = (("does this engine stream events?", "criwatch info -o json | jq -r .engine.events"),)

_CONDITIONS = {"RuntimeReady": "runtime ready", "NetworkReady": "network ready"}
#: The library asks later how those ended that had exited before it came.
_LATER = {"exit": " (inspect, ps -a and top ask for it)"}
_WAYS = {"stream": "the engine's event stream", "poll": "listing again and again"}


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    options.add_output(parser, "table", "json", "yaml")


def run(arguments: Namespace) -> Exit:
    """Does it."""
    with looking(arguments) as watcher:
        # How changes are noticed is known once they are followed.
        follow(watcher, arguments.timeout)
        status = _status(watcher, arguments.timeout)
        containers = watcher.list(Query(all=True))
        report = _report(watcher, status, containers)
    if arguments.output == "table":
        _print(report)
    else:
        print_document(compact(report), arguments.output)
    return Exit.OK


def _status(watcher: Watcher, timeout: float) -> Optional[Dict[str, Any]]:
    try:
        status: Dict[str, Any] = watcher.call("RuntimeService/Status", {}, timeout)
    except RpcFailed:
        return None
    except CriError as error:
        if error.status == Status.E_UNSUPPORTED:
            return None
        raise
    return status


def _report(watcher: Watcher, status: Optional[Dict[str, Any]], listed: ContainerList) -> Dict[str, Any]:
    """The library's documents "criwatch.stats/1" (with the engine) and, beside it, what else there is to say."""
    report: Dict[str, Any] = json.loads(watcher.stats_json())
    kinds = Counter(f"{one.kind.name.lower()}/{one.state.name.lower()}" for one in listed.containers)
    missing = Counter(
        (bit.name or "").lower() for one in listed.containers for bit in type(one.missing) if bit & one.missing
    )
    report["schema"] = "criwatch.info/1"
    report["library"] = {"version": criwatch.version(), "abi": criwatch.abi_version(), "file": criwatch.library_path()}
    report["counts"] = dict(sorted(kinds.items()))
    report["missing"] = dict(sorted(missing.items()))
    if status is not None:
        report["status"] = {key: value for key, value in status.items() if key != "info"}
    return report


def _print(report: Dict[str, Any]) -> None:
    terminal = console()
    for title, lines in (
        ("Engine", _engine(report)),
        ("How changes are noticed", _changes(report)),
        ("What is there", _picture(report)),
        ("This library", _library(report)),
    ):
        print_line((words.Word(title, "bold"),), terminal)
        for key, text in lines:
            print_line((f"  {key:<13}", text), terminal)
    print_line((words.Word("What this look has asked", "bold"),), terminal)
    print_table(_requests(report))


def _engine(report: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    engine = report["engine"]
    yield "name", words.Word(engine.get("version", words.NOTHING), "bold")
    yield "endpoint", engine["api"]
    yield "node", engine.get("id", words.NOTHING)
    yield "pid", str(engine.get("pid", words.NOTHING))
    for condition in report.get("status", {}).get("status", {}).get("conditions", []):
        is_met, kind = condition.get("status", False), condition["type"]
        # Engines add conditions of their own: of interest only when they are not met.
        if is_met and kind not in _CONDITIONS:
            continue
        why = ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
        yield _CONDITIONS.get(kind, kind), words.Word(
            "yes" if is_met else f"no {why}".rstrip(), "green" if is_met else "red"
        )
    handlers = [one["name"] for one in report.get("status", {}).get("runtimeHandlers", []) if one.get("name")]
    if handlers:
        yield "handlers", ", ".join(handlers)


def _changes(report: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    engine = report["engine"]
    way = engine.get("events", "")
    yield "by", words.Word(_WAYS.get(way, way or words.NOTHING), "green" if way == "stream" else "yellow")
    yield "because", engine.get("eventsReason", words.NOTHING)
    yield "state", report["state"]


def _picture(report: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    counts: Dict[str, int] = report["counts"]
    names = {"running": "ready", "exited": "not ready"}
    for kind, title in ((Kind.SANDBOX, "pods"), (Kind.CONTAINER, "containers")):
        of_kind = {key.split("/")[1]: n for key, n in counts.items() if key.startswith(f"{kind.name.lower()}/")}
        parts = (f"{n} {names.get(state, state) if kind == Kind.SANDBOX else state}" for state, n in of_kind.items())
        yield title, ", ".join(parts) or "none"
    missing = ", ".join(f"{what} of {n}{_LATER.get(what, '')}" for what, n in report["missing"].items())
    yield "not known", words.Word(missing or "nothing is missing", "" if missing else "green")


def _library(report: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    library = report["library"]
    yield "version", f"{library['version']} (ABI {library['abi']})"
    yield "file", library["file"]


def _requests(report: Dict[str, Any]) -> Table:
    table = Table(("  REQUEST", "COUNT", "FAILED", "MEAN", "LONGEST"), numbers=("COUNT", "FAILED", "MEAN", "LONGEST"))
    for name, one in report["requests"].items():
        mean = one["totalMicros"] / max(1, one["count"])
        failed = words.Word(str(one["failures"]), "red" if one["failures"] else "")
        table.add(f"  {name}", str(one["count"]), failed, f"{mean / 1000:.1f}ms", f"{one['maxMicros'] / 1000:.1f}ms")
    return table
