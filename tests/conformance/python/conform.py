"""The conformance programme in Python: see tests/conformance/README.md. `criwatch` has to be on the module path."""

import select
import sys
import time
from typing import Callable, Dict, Iterable, List, Optional

import criwatch
from criwatch import (
    Changed,
    Container,
    ContainerFlag,
    CriError,
    EngineNewsType,
    Event,
    EventFlag,
    EventType,
    Kind,
    LogLevel,
    Missing,
    Mount,
    MountFlag,
    NamespaceKind,
    Namespaces,
    Pod,
    PodFlag,
    PodState,
    Port,
    Previous,
    Resources,
    State,
    User,
    WatcherState,
)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if ord(c) >= 0x20 else f"\\x{ord(c):02x}" for c in escaped) + '"'


def given(word: str) -> Optional[str]:
    """A parameter that may be "not given"."""
    return None if word == "-" else word


def seconds(milliseconds: str) -> Optional[float]:
    return None if int(milliseconds) < 0 else int(milliseconds) / 1000


def bits(flags) -> str:
    return str(flags) or "-"


def pairs(labels) -> str:
    return "{" + ",".join(f"{quoted(key)}={quoted(value)}" for key, value in labels.items()) + "}"


def yes(number: Optional[int]) -> str:
    return "yes" if number else "no"


def container_line(c: Container) -> str:
    return (
        f"container kind={c.kind} state={c.state} flags={bits(c.flags)} attempt={c.attempt} id={quoted(c.id)}"
        f" name={quoted(c.name)} pod={quoted(c.pod.id) if c.pod else '-'} pid={c.pid or 0}"
        f" ticks={yes(c.pid_start_ticks)} exit={-1 if c.exit_code is None else c.exit_code} missing={bits(c.missing)}"
        f" image={quoted(c.image)} image_ref={quoted(c.image_ref)} image_id={quoted(c.image_id)}"
        f" reason={quoted(c.reason)} message={quoted(c.message)} cgroup={quoted(c.cgroup_path)}"
        f" created={c.created_ns or 0} started={c.started_ns or 0} finished={c.finished_ns or 0}"
        f" labels={pairs(c.labels)} annotations={pairs(c.annotations)} rucksack={quoted(c.rucksack)}"
        f" engine_pid={c.engine_pid or 0} cgroup_id={c.cgroup_id or 0} namespaces={namespaces(c.namespaces)}"
        f" repository={quoted(c.image_repository)} tag={quoted(c.image_tag)} digest={quoted(c.image_digest)}"
        f" log_path={quoted(c.log_path)} command={texts(c.command)} args={texts(c.args)}"
        f" working_dir={quoted(c.working_dir)} user={user(c.user)} mounts=[{','.join(mount(m) for m in c.mounts)}]"
        f" resources={resources(c.resources)} previous={previous(c.previous)}"
    )


def texts(all_texts: Iterable[str]) -> str:
    return "[" + ",".join(quoted(one) for one in all_texts) + "]"


def mount(m: Mount) -> str:
    return f"{quoted(m.container_path)}={quoted(m.host_path)}:{bits(m.flags)}"


def port(p: Port) -> str:
    return f"{quoted(p.container)}/{quoted(p.name)}:{p.container_port}:{p.host_port or 0}/{quoted(p.protocol)}"


def user(u: Optional[User]) -> str:
    return "-" if u is None else f"{u.uid}:{u.gid}:[{','.join(str(group) for group in u.groups)}]"


def resources(r: Optional[Resources]) -> str:
    if r is None:
        return "-"
    oom = "-" if r.oom_score_adj is None else r.oom_score_adj
    return (
        f"{{shares={r.cpu_shares or 0} quota={r.cpu_quota or 0} period={r.cpu_period or 0} cpus={quoted(r.cpuset_cpus)}"
        f" mems={quoted(r.cpuset_mems)} memory={r.memory_limit or 0} swap={r.swap_limit or 0} oom={oom}}}"
    )


def previous(p: Optional[Previous]) -> str:
    if p is None:
        return "-"
    code = -1 if p.exit_code is None else p.exit_code
    return f"{{exit={code} reason={quoted(p.reason)} finished={p.finished_ns or 0}}}"


def namespaces(n: Optional[Namespaces]) -> str:
    if n is None:
        return "-"
    kinds = ("net", "mnt", "pid", "ipc", "uts", "user", "cgroup")
    return "{" + " ".join(f"{kind}={getattr(n, kind) or 0}" for kind in kinds) + "}"


def pod_line(p: Pod) -> str:
    return (
        f"pod id={quoted(p.id)} name={quoted(p.name)} namespace={quoted(p.namespace)} uid={quoted(p.uid)}"
        f" attempt={p.attempt} state={p.state} flags={bits(p.flags)} ips={texts(p.ips)} labels={pairs(p.labels)}"
        f" annotations={pairs(p.annotations)} cgroup={quoted(p.cgroup_path)}"
        f" created={p.created_ns or 0} handler={quoted(p.runtime_handler)} net={p.net_namespace or 0}"
        f" ports=[{','.join(port(one) for one in p.ports)}]"
    )


class Refused(Exception):
    """What the programme itself has to say no to."""


class Note(Exception):
    """A note that is no error."""


class Programme:
    """One dialogue."""

    def __init__(self) -> None:
        self.watcher: Optional[criwatch.Watcher] = None
        self.queue: Optional[criwatch.EventQueue] = None
        self.snapshot: Optional[criwatch.Snapshot] = None
        self.kept: Optional[Container] = None
        self.last_seq = 0
        self.lines: List[str] = []

    def run(self) -> None:
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
        # By iteration, stdin would be read ahead.
        for line in iter(sys.stdin.readline, ""):
            command = line.rstrip("\n")
            answer = self.answer(command)
            sys.stdout.write("".join(f"  {data}\n" for data in self.lines) + answer + "\n")
            sys.stdout.flush()
            if command == "quit":
                return
        self.do_quit()

    def answer(self, line: str) -> str:
        self.lines = []
        name, _, rest = line.partition(" ")
        if name == "callback":
            # Python follows events by queues: no thread of the library's ever enters the interpreter.
            return "unsupported"
        method = getattr(self, f"do_{name.replace('-', '_')}", None)
        try:
            if method is None:
                raise Refused(f"no command {name}")
            more = method(*self.parameters(method, rest))
            return f"ok {more}" if more else "ok"
        except Note as note:
            return str(note)
        except Refused as reason:
            self.lines = []
            return f"CRI_E_INVALID_ARGUMENT grpc=-1 os=0 retriable=0 {quoted(str(reason))}"
        except CriError as error:
            if error.status > 0:
                return criwatch.status_name(error.status)[len("CRI_"):]
            grpc = -1 if error.grpc_code is None else error.grpc_code
            return (
                f"{criwatch.status_name(error.status)} grpc={grpc} os={error.errno or 0}"
                f" retriable={int(error.retriable)} {quoted(str(error))}"
            )

    @staticmethod
    def parameters(method: Callable[..., Optional[str]], rest: str) -> List[str]:
        """A command's parameters, of which the last takes the rest of the line."""
        count = method.__code__.co_argcount - 1
        parts = rest.split(" ", count - 1) if count and rest else []
        if len(parts) != count:
            raise Refused(f"{count} parameters, not {len(parts)}")
        return parts

    def the_watcher(self) -> criwatch.Watcher:
        if self.watcher is None:
            raise Refused("no watcher")
        return self.watcher

    def the_queue(self) -> criwatch.EventQueue:
        if self.queue is None:
            raise Refused("no queue")
        return self.queue

    def the_snapshot(self) -> criwatch.Snapshot:
        if self.snapshot is None:
            raise Refused("no snapshot")
        return self.snapshot

    def say(self, text: Optional[str]) -> None:
        """One line of data; where there is none, the note that says so."""
        if text is None:
            raise Note("NONE")
        self.lines.append(text)

    # The library itself.

    def do_version(self) -> str:
        return f"abi={criwatch.abi_version()} number={criwatch.version_number()} version={criwatch.version()}"

    def do_constants(self) -> None:
        for name, value in vars(criwatch.constants).items():
            if name.startswith("CRI_") and not name.startswith("CRI_VERSION_"):
                self.say(f"{name}={quoted(value) if isinstance(value, str) else value}")

    def do_statuses(self) -> None:
        for status in criwatch.Status:
            self.say(f"{int(status)} {criwatch.status_name(status)}")

    def do_names(self) -> None:
        for enumeration in (
            EventType, EventFlag, Kind, State, PodState, PodFlag, Missing, Changed, ContainerFlag, MountFlag, WatcherState,
            EngineNewsType, LogLevel, NamespaceKind,
        ):
            self.say(" ".join(str(member) for member in enumeration.__members__.values()))

    def do_options(self) -> None:
        self.say(criwatch.describe_options_json())

    # From the start of the watcher to its end.

    def do_new(self, words: str) -> None:
        endpoint, *pairs_given = words.split(" ")
        options: Dict[str, str] = {}
        for pair in pairs_given:
            key, _, value = pair.partition("=")
            options[key] = value
        self.free_all()
        self.watcher = criwatch.Watcher(given(endpoint), options, logger=None)

    def do_start(self) -> None:
        self.the_watcher().start()

    def do_stop(self) -> None:
        self.the_watcher().stop()

    def do_free(self) -> None:
        self.the_watcher()
        self.free_all()

    def free_all(self) -> None:
        for thing in (self.queue, self.snapshot, self.watcher):
            if thing is not None:
                thing.close()
        self.queue = self.snapshot = self.watcher = None

    def do_wait_ready(self, milliseconds: str) -> None:
        self.the_watcher().wait_ready(seconds(milliseconds))

    def do_resync(self, milliseconds: str) -> None:
        self.the_watcher().resync(seconds(milliseconds))

    def do_state(self) -> str:
        return str(self.the_watcher().state)

    def do_generation(self) -> str:
        return "nonzero" if self.the_watcher().generation else "zero"

    # Memory and engine.

    def do_list(self, query: str) -> None:
        self.say(self.the_watcher().list_json(given(query)))

    def do_pods(self, query: str) -> None:
        self.say(self.the_watcher().pods_json(given(query)))

    def do_get(self, name: str) -> None:
        self.say(self.the_watcher().get_json(name))

    def do_engine(self) -> None:
        self.say(self.the_watcher().engine_info_json())

    def do_stats(self) -> None:
        self.say(self.the_watcher().stats_json())

    def do_inspect(self, flags: str, milliseconds: str, name: str) -> None:
        self.say(self.the_watcher().inspect_json(name, criwatch.InspectFlag(int(flags)), seconds(milliseconds)))

    def do_call(self, method: str, milliseconds: str, request: str) -> None:
        self.say(self.the_watcher().call_json(method, given(request), seconds(milliseconds)))

    def do_attach(self, name: str, rucksack: str) -> None:
        self.the_watcher().attach_json(name, given(rucksack))

    def do_snapshot(self) -> None:
        taken = self.the_watcher().snapshot()
        if self.snapshot is not None:
            self.snapshot.close()
        self.snapshot = taken
        for container in self.snapshot.containers:
            self.say(container_line(container))
        for pod in self.snapshot.pods:
            self.say(pod_line(pod))

    def do_find(self, name: str) -> None:
        self.say(container_line(self.the_snapshot().find(name)))

    def do_keep(self, name: str) -> None:
        self.kept = self.the_snapshot().find(name)

    def do_kept(self) -> None:
        if self.kept is None:
            raise Refused("nothing is kept")
        self.say(container_line(self.kept))

    # Events.

    def do_queue(self, mask: str, flags: str, capacity: str) -> None:
        made = self.the_watcher().queue(
            mask=int(mask), flags=criwatch.SubscribeFlag(int(flags)), capacity=int(capacity)
        )
        if self.queue is not None:
            self.queue.close()
        self.queue, self.last_seq = made, 0

    def do_next(self, milliseconds: str) -> None:
        self.say_event(self.take(seconds(milliseconds)))

    def do_until(self, type_name: str, name: str, milliseconds: str) -> None:
        limit = seconds(milliseconds)
        deadline = None if limit is None else time.monotonic() + limit
        while True:
            event = self.take(None if deadline is None else max(deadline - time.monotonic(), 0))
            self.say_event(event)
            about = event.container.name if event.container else None
            if str(event.type) == type_name and name in ("-", about):
                return

    def do_wait_fd(self, milliseconds: str) -> None:
        poll = select.poll()
        poll.register(self.the_queue(), select.POLLIN)
        if not poll.poll(None if int(milliseconds) < 0 else int(milliseconds)):
            raise Note("AGAIN")

    def do_drop(self) -> None:
        self.the_queue().close()
        self.queue = None

    def do_quit(self) -> None:
        self.free_all()

    def take(self, timeout: Optional[float]) -> Event:
        event = self.the_queue().next(timeout)
        if event is None:
            raise Note("AGAIN")
        return event

    def say_event(self, event: Event) -> None:
        seq = "grows" if event.seq > self.last_seq else f"{event.seq} after {self.last_seq}"
        self.last_seq = event.seq
        self.say(
            f"event type={event.type} flags={bits(event.flags)}"
            f" changed={bits(event.changed)} lost={event.lost} state={event.watcher_state}"
            f" level={int(event.log_level or 0)} time={yes(event.time_ns)} seq={seq} message={quoted(event.message)}"
        )
        if event.container:
            self.say(container_line(event.container))
            if event.container.pod:
                self.say(pod_line(event.container.pod))


if __name__ == "__main__":
    Programme().run()
