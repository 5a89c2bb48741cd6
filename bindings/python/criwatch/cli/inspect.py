"""criwatch inspect: everything about one container or sandbox."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any, Iterator, Mapping, Tuple

from criwatch import Inspection, InspectFlag, Kind, NotFound, Watcher
from criwatch.cli import options, words
from criwatch.cli.engine import looking
from criwatch.cli.exits import Exit, NothingMatches
from criwatch.cli.nearest import unknown_name
from criwatch.cli.output import print_document
from criwatch.cli.terminal import console, print_line

SUMMARY = "show everything about containers and sandboxes"
DESCRIPTION = """Shows all that the engine gives for one or several containers or sandboxes, in whatever state, also of
those that ended: state, pod, image and so on ("container"), the engine's status with log path, mounts, resources, user
and stop signal ("status"), and its verbose information ("info"). A name is an id, namespace/pod/container (of a
sandbox: namespace/pod), a container's name, a pod's name, or at least 6 hex digits that an id begins with. The values
of environment variables are redacted."""
EXAMPLES = (
    ("in short", "criwatch inspect -o table shop/web-5d9c7b6f4-x2x7q/nginx"),
    ("one value of the engine's own", "criwatch inspect nginx | jq .info.runtimeSpec.linux.cgroupsPath"),
    ("where its log is", "criwatch inspect nginx | jq -r .status.logPath"),
)


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    name = parser.add_argument(
        "names", metavar="NAME", nargs="+", help="container or sandbox: an id, a name, or a prefix"
    )
    options.completed(name, "container")
    options.add_output(parser, "json", "yaml", "table", default="json")
    parser.add_argument("--show-env", action="store_true", help="show the values of environment variables")
    parser.add_argument("--require-process", action="store_true", help="fail (1) if it has no process")


def run(arguments: Namespace) -> Exit:
    """Does it. All names are looked up before anything is printed, so that a script gets all or nothing."""
    flags = InspectFlag(0)
    if arguments.show_env:
        flags |= InspectFlag.SHOW_ENV
    if arguments.require_process:
        flags |= InspectFlag.REQUIRE_PROCESS
    with looking(arguments) as watcher:
        documents = [_document(watcher, name, flags, arguments.timeout) for name in arguments.names]
    for index, document in enumerate(documents):
        if arguments.output == "table":
            if index:
                print()
            _print_summary(Inspection.from_json(document))
        else:
            print_document(document, arguments.output)
    return Exit.OK


def _document(watcher: Watcher, name: str, flags: InspectFlag, timeout: float) -> str:
    try:
        return watcher.inspect_json(name, flags, timeout)
    except NotFound as error:
        raise NothingMatches(unknown_name(watcher, name, error)) from error


def _print_summary(inspection: Inspection) -> None:
    terminal = console()
    for key, text in (*_summary(inspection), *_status(inspection.status)):
        print_line((words.Word(f"{key:<11}", "bold"), text), terminal)


def _status(status: Mapping[str, Any]) -> Iterator[Tuple[str, str]]:
    """The fields that only the engine's status has."""
    if status.get("logPath"):
        yield "Log", status["logPath"]
    user = (status.get("user") or {}).get("linux") or {}
    if user:
        yield "User", f"{user.get('uid', words.NOTHING)}:{user.get('gid', words.NOTHING)}"
    signal = str(status.get("stopSignal") or "").replace("SIGNAL_", "")
    # What every container has is not shown.
    if signal not in ("", "RUNTIME_DEFAULT", "SIGTERM"):
        yield "Stop signal", signal
    resources = (status.get("resources") or {}).get("linux") or {}
    limits = {key: value for key, value in resources.items() if value not in (None, "", "0", 0, [], {})}
    if limits:
        yield "Resources", " ".join(f"{key}={value}" for key, value in limits.items())
    for mount in status.get("mounts") or ():
        yield "Mount", f"{mount['containerPath']} from {mount['hostPath']}{' (ro)' if mount.get('readonly') else ''}"


def _summary(inspection: Inspection) -> Iterator[Tuple[str, str]]:
    """What most want to know, in their order; what does not apply is left out."""
    container = inspection.container
    yield "Name", container.path
    yield "Id", container.id
    yield "Kind", container.kind.name.lower()
    yield "State", words.state(container)
    for key, time in (
        ("Created", container.created_ns),
        ("Started", container.started_ns),
        ("Finished", container.finished_ns),
    ):
        if time:
            yield key, f"{words.moment(time)} ({words.age(time)} ago)"
    if container.exit_code is not None or container.reason:
        yield "Exit", words.Word(" ".join(filter(None, (words.end(container), container.message))), "")
    if words.pid(container) != words.NOTHING:
        yield "Pid", words.pid(container)
    if container.kind == Kind.CONTAINER:
        yield "Restarts", str(container.attempt)
        yield "Image", container.image or words.NOTHING
        yield "Image ref", container.image_ref or words.NOTHING
    if container.pod is not None:
        yield "Pod", f"{container.pod.namespace}/{container.pod.name} ({words.pod_state(container.pod)})"
        yield "Pod uid", container.pod.uid
        yield "Addresses", "host" if container.pod.host_network else ", ".join(container.pod.ips) or words.NOTHING
    yield "Cgroup", container.cgroup_path or words.NOTHING
    for title, pairs in (("Label", container.labels), ("Annotation", container.annotations)):
        for key in sorted(pairs):
            yield title, f"{key}={pairs[key]}"
    if container.missing:
        yield "Not known", ", ".join(
            bit.name or "" for bit in type(container.missing) if bit & container.missing
        ).lower()
