"""The command on a simulated engine, as a script sees it: what it prints into a pipe, and how it exits."""

import contextlib
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import criwatch
from criwatch import Query
from criwatch.cli import main
from criwatch.cli.exits import MEANINGS, Exit
from criwatch.cli.parser import COMMANDS
from criwatch.cli.terminal import complain
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
        watcher = criwatch.Watcher(self.engine.endpoint, {"details": "full"}, logger=None)
        self.addCleanup(watcher.close)
        watcher.resync(PATIENCE)
        return watcher


class Lists(CommandTest):
    def names(self, *words):
        return self.says("ps", "-o", "name", *words).split()

    def test_columns_are_stable(self):
        lines = [line.split() for line in self.says("ps", "-a").splitlines()]
        head = ["NAME", "POD", "NAMESPACE", "ID", "STATE", "AGE", "PID", "RESTARTS", "EXIT", "IMAGE"]
        self.assertEqual(lines[0], head)
        # No cell is empty or has a space: any tool can cut them.
        self.assertEqual({len(line) for line in lines}, {len(head)})
        job = next(line for line in lines if line[0] == "job")
        self.assertEqual((job[1:3], job[4], job[6:9]), (["web", "shop"], "exited", ["-", "0", "Error(3)"]))
        self.assertRegex(job[3], "^[0-9a-f]{13}$")
        app = next(line for line in lines if line[0] == "app")
        self.assertGreater(int(app[6]), 1)

    def test_selection(self):
        self.assertEqual(self.names(), ["data/db/store", "shop/web/app", "shop/web/proxy"])
        everything = ["data/db/store", "data/old/past", "shop/web/app", "shop/web/job", "shop/web/proxy"]
        self.assertEqual(self.names("-a"), everything)
        self.assertEqual(self.names("--all", "--namespace", "data"), ["data/db/store", "data/old/past"])
        self.assertEqual(self.names("--pod", "web"), ["shop/web/app", "shop/web/proxy"])
        for pod in (self.web, self.web[:13], self.web[:6], "shop/web"):
            self.assertEqual(self.names("-p", pod, "--name", "app"), ["shop/web/app"])
            self.assertEqual(self.says("pods", "-p", pod, "-o", "name"), "shop/web\n")
        self.assertEqual(self.names("-l", "tier=front", "-l", "!none"), ["shop/web/app", "shop/web/proxy"])
        self.assertEqual(self.names("--state", "Exited"), ["data/old/past", "shop/web/job"])
        self.assertEqual(self.names("-s", "exited,running", "-s", "created"), everything)
        self.assertEqual(self.names("--sandboxes", "--namespace", "data"), ["data/db", "data/db/store"])

    def test_ids(self):
        ids = self.says("ps", "-q").split()
        self.assertEqual([self.library().get(one).path for one in ids], self.names())
        self.assertEqual(self.says("ps", "-q", "-o", "json").split(), ids)
        for line, identifier in zip(self.says("ps", "--no-trunc").splitlines()[1:], ids):
            self.assertEqual(line.split()[3], identifier)

    def test_json_is_the_librarys_to_the_byte(self):
        watcher = self.library()
        query = Query(kind="container", all=True, namespace="shop")
        output = self.says("ps", "-a", "--namespace", "shop", "-o", "json")
        self.assertEqual(without_moment(output), without_moment(watcher.list_json(query) + "\n"))
        output = self.says("pods", "-a", "-o", "json")
        self.assertEqual(without_moment(output), without_moment(watcher.pods_json(Query(all=True)) + "\n"))
        ready = json.loads(self.says("pods", "-o", "json"))
        self.assertEqual((ready["schema"], [pod["name"] for pod in ready["pods"]]), ("criwatch.pods/1", ["db", "web"]))
        output = self.says("inspect", "app", "-o", "json")
        self.assertEqual(without_moment(output), without_moment(watcher.inspect_json("app") + "\n"))

    def test_pods(self):
        lines = [line.split() for line in self.says("pods").splitlines()]
        self.assertEqual(lines[0], ["NAME", "NAMESPACE", "ID", "STATE", "AGE", "RUNNING", "RESTARTS", "IP"])
        reported = [[*line[:2], line[3]] for line in lines[1:]]
        self.assertEqual(reported, [["db", "data", "ready"], ["web", "shop", "ready"]])
        self.assertEqual(lines[2][5], "2/3")
        self.assertEqual(self.says("pods", "--state", "NotReady", "-o", "name"), "data/old\n")
        self.assertEqual(self.says("pods", "-q", "--pod", "web"), self.web + "\n")
        self.assertEqual(self.says("pods", "-l", "tier=front", "-o", "name"), "shop/web\n")

    def test_yaml(self):
        output = self.says("ps", "-o", "yaml", "--name", "app")
        self.assertTrue(output.startswith("---\nschema: criwatch.containers/1\n"), output)
        self.assertIn("\n  name: app\n", output)


class Others(CommandTest):
    def test_inspect(self):
        both = self.says("inspect", "app", "shop/web").splitlines()
        self.assertEqual([json.loads(line)["container"]["kind"] for line in both], ["container", "sandbox"])
        short = self.says("inspect", "-o", "table", "job")
        self.assertRegex(short, r"(?m)^Name +shop/web/job$")
        self.assertRegex(short, r"(?m)^Exit +Error\(3\)")
        # A pod is found by its name alone.
        self.assertEqual(json.loads(self.says("inspect", "web"))["container"]["id"], self.web)
        self.assertIn("no process", self.says("inspect", "--require-process", "job", code=Exit.NOT_FOUND))

    def test_info(self):
        output = self.says("info")
        for line in (
            "name +containerd",
            "by +the engine's event stream",
            "runtime ready +yes",
            "pods +1 not ready, 2 ready",
        ):
            self.assertRegex(output, f"(?m)^  {line}")
        report = json.loads(self.says("info", "-o", "json"))
        self.assertEqual((report["schema"], report["engine"]["events"]), ("criwatch.info/1", "stream"))
        self.assertEqual(report["missing"], {"exit": 2})

    def test_top_once(self):
        output = self.says("top", "--once")
        self.assertRegex(output, r"(?m)^shop/web +ready ")
        self.assertRegex(output, r"(?m)^  job +exited .* Error\(3\) \d+s")
        self.assertNotIn("data/old", output)
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
    def test_what_matches_nothing_is_reported_with_the_nearest_names(self):
        for words, expected in (
            (["ps", "--namespace", "shp"], "nothing matches --namespace shp: did you mean shop?"),
            (["ps", "--namespace", "zzz"], "nothing matches --namespace zzz (there is: data, shop)"),
            (["ps", "-p", "wib"], "nothing matches --pod wib: did you mean web?"),
            (["ps", "-p", "0123456789abc"], "nothing matches --pod 0123456789abc (there is: data/db, "),
            (["pods", "-p", "0123456789abc"], "nothing matches --pod 0123456789abc (there is: data/db, "),
            (["pods", "--namespace", "dat"], "nothing matches --namespace dat: did you mean data?"),
            (["ps", "--name", "proxi"], "nothing matches --name proxi: did you mean proxy?"),
            (["ps", "-l", "tier=back"], "nothing matches --label tier=back\n"),
            (["ps", "--namespace", "data", "--name", "app"], "nothing matches --namespace data --name app together"),
            (["ps", "-s", "created"], "nothing matches --state created\n"),
            (["ps", "-p", "old"], "nothing matches --pod old (there is what is exited, notready: -a shows it)"),
            (["pods", "-p", "old"], "nothing matches --pod old (there is what is exited, notready: -a shows it)"),
            (["pods", "-s", "unknown"], "nothing matches --state unknown\n"),
            (["top", "--once", "--namespace", "shp"], "nothing matches --namespace shp: did you mean shop?"),
            (["inspect", "shop/web/ap"], 'the id or name "shop/web/ap": did you mean shop/web/app'),
            (["events", "--until-exit", "nothing/there"], 'the id or name "nothing/there"'),
            (["events", "--until-exit", "prox"], 'the id or name "prox": did you mean proxy'),
        ):  # fmt: skip
            output = self.says(*words, code=Exit.NOT_FOUND)
            self.assertIn(f"{expected}", output, words)
            self.assertEqual((output.count("\n"), output.startswith("criwatch: ")), (1, True), words)
        # A document is a document, whatever is in it.
        ran = run(["ps", "--name", "none", "-o", "json", "-r", self.engine.endpoint])
        self.assertEqual((ran.returncode, json.loads(ran.stdout)["containers"]), (Exit.NOT_FOUND, []))
        for words in (["ps", "--name", "none"], ["ps", "--name", "none", "-q"], ["pods", "-p", "none"]):
            ran = run([*words, "-r", self.engine.endpoint])
            self.assertEqual((ran.returncode, ran.stdout), (Exit.NOT_FOUND, ""), words)

    def test_a_node_without_containers_is_no_failure(self):
        with Engine() as engine:
            for words in (["ps"], ["ps", "-q"], ["pods", "-a"], ["top", "--once"]):
                ran = run([*words, "-r", engine.endpoint])
                self.assertEqual((ran.returncode, ran.stderr), (Exit.OK, ""), words)
            output = run(["ps", "--namespace", "x", "-r", engine.endpoint])
            self.assertEqual((output.returncode, output.stderr), (1, "criwatch: nothing matches --namespace x\n"))

    def test_output_that_cannot_be_written(self):
        for words, unbuffered in itertools.product(
            (["ps"], ["inspect", "app"], ["--help"], ["completion", "bash"], ["events", "-t", "started"]), ("", "1")
        ):
            environment = {**os.environ, "CRI_RUNTIME_ENDPOINT": self.engine.endpoint, "PYTHONUNBUFFERED": unbuffered}
            with open("/dev/full", "w") as full:
                ran = subprocess.run(
                    [*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, env=environment
                )
            expected = "criwatch: the output cannot be written: No space left on device\n"
            self.assertEqual((ran.returncode, ran.stderr), (Exit.OUTPUT, expected), words)
        command = " ".join([*COMMAND, "ps", "-r", self.engine.endpoint, ">&-"])
        ran = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((ran.returncode, ran.stderr.count("\n")), (Exit.OUTPUT, 1), ran.stderr)

    def test_errors_are_one_line_in_a_pipe(self):
        bare = {"CRI_RUNTIME_ENDPOINT": "", "CONTAINER_RUNTIME_ENDPOINT": ""}
        # Nothing listens below this root, so that the message has all that was tried.
        with tempfile.TemporaryDirectory() as root:
            ran = run(["ps", "--option", f"host.root={root}"], **bare)
        self.assertEqual((ran.returncode, ran.stdout), (Exit.UNREACHABLE, ""))
        self.assertRegex(ran.stderr, r"\Acriwatch: .*containerd.sock: .*; connect .*crio.sock: [^\n]*\n\Z")

    def test_nothing_that_an_engine_says_reaches_the_terminal_as_a_command(self):
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            complain("refused: \x1b]0;title\x07\x9b2J\r\nand \x1b[31mmore")
        output = "criwatch: refused: \\x1b]0;title\\x07\\x9b2J and \\x1b[31mmore\n"
        self.assertEqual(err.getvalue(), output)

    def test_a_relative_path_is_an_endpoint(self):
        path = self.engine.endpoint[len("unix://") :]
        for folder, endpoint in ((os.path.dirname(path), "cri.sock"), (os.path.dirname(path), "./cri.sock"), ("/", path[1:])):
            for words, environment in ((["-r", endpoint], {}), ([], {"CRI_RUNTIME_ENDPOINT": endpoint})):
                ran = run(["ps", "-q", *words], cwd=folder, **environment)
                self.assertEqual((ran.returncode, len(ran.stdout.split()), ran.stderr), (0, 3, ""), endpoint)

    def test_nothing_asked_for_is_answered_by_the_help(self):
        ran = run([])
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual(ran.stdout, run(["--help"]).stdout)

    def test_help_fits(self):
        for columns in (60, 80, 100, 120):
            for name in ("", *COMMANDS):
                for line in run([name, "--help"][not name :], COLUMNS=str(columns)).stdout.splitlines():
                    # Commands are there to be copied.
                    if not re.match(r"  (criwatch|source) ", line) and not (columns == 60 and "{" in line):
                        self.assertLess(len(line), columns, name)
        wide = run(["ps", "--help"], COLUMNS="100").stdout
        self.assertGreater(max(map(len, wide.splitlines())), 85)

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
            output = self.says(*words, code=Exit.USAGE)
            self.assertRegex(output, r"\Acriwatch: .*\n\Z", words)

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

    def test_a_refused_permission_is_reported_at_once_with_what_to_do(self):
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

    def test_the_help_has_all_exit_codes(self):
        output = run(["--help"]).stdout
        self.assertEqual(list(MEANINGS), sorted(MEANINGS))
        for code in MEANINGS:
            self.assertRegex(output, rf"(?m)^ +{code.value}  ")
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

        # Output that never comes must not be waited for without end.
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
        self.until(child, r"Z exited   [0-9a-f]{13} shop/web/app exit=137 reason=Error ran=\S+ \(provisional\)$")
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

    def test_an_end_that_has_been(self):
        self.engine.tell("kill app KILL")
        self.engine.tell("wait app exited")
        for name in ("app", "shop/web/app"):
            output, complaints = self.started("--until-exit", name, "-t", "state").communicate(timeout=PATIENCE)
            self.assertEqual(complaints, "")
            self.assertNotIn("exited", output)

    def test_a_selection_of_nothing_says_so_and_waits(self):
        child = self.started("-p", "late", "-t", "started")
        expected = "criwatch: nothing matches --pod late (there is: shop/web, web) (waiting for what comes)\n"
        self.assertEqual(child.stderr.readline(), expected)
        self.engine.tell("wait-subscribed 1")
        self.engine.tell("pod late ns=shop job")
        self.until(child, r"Z started  [0-9a-f]{13} shop/late")

    def test_selection(self):
        self.engine.tell("create web late -- exit 0")
        child = self.started(
            "-l", "tier=front", "--kind", "container", "--name", "app", "-t", "exited", "--until-exit", "late"
        )
        self.engine.tell("wait-subscribed 1")
        for line in ("kill proxy KILL", "kill app KILL", "pod other ns=x app2", "kill app2 KILL"):
            self.engine.tell(line)
        self.engine.tell("start late")
        output, complaints = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, complaints), (0, ""))
        self.assertEqual([line.split()[3] for line in output.splitlines()], ["shop/web/app"])

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


def run(words, cwd=None, **environment):
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **environment},
        cwd=cwd,
    )


def without_moment(document):
    """Two looks differ in when they looked, and in what the engine was asked."""
    return re.sub(r'"(generation|asOf)":("[^"]*"|\d+),', "", document)


if __name__ == "__main__":
    unittest.main()
