"""criwatch whois: the container to which a process, a cgroup or a namespace belongs."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from criwatch import Container, CriError, NamespaceKind, NotFound, NotYet, Snapshot, Status
from criwatch._json import compact
from criwatch.cli import options, words
from criwatch.cli.engine import looking
from criwatch.cli.exits import Exit
from criwatch.cli.output import print_document
from criwatch.cli.processes import Process, processes, tree
from criwatch.cli.table import cut, cut_in_the_middle, printable
from criwatch.cli.terminal import complain, console, print_line, terminal_width

SUMMARY = "show whose a process, a cgroup or a namespace is"
DESCRIPTION = """Shows the container to which something belongs: any process or thread by its PID; a cgroup by its id in
version 2, as eBPF programs see it, or by its path, as /proc/PID/cgroup shows it; a namespace as /proc/PID/ns shows it:
net:[4026532281]. A number is taken for a PID if such a process exists, else for the id of a cgroup. What is a pod's and no
container's of it gives the pod's sandbox. Exits with 1 unless all belongs to containers.

With -o json it prints one document a line: "asked"; "by", what that was taken for (pid, cgroupId, cgroupPath, namespace);
"owner" (container, host; notYet: of a container that the engine does not have; unknown: there is no such thing); "how" that
is known; and of a container, "container" (as in docs/json.md), "processes" (pid, parent, startTicks, command), and
"sharing", how many are in the namespace."""
EXAMPLES = (
    ("the processes of a container", "criwatch whois $(criwatch inspect -o table nginx | awk '/^Pid/ {print $2}')"),
    (
        "the pod of a cgroup",
        "criwatch whois -o json $(criwatch inspect -o table nginx | awk '/^Cgroup/ {print $2}') | jq -r .container.pod.name",
    ),
)

_KINDS = {kind.word: kind for kind in NamespaceKind}
_LINE = re.compile(r"\d+:[^/:]*:(/.*)")
_NAMESPACE = re.compile(r"([a-z]+):\[(\d+)\]")
#: The kernel has no greater pid (PID_MAX_LIMIT).
_LAST_PID = 4_194_304


@dataclass(frozen=True)
class Asked:
    """What is looked up."""

    text: str
    path: str = ""
    kind: Optional[NamespaceKind] = None
    #: A pid, the id of a cgroup, or the inode of a namespace.
    number: int = 0

    @classmethod
    def parse(cls, text: str) -> Asked:
        """What a word of the command line means."""
        line, namespace = _LINE.fullmatch(text), _NAMESPACE.fullmatch(text)
        if text.startswith("/") or line:
            return cls(text, path=line[1] if line else text)
        if namespace and namespace[1] in _KINDS and int(namespace[2]) < 1 << 64:
            return cls(text, kind=_KINDS[namespace[1]], number=int(namespace[2]))
        if re.fullmatch(r"\d+", text) and 0 < int(text) < 1 << 64:
            return cls(text, number=int(text))
        raise ArgumentTypeError(
            f"{text!r} is no PID, id of a cgroup, path of a cgroup (/...), or namespace ({', '.join(_KINDS)}, as net:[4026532281])"
        )


@dataclass(frozen=True)
class Answer:
    """Whose it is."""

    asked: Asked
    #: What the word was taken for: pid, cgroupId, cgroupPath or namespace.
    by: str
    #: container, host, notYet or unknown.
    owner: str
    #: In a few words: how it was found, or why it is no container's.
    how: str
    container: Optional[Container] = None
    #: Of a namespace: how many share it.
    sharing: int = 0
    processes: Sequence[Process] = ()

    def to_json(self) -> str:
        """As one document."""
        document: Dict[str, Any] = {"asked": self.asked.text, "by": self.by, "owner": self.owner, "how": self.how}
        if self.sharing:
            document["sharing"] = self.sharing
        if self.container:
            document["container"] = self.container.to_dict()
            document["processes"] = [
                {"pid": one.pid, "parent": one.parent, "startTicks": one.start_ticks, "command": one.command}
                for one in self.processes
            ]
        return compact(document)

    def lines(self, width: Optional[int] = None) -> Iterator[Tuple[words.Word, words.Word]]:
        """For people: a key and a value in each line, not wider than `width`; names are cut in the middle."""
        for key, value in self._facts():
            value = words.Word(printable(value), getattr(value, "style", ""))
            if width is not None:
                shorten = cut_in_the_middle if key in ("Container", "Sandbox", "Pod", "Image") else cut
                value = words.Word(shorten(value, max(1, width - _KEYS - 1)), value.style)
            yield words.Word(f"{key:<{_KEYS}}", "bold"), value

    def _facts(self) -> Iterator[Tuple[str, str]]:
        container = self.container
        if container is None:
            return
        yield "Sandbox" if container.is_sandbox else "Container", words.Word(container.name, "bold")
        yield "Pod", container.pod.path if container.pod else words.NOTHING
        if not container.is_sandbox:
            yield "Image", container.image or words.NOTHING
        yield "State", words.state(container)
        yield "Age", words.age(words.since(container))
        yield "Id", words.Word(container.id, "cyan")
        yield "Found by", self.how
        for number, (drawn, one) in enumerate(tree(self.processes)):
            is_asked = self.by == "pid" and one.pid == self.asked.number
            line = f"{drawn}{one.pid} {one.command}"
            yield "" if number else "Processes", words.Word(line, "bold" if is_asked else "")


#: How wide the keys are.
_KEYS = len("Container")


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    asked = parser.add_argument(
        "asked",
        metavar="WHAT",
        nargs="+",
        type=Asked.parse,
        help="a PID, the id or the path of a cgroup, or a namespace: 4711, /kubepods/pod5b0c2f1e, net:[4026532281]",
    )
    options.completed(asked, "process")
    options.add_output(parser, "table", "json", "yaml")
    parser.add_argument("--no-trunc", action="store_true", help="whole lines, however long")


def run(arguments: Namespace) -> Exit:
    """Does it."""
    proc = Path(arguments.option.get("host.root", "/")) / "proc"
    with looking(arguments) as watcher, watcher.snapshot() as snapshot:
        answers = [answer(snapshot, proc, asked) for asked in arguments.asked]
    if arguments.output == "table":
        _print([one for one in answers if one.container], None if arguments.no_trunc else terminal_width())
    else:
        for one in answers:
            print_document(one.to_json(), arguments.output)
    for one in answers:
        if not one.container:
            complain(f"{one.asked.text}: {one.how}")
    return Exit.OK if all(one.container for one in answers) else Exit.NOT_FOUND


def _print(answers: Sequence[Answer], width: Optional[int]) -> None:
    terminal = console()
    for number, one in enumerate(answers):
        if number:
            print()
        for line in one.lines(width):
            print_line(line, terminal)


def answer(snapshot: Snapshot, proc: Path, asked: Asked) -> Answer:
    """Looks it up."""
    by = _by(proc, asked)
    try:
        found, how, sharing = _LOOKUPS[by](snapshot, asked)
    except NotYet:
        why = "it is in a container or pod that this engine does not have, or not yet; another engine may have it"
        return Answer(asked, by, "notYet", why)
    except NotFound as error:
        return Answer(asked, by, "unknown", _nothing(by, asked, error))
    except CriError as error:
        # A number that is no pid need not be meant as a cgroup's id.
        if by != "cgroupId" or asked.number > _LAST_PID or error.status != Status.E_UNSUPPORTED:
            raise
        return Answer(asked, by, "unknown", _nothing(by, asked, error))
    if found is None:
        return Answer(asked, by, "host", "it belongs to the host: to no container of this engine")
    return Answer(asked, by, "container", how, found, sharing, _processes_of(snapshot, proc, found))


def _by(proc: Path, asked: Asked) -> str:
    if asked.path:
        return "cgroupPath"
    if asked.kind is not None:
        return "namespace"
    return "pid" if asked.number <= _LAST_PID and (proc / str(asked.number)).exists() else "cgroupId"


def _nothing(by: str, asked: Asked, error: CriError) -> str:
    if by == "cgroupId" and asked.number <= _LAST_PID:
        return f"there is no process with this pid, and no cgroup ({error})"
    return str(error)


#: A container, or None for the host's; how it was found; how many share what was asked for.
_Found = Tuple[Optional[Container], str, int]


def _by_pid(snapshot: Snapshot, asked: Asked) -> _Found:
    found = snapshot.find_pid(asked.number)
    return found, "its first process" if found and found.pid == asked.number else "a process in its cgroup", 0


def _by_cgroup_id(snapshot: Snapshot, asked: Asked) -> _Found:
    found = snapshot.find_cgroup(asked.number)
    return found, "its own cgroup" if found and found.cgroup_id == asked.number else "a cgroup within its own", 0


def _by_cgroup_path(snapshot: Snapshot, asked: Asked) -> _Found:
    return snapshot.find_cgroup_path(asked.path), "the path of its cgroup", 0


def _by_namespace(snapshot: Snapshot, asked: Asked) -> _Found:
    assert asked.kind is not None
    found, sharing = snapshot.find_namespace(asked.kind, asked.number)
    others = f", shared by {sharing} containers and sandboxes" if sharing > 1 else ""
    return found, f"its {asked.kind.word} namespace{others}", sharing


_LOOKUPS: Dict[str, Callable[[Snapshot, Asked], _Found]] = {
    "pid": _by_pid,
    "cgroupId": _by_cgroup_id,
    "cgroupPath": _by_cgroup_path,
    "namespace": _by_namespace,
}


def _processes_of(snapshot: Snapshot, proc: Path, container: Container) -> List[Process]:
    """The processes of a container, each by its cgroup."""
    every = processes(proc)
    found = snapshot.find_pids([one.pid for one in every], [one.start_ticks for one in every])
    return [one for one, whose in zip(every, found) if whose.container and whose.container.id == container.id]
