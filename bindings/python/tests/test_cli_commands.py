"""The command on a simulated engine, as a script sees it: what it prints into a pipe, and how it exits."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import unittest

import criwatch
from criwatch import Query
from criwatch.cli import main
from criwatch.cli.exits import MEANINGS, Exit
from engine import PATIENCE, Engine

COMMAND = (sys.executable, "-X", "dev", "-m", "criwatch")


class CommandTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.__exit__, None, None, None)
        cls.web = cls.engine.tell("pod web ns=shop label=tier=front app proxy")["id"]
        cls.engine.tell("create web job -- exit 3")
        cls.engine.tell("start job")
        cls.engine.tell("wait job exited")
        cls.engine.tell("pod db ns=data store")
        cls.engine.tell("pod old ns=data past")
        cls.engine.tell("stop-pod old")

    def says(self, *words, code=Exit.OK):
        """What the command says on stdout; of a failure, on stderr."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            ended = main([*words, "-r", self.engine.endpoint])
        self.assertEqual((ended, bool(err.getvalue())), (code, code != Exit.OK), err.getvalue())
        return out.getvalue() if code == Exit.OK else err.getvalue()

    def library(self):
        watcher = criwatch.Watcher(self.engine.endpoint, logger=None)
        self.addCleanup(watcher.close)
        watcher.resync(PATIENCE)
        return watcher


class Lists(CommandTest):
    def names(self, *words):
        return self.says("ps", "-o", "name", *words).split()

    def test_columns_are_stable(self):
        lines = [line.split() for line in self.says("ps", "-a").splitlines()]
        head = ["CONTAINER", "NAME", "POD", "NAMESPACE", "STATE", "AGE", "PID", "RESTARTS", "EXIT", "IMAGE"]
        self.assertEqual(lines[0], head)
        # No cell is empty or has a space: any tool can cut them.
        self.assertEqual({len(line) for line in lines}, {len(head)})
        job = next(line for line in lines if line[1] == "job")
        self.assertEqual((job[2:5], job[6:9]), (["web", "shop", "exited"], ["-", "0", "Error(3)"]))
        self.assertRegex(job[0], "^[0-9a-f]{13}$")
        app = next(line for line in lines if line[1] == "app")
        self.assertGreater(int(app[6]), 1)

    def test_selection(self):
        self.assertEqual(self.names(), ["data/db/store", "shop/web/app", "shop/web/proxy"])
        everything = ["data/db/store", "data/old/past", "shop/web/app", "shop/web/job", "shop/web/proxy"]
        self.assertEqual(self.names("-a"), everything)
        self.assertEqual(self.names("--all", "--namespace", "data"), ["data/db/store", "data/old/past"])
        self.assertEqual(self.names("--pod", "web"), ["shop/web/app", "shop/web/proxy"])
        self.assertEqual(self.names("-p", self.web, "--name", "app"), ["shop/web/app"])
        self.assertEqual(self.names("-l", "tier=front", "-l", "!none"), ["shop/web/app", "shop/web/proxy"])
        self.assertEqual(self.names("--state", "Exited"), ["data/old/past", "shop/web/job"])
        self.assertEqual(self.names("-s", "exited,running", "-s", "created"), everything)
        self.assertEqual(self.names("--sandboxes", "--namespace", "data"), ["data/db", "data/db/store"])
        self.assertEqual(self.names("--name", "none"), [])

    def test_ids(self):
        ids = self.says("ps", "-q").split()
        self.assertEqual([self.library().get(one).path for one in ids], self.names())
        self.assertEqual(self.says("ps", "-q", "-o", "json").split(), ids)
        for line, identifier in zip(self.says("ps", "--no-trunc").splitlines()[1:], ids):
            self.assertEqual(line.split()[0], identifier)

    def test_json_is_the_librarys_to_the_byte(self):
        watcher = self.library()
        query = Query(kind="container", all=True, namespace="shop")
        said = self.says("ps", "-a", "--namespace", "shop", "-o", "json")
        self.assertEqual(without_moment(said), without_moment(watcher.list_json(query) + "\n"))
        said = self.says("pods", "-a", "-o", "json")
        self.assertEqual(without_moment(said), without_moment(watcher.pods_json(Query(all=True)) + "\n"))
        ready = json.loads(self.says("pods", "-o", "json"))
        self.assertEqual((ready["schema"], [pod["name"] for pod in ready["pods"]]), ("criwatch.pods/1", ["db", "web"]))
        said = self.says("inspect", "app", "-o", "json")
        self.assertEqual(without_moment(said), without_moment(watcher.inspect_json("app") + "\n"))

    def test_pods(self):
        lines = [line.split() for line in self.says("pods").splitlines()]
        self.assertEqual(lines[0], ["POD", "NAME", "NAMESPACE", "STATE", "AGE", "RUNNING", "RESTARTS", "IP"])
        self.assertEqual([line[1:4] for line in lines[1:]], [["db", "data", "ready"], ["web", "shop", "ready"]])
        self.assertEqual(lines[2][5], "2/3")
        self.assertEqual(self.says("pods", "--state", "NotReady", "-o", "name"), "data/old\n")
        self.assertEqual(self.says("pods", "-q", "--pod", "web"), self.web + "\n")
        self.assertEqual(self.says("pods", "-l", "tier=front", "-o", "name"), "shop/web\n")

    def test_yaml(self):
        said = self.says("ps", "-o", "yaml", "--name", "app")
        self.assertTrue(said.startswith("---\nschema: criwatch.containers/1\n"), said)
        self.assertIn("\n  name: app\n", said)


class Others(CommandTest):
    def test_inspect(self):
        both = self.says("inspect", "app", "shop/web").splitlines()
        self.assertEqual([json.loads(line)["container"]["kind"] for line in both], ["container", "sandbox"])
        short = self.says("inspect", "-o", "table", "job")
        self.assertRegex(short, r"(?m)^Name +shop/web/job$")
        self.assertRegex(short, r"(?m)^Exit +Error\(3\)")
        self.assertIn("no process", self.says("inspect", "--require-process", "job", code=Exit.NOT_FOUND))

    def test_info(self):
        said = self.says("info")
        for line in (
            "name +containerd",
            "by +the engine's event stream",
            "runtime ready +yes",
            "pods +1 not ready, 2 ready",
        ):
            self.assertRegex(said, f"(?m)^  {line}")
        report = json.loads(self.says("info", "-o", "json"))
        self.assertEqual((report["schema"], report["engine"]["events"]), ("criwatch.info/1", "stream"))
        self.assertEqual(report["missing"], {"exit": 2})

    def test_top_once(self):
        said = self.says("top", "--once")
        self.assertRegex(said, r"(?m)^shop/web +ready ")
        self.assertRegex(said, r"(?m)^  job +exited .* Error\(3\) \d+s")
        self.assertNotIn("data/old", said)
        self.assertIn("data/old", self.says("top", "--once", "-a"))
        self.assertIn("top needs a terminal", self.says("top", code=Exit.USAGE))

    def test_the_endpoint_comes_from_before_after_or_the_environment(self):
        bare = {"CRI_RUNTIME_ENDPOINT": "", "CONTAINER_RUNTIME_ENDPOINT": ""}
        for words, environment in (
            (["-r", self.engine.endpoint, "ps", "-q"], {}),
            (["ps", "-q", "--runtime-endpoint", self.engine.endpoint], {}),
            (["ps", "-q"], {"CONTAINER_RUNTIME_ENDPOINT": self.engine.endpoint}),
            (["ps", "-q"], {"CRI_RUNTIME_ENDPOINT": self.engine.endpoint, "CONTAINER_RUNTIME_ENDPOINT": "/none"}),
        ):
            ran = run(words, **{**bare, **environment})
            self.assertEqual((ran.returncode, len(ran.stdout.split()), ran.stderr), (0, 3, ""), words)


class Failures(CommandTest):
    def test_names(self):
        self.assertIn('"nobody"', self.says("inspect", "nobody", code=Exit.NOT_FOUND))
        # All or nothing.
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(main(["inspect", "app", "nobody", "-r", self.engine.endpoint]), Exit.NOT_FOUND)
        self.assertEqual(out.getvalue(), "")

    def test_usage(self):
        for words in (
            ["nosuch"], ["ps", "--nosuch"], ["ps", "-o", "xml"], ["ps", "-s", "alive"], ["ps", "-l", "a in ("],
            ["ps", "--timeout", "soon"], ["ps", "--option", "nosuch=1"], ["ps", "--option", "nosuch"], ["inspect"],
        ):  # fmt: skip
            said = self.says(*words, code=Exit.USAGE)
            self.assertRegex(said, r"\Acriwatch: .*\n\Z", words)

    def test_an_engine_that_is_not_there(self):
        for command in ("ps", "pods", "events", "info"):
            ran = run([command, "-r", "unix:///nowhere/cri.sock"])
            self.assertEqual((ran.returncode, ran.stdout), (Exit.UNREACHABLE, ""))
            self.assertRegex(ran.stderr, r"\Acriwatch: .*/nowhere/cri.sock.*\n\Z")

    def test_an_engine_that_does_not_answer(self):
        with Engine() as engine:
            engine.tell("fault stall on")
            ran = run(["ps", "-r", engine.endpoint, "--timeout", "100ms"])
        self.assertEqual((ran.returncode, ran.stdout), (Exit.UNREACHABLE, ""))

    def test_a_refused_permission_is_told_at_once_with_what_to_do(self):
        # Everything is loaded first: this user may not be able to read it.
        program = (
            "import os, sys, criwatch\n"
            "from criwatch.cli import main, parser\n"
            "criwatch.version(), parser.parse(['ps'])\n"
            "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "else: os.chmod(sys.argv[1], 0)\n"
            "sys.exit(main(sys.argv[2:]))"
        )
        with Engine() as engine:
            path = engine.endpoint[len("unix://") :]
            for command in ("ps", "events", "info"):
                words = [sys.executable, "-c", program, path, command, "-r", engine.endpoint]
                ran = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual((ran.returncode, ran.stdout), (Exit.REFUSED, ""), ran.stderr)
                self.assertRegex(ran.stderr, "permission denied .*run as root or join the socket's group")

    def test_a_library_that_is_not_there(self):
        ran = run(["ps"], CRIWATCH_LIBRARY="/nowhere/libcriwatch.so.1")
        self.assertEqual(ran.returncode, Exit.LIBRARY)
        self.assertRegex(ran.stderr, r"\Acriwatch: .*CRIWATCH_LIBRARY\n\Z")

    def test_the_help_tells_all_exit_codes(self):
        said = run(["--help"]).stdout
        for code in MEANINGS:
            self.assertRegex(said, rf"(?m)^ +{code.value}  ")
        self.assertEqual(set(MEANINGS), set(Exit))


class Events(unittest.TestCase):
    def setUp(self):
        self.engine = Engine()
        self.addCleanup(self.engine.__exit__, None, None, None)
        self.engine.tell("pod web ns=shop label=tier=front app proxy")

    def started(self, *words, **environment):
        child = subprocess.Popen(
            [*COMMAND, "events", "-r", self.engine.endpoint, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

        # What is never said must not be waited for without end.
        limit = threading.Timer(PATIENCE, child.kill)
        limit.start()

        def end():
            limit.cancel()
            child.kill()
            child.communicate()

        self.addCleanup(end)
        return child

    def until(self, child, pattern):
        """Lines up to the one that matches."""
        lines = []
        for line in child.stdout:
            lines.append(line)
            if re.search(pattern, line):
                return lines
        self.fail(f"{pattern!r} is not in {lines}: {child.communicate()[1]}")

    def test_lines(self):
        child = self.started()
        # A replay has no order between its containers.
        for _ in range(3):
            self.until(child, r"Z started  [0-9a-f]{13} shop/web\S* .*pid=\d+ \(initial\)$")
        self.engine.tell("kill app KILL")
        self.until(child, r"Z exited   [0-9a-f]{13} shop/web/app exit=137 reason=Error lived=\S+ \(provisional\)$")
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(PATIENCE), Exit.INTERRUPTED)
        self.assertEqual(child.stderr.read(), "")

    def test_json_lines_are_the_librarys(self):
        child = self.started("-o", "json")
        lines = [json.loads(line) for line in self.until(child, "replayEnd")]
        self.assertEqual({line["schema"] for line in lines}, {"criwatch.event/1"})
        initial = [line["container"]["name"] for line in lines if "initial" in line.get("flags", ())]
        self.assertEqual(sorted(initial), ["app", "proxy", "web"])

    def test_no_replay(self):
        child = self.started("--no-replay", "-o", "json", "-t", "started,removed,state")
        # It follows once it has subscribed.
        self.engine.tell("wait-subscribed 1")
        self.engine.tell("pod late ns=shop job")
        lines = [json.loads(line) for line in self.until(child, '"name":"job"')]
        names = [line["container"]["name"] for line in lines if "container" in line]
        self.assertLessEqual(set(names), {"late", "job"})

    def test_selection(self):
        child = self.started(
            "-l", "tier=front", "--kind", "container", "--name", "app", "-t", "exited", "--until-exit", "late"
        )
        self.engine.tell("wait-subscribed 1")
        for line in ("kill proxy KILL", "kill app KILL", "pod other ns=x app2", "kill app2 KILL"):
            self.engine.tell(line)
        self.engine.tell("create web late -- exit 0")
        self.engine.tell("start late")
        said, complaints = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, complaints), (0, ""))
        self.assertEqual([line.split()[3] for line in said.splitlines()], ["shop/web/app"])

    def test_a_reader_that_leaves_ends_it_without_a_word(self):
        child = self.started()
        self.assertIn("started", child.stdout.readline())
        child.stdout.close()
        # Nothing more happens on this engine: the leaving itself is noticed.
        self.assertEqual(child.wait(PATIENCE), Exit.BROKEN_PIPE)
        self.assertEqual(child.stderr.read(), "")

    def test_in_a_real_pipeline(self):
        command = " ".join([*COMMAND, "events", "-r", self.engine.endpoint])
        ran = subprocess.run(f"{command} | head -n 1", shell=True, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((ran.returncode, len(ran.stdout.splitlines()), ran.stderr), (0, 1, ""))

    def test_an_engine_that_is_lost_and_comes_back(self):
        child = self.started("-t", "state")
        self.engine.tell("wait-subscribed 1")
        self.engine.tell("down")
        self.until(child, r"Z state    backoff .*connect")
        self.engine.tell("up")
        self.until(child, r"Z state    watching")


def run(words, **environment):
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **environment}
    )


def without_moment(document):
    """Two looks differ in when they looked, and in what the engine was asked."""
    return re.sub(r'"(generation|asOf)":("[^"]*"|\d+),', "", document)


if __name__ == "__main__":
    unittest.main()
