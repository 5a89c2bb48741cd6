"""Golden screens: what a terminal of 40, 80, 120 and 200 columns shows of a node with long names and wide characters.

CRI_BLESS=1 writes them anew.
"""

import contextlib
import io
import os
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from criwatch import Container, EngineInfo, Kind, Missing, Pod, PodEntry, PodState, State, WatcherState
from criwatch.cli import events, pods, ps, top, tree, whois
from criwatch.cli.processes import Process
from criwatch.cli.screen import Screen
from criwatch.cli.table import cut, plain, width_of
from criwatch.cli.words import Word

GOLDEN = Path(__file__).parent / "golden"
WIDTHS = (40, 80, 120, 200)

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


def identifier(number):
    return f"{number * 0x9E3779B97F4A7C15 % (1 << 256):064x}"[::-1]


def pod(number, namespace, name, state=PodState.READY, ips=("10.244.1.17",)):
    return Pod(identifier(number), name, namespace, f"uid-{number}", state=state, ips=ips)


def container(number, pod, name, age, **more):
    known = {"state": State.RUNNING, "pid": 4700 + number, "image": f"registry.example/team/{name}:1.27.{number}", **more}
    return Container(
        identifier(100 + number), name, pod=pod, created_ns=NOW - (age + 2) * SECOND, started_ns=NOW - age * SECOND, **known
    )


def sandbox(number, pod, age):
    state = State.RUNNING if pod.state == PodState.READY else State.EXITED
    return Container(pod.id, pod.name, Kind.SANDBOX, state, pod=pod, pid=4600 + number, created_ns=NOW - age * SECOND)


def ended(**more):
    return {"state": State.EXITED, "pid": None, "finished_ns": NOW - 42 * SECOND, **more}


def node():
    """A node as they are: pods of one deployment that only their ends distinguish, crashes, jobs, other scripts."""
    web = [pod(1 + i, "shop", f"web-frontend-5d9c7b6f4-{end}") for i, end in enumerate(("x2x7q", "9k4zt"))]
    long = pod(3, "observability-platform", "prometheus-kube-state-metrics-collector-7f8c9d6b54-qwert")
    wide = pod(4, "店舗", "决済サービス-7c9b-ｋ8ｚｑ", ips=())
    job = pod(5, "batch", "report-28311840-t5hvw", PodState.NOT_READY)
    system = pod(6, "kube-system", "kube-proxy-b9d7m", ips=("2001:db8:85a3::8a2e:370:7334",))
    of_pods = [
        (system, 500_000, [container(1, system, "kube-proxy", 500_000)]),
        (
            long,
            90_061,
            [
                container(2, long, "kube-state-metrics-and-a-rather-long-name-for-a-container", 90_000),
                container(3, long, "config-reloader", 300, attempt=12),
                container(4, long, "config-reloader", 600, attempt=11, **ended(exit_code=137, reason="OOMKilled")),
            ],
        ),
        (web[0], 3_700, [container(5, web[0], "nginx", 3_661), container(6, web[0], "envoy-sidecar-proxy", 3_660)]),
        (
            web[1],
            125,
            [
                container(7, web[1], "nginx", 121),
                container(8, web[1], "envoy-sidecar-proxy", 5, **ended(exit_code=1, reason="Error", attempt=3)),
            ],
        ),
        (wide, 59, [container(9, wide, "決済", 58, image="例え.example/決済:最新"), container(10, wide, "💳-cache", 7)]),
        (job, 400, [container(11, job, "main", 380, **ended(missing=Missing.EXIT))]),
    ]
    return [PodEntry(one, (sandbox(i, one, age), *inside)) for i, (one, age, inside) in enumerate(of_pods)]


def reported(kind, about=None, **more):
    event = {"type": kind, "time": "2023-11-14T22:13:20.007Z", "state": "watching", **more}
    return event if about is None else {**event, "container": about.to_dict()}


def happened():
    """Events of that node."""
    by_name = {f"{one.path}#{one.attempt}": one for entry in node() for one in entry.containers}
    reloader = "observability-platform/prometheus-kube-state-metrics-collector-7f8c9d6b54-qwert/config-reloader"
    yield reported("state", message="connect unix:///run/containerd/containerd.sock: no such socket (is the engine running?)", state="backoff")
    yield reported("state", state="watching")
    for one in list(by_name.values())[:4]:
        yield reported("started", one, flags=["initial"])
    yield reported("exited", by_name[f"{reloader}#11"], flags=["provisional"])
    yield reported("started", by_name[f"{reloader}#12"])
    yield reported("updated", by_name[f"{reloader}#12"], changed=["pid", "startedAt"])
    for one in by_name.values():
        if "店舗" in one.path:
            yield reported("started", one)
    yield reported("overflow", lost=1234)


class Drawing(unittest.TestCase):
    def drawn(self, screen, make):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            screen.draw(make)
        return out.getvalue()

    def test_only_what_has_changed_is_written(self):
        screen = Screen()
        self.assertIn("\x1b[2J", self.drawn(screen, lambda: ["a", "b"]))
        self.assertEqual(self.drawn(screen, lambda: ["a", "c"]), "\x1b[2;1Hc\x1b[0m\x1b[K")

    def test_a_new_size_in_the_midst_of_a_drawing_is_not_forgotten(self):
        screen = Screen()

        def make():
            screen._on_resize()
            return ["of the old size"]

        self.drawn(screen, make)
        self.assertIn("\x1b[2J", self.drawn(screen, lambda: ["of the new size"]))
        self.assertNotIn("\x1b[2J", self.drawn(screen, lambda: ["later"]))


class Screens(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        for patched in (mock.patch("time.time_ns", lambda: NOW), mock.patch("time.monotonic", lambda: 0.0)):
            patched.start()
            self.addCleanup(patched.stop)

    def golden(self, name, draw):
        for width in WIDTHS:
            with self.subTest(screen=name, columns=width):
                screen = draw(width)
                for line in screen.split("\n"):
                    self.assertLessEqual(width_of(line), width, line)
                path = GOLDEN / f"{name}-{width}.txt"
                if os.environ.get("CRI_BLESS"):
                    GOLDEN.mkdir(exist_ok=True)
                    path.write_text(screen + "\n", encoding="utf-8")
                self.assertEqual(screen + "\n", path.read_text(encoding="utf-8"), "CRI_BLESS=1 writes it anew")

    def test_ps(self):
        containers = [one for entry in node() for one in entry.containers if not one.is_sandbox]
        self.golden("ps", lambda width: plain(ps.table(containers), width))

    def test_pods(self):
        self.golden("pods", lambda width: plain(pods.table(node()), width))

    def test_whois(self):
        everything = [one for entry in node() for one in entry.containers]
        of_long = next(one for one in everything if one.name == "config-reloader" and one.state == State.RUNNING)
        members = (
            Process(4704, 1, 7, "config-reloader: 主进程 --watch /etc/prometheus/rules --listen 0.0.0.0:8080"),
            Process(4710, 4704, 9, "sh -c while true; do sleep 5; reload --endpoint http://127.0.0.1:9090/-/reload; done"),
            Process(4711, 4710, 9, "sleep 5"),
            Process(4712, 4704, 9, "[sh]"),
            Process(4799, 2, 9, "sh"),
        )
        process = whois.Answer(whois.Asked.parse("4711"), "pid", "container", "a process in its cgroup", of_long, 0, members)
        pods_own = next(one for one in everything if one.is_sandbox and one.pod.namespace == "店舗")
        network = whois.Answer(
            whois.Asked.parse("net:[4026532281]"), "namespace", "container",
            "its net namespace, shared by 3 containers and sandboxes", pods_own, 3, (Process(4604, 1, 7, "/pause"),),
        )  # fmt: skip

        def draw(width):
            lines = [*process.lines(width), ("", ""), *network.lines(width)]
            return "\n".join(" ".join(line).rstrip() for line in lines)

        self.golden("whois", draw)

    def test_top(self):
        view = SimpleNamespace(
            lines=lambda: tree.lines(node(), everything=True),
            is_fresh=lambda identifier: False,
            state=WatcherState.WATCHING,
            engine=EngineInfo(version="containerd 2.1.9 [API v1]", id="node-17", events="stream"),
            everything=True,
            order="name",
            trouble="",
        )

        def draw(width):
            rows = top.Window().rows(view, 24, width)
            # As the terminal's own drawing does with what is too long.
            return "\n".join(cut(gap.join(words).rstrip(), width) for words, gap in rows)

        self.golden("top", draw)

    def test_events(self):
        def draw(width):
            return "\n".join(" ".join(events.Line.of(one).fitted(width)).rstrip() for one in happened())

        self.golden("events", draw)

    def test_names_are_whole_before_a_column_is_let_go_and_rows_of_one_pod_are_alike(self):
        containers = [one for entry in node() for one in entry.containers if not one.is_sandbox]
        short = [one for one in containers if one.pod.namespace in ("shop", "kube-system")]
        table = ps.table(short)
        for width in range(40, 200):
            lines = plain(table, width).split("\n")
            columns = lines[0].split()
            if "IMAGE" in columns:
                # No name is cut while there is a column that can go.
                for one in short:
                    self.assertTrue(any(line.startswith(f"{one.name} ") and one.pod.name in line for line in lines), width)
            gone = [name for name in ("EXIT", "RESTARTS", "PID", "IMAGE") if name not in columns]
            self.assertEqual(gone, ["EXIT", "RESTARTS", "PID", "IMAGE"][: len(gone)], width)
            # The pods of one deployment stay apart, and the rows of one pod together.
            shown = {one.pod.name: set() for one in short}
            rest = [line.split() for line in lines[1:]]
            for one, words in zip(short, rest):
                shown[one.pod.name].add(words[1])
            self.assertEqual({len(each) for each in shown.values()}, {1}, width)
            self.assertEqual(len({next(iter(each)) for each in shown.values()}), len(shown), width)

    def test_750_containers(self):
        many = [
            container(n, pod(n, f"team-{n % 7}", f"service-{n % 30}-5d9c7b6f4-{n:05x}"), f"main-{n}", n) for n in range(750)
        ]
        table = ps.table(many)
        for width in WIDTHS:
            lines = plain(table, width).split("\n")
            self.assertEqual(len(lines), 751)
            self.assertLessEqual(max(map(width_of, lines)), width)
        self.assertIsInstance(table.rows[0][0], Word)


if __name__ == "__main__":
    unittest.main()
