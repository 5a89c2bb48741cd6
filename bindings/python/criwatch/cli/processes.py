"""Processes as /proc shows them, and the trees that they make. No process is looked at longer than its files take to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Tuple


@dataclass(frozen=True)
class Process:
    """A process as it was at one moment."""

    pid: int
    parent: int
    #: When it began, in clock ticks since boot.
    start_ticks: int
    #: The command line; of a process without one, its name in brackets.
    command: str

    @classmethod
    def read(cls, proc: Path, pid: int) -> Optional[Process]:
        """The process with this pid; None: there is none."""
        try:
            stat = (proc / str(pid) / "stat").read_text(errors="replace")
            line = (proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            return None
        # The name may have anything in it, parentheses, too.
        name, _, rest = stat.partition("(")[2].rpartition(")")
        fields = rest.split()
        command = line.replace(b"\0", b" ").decode(errors="replace").strip()
        return cls(pid, int(fields[1]), int(fields[19]), command or f"[{name}]")


def processes(proc: Path) -> List[Process]:
    """All processes of this /proc."""
    pids = sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdigit())
    return [one for one in (Process.read(proc, pid) for pid in pids) if one is not None]


def tree(members: Iterable[Process]) -> Iterator[Tuple[str, Process]]:
    """Processes below their parents, each with what is drawn before it."""
    children: Dict[int, List[Process]] = {}
    known = {one.pid: one for one in members}
    for one in known.values():
        # A first process, or one that was exec'd into the container: its parent is not among them.
        parent = one.parent if one.parent in known and one.parent != one.pid else 0
        children.setdefault(parent, []).append(one)
    return _below(0, "", children)


def _below(parent: int, indent: str, children: Dict[int, List[Process]]) -> Iterator[Tuple[str, Process]]:
    of_it = children.get(parent, [])
    for number, one in enumerate(of_it):
        is_last = number == len(of_it) - 1
        drawn, further = ("", "") if parent == 0 else ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield indent + drawn, one
        yield from _below(one.pid, indent + further, children)
