"""The command on a terminal: colours, what fits, and top. These need rich, and pyte as the terminal."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

import yaml as pyyaml

from criwatch.cli import yaml
from criwatch.cli.exits import Exit
from emulator import Terminal
from engine import PATIENCE, Engine
from test_cli_words import Yaml

COMMAND = (sys.executable, "-X", "dev", "-m", "criwatch")


class TerminalTest(unittest.TestCase):
    def setUp(self):
        self.engine = Engine()
        self.addCleanup(self.engine.__exit__, None, None, None)
        self.engine.tell("pod web ns=shop label=tier=front app proxy")

    def on_terminal(self, *words, **how):
        terminal = Terminal(*COMMAND, *words, "-r", self.engine.endpoint, **how)
        self.addCleanup(terminal.close)
        return terminal


class Colours(TerminalTest):
    def test_on_a_terminal_only_and_not_where_nobody_wants_them(self):
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            terminal = self.on_terminal("ps", **environment)
            self.assertEqual(terminal.end(), 0)
            self.assertEqual(bool(re.search(rb"\x1b\[[0-9;]*3[1-7]m", terminal.raw)), coloured, environment)
            self.assertIn(" running ", terminal.text)
        piped = subprocess.run([*COMMAND, "ps", "-r", self.engine.endpoint], capture_output=True, timeout=PATIENCE)
        self.assertNotIn(b"\x1b", piped.stdout)

    def test_tables_fit(self):
        self.engine.tell("pod prometheus-kube-state-metrics-collector-7f8c9d6b54-qwert ns=observability-platform 決済 app2")
        for width in (40, 60, 80, 120, 200):
            for words, rows in ((["ps"], 5), (["pods"], 3), (["top", "--once"], 7)):
                terminal = self.on_terminal(*words, columns=width)
                self.assertEqual(terminal.end(), 0)
                lines = [line for line in terminal.text.splitlines() if line]
                self.assertEqual(len(lines), rows, terminal.text)
                self.assertIn("qwert", terminal.text)
            terminal = self.on_terminal("events", "-t", "started", columns=width)
            terminal.wait_for(lambda text: text.count(" started ") == 6, "the replay")
            self.assertEqual(len([line for line in terminal.text.splitlines() if line]), 6, terminal.text)
            terminal.press("\x03")
            terminal.end()
        whole = self.on_terminal("ps", "--no-trunc", columns=60)
        self.assertEqual(whole.end(), 0)
        self.assertIn("registry.example/app:1.0", whole.text.replace("\n", ""))

    def test_help_fits_the_terminal(self):
        for width in (60, 80, 120):
            terminal = self.on_terminal("top", "--help", columns=width, lines=80)
            self.assertEqual(terminal.end(), 0)
            # No line goes on in the next one, and so none is longer than the terminal is wide.
            written = [line for line in terminal.raw.decode().split("\r\n")]
            self.assertLessEqual(max(map(len, written)), width)
            self.assertIn("page up, page down", re.sub(r"\s+", " ", terminal.text))

    def test_errors_have_a_line_for_each_cause(self):
        bare = Terminal(
            *COMMAND, "ps", "--option", f"host.root={os.path.dirname(__file__)}", columns=200,
            CRI_RUNTIME_ENDPOINT="", CONTAINER_RUNTIME_ENDPOINT="",
        )  # fmt: skip
        self.addCleanup(bare.close)
        self.assertEqual(bare.end(), Exit.UNREACHABLE)
        self.assertRegex(bare.text, r"(?m)^criwatch: .*\n  connect unix://.*containerd.sock: .*\n  connect unix://.*crio.sock: ")

    def test_json_is_for_eyes(self):
        terminal = self.on_terminal("inspect", "app", columns=200, lines=600)
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(json.loads(terminal.text)["container"]["name"], "app")
        self.assertIn('  "container": {', terminal.text)

    def test_events(self):
        terminal = self.on_terminal("events", "-t", "started")
        terminal.wait_for(lambda text: text.count("(initial)") == 3, "the replay")
        terminal.press("\x03")
        self.assertEqual(terminal.end(), Exit.INTERRUPTED)
        self.assertNotIn("Traceback", terminal.text)

    def test_yaml_is_yaml(self):
        self.assertEqual(pyyaml.safe_load(yaml.dump(Yaml.VALUE)), Yaml.VALUE)
        hostile = {"a": "\x1b[31m \x9b2J \x7f \u202e \U000e0001 \u2028"}
        self.assertEqual(pyyaml.safe_load(yaml.dump(hostile)), hostile)


class Top(TerminalTest):
    def top(self, *words, **how):
        terminal = self.on_terminal("top", *words, **how)
        terminal.wait_for(lambda text: "q: end" in text, "the foot")
        return terminal

    def ends_clean(self, terminal, code):
        self.assertEqual((terminal.end(), terminal.is_clean()), (code, []), terminal.raw[-300:])
        # Nothing of the screen is left, and nothing is printed.
        self.assertEqual(re.sub(rb"\x1b\[\?(25h|1049l)", b"", terminal.raw[terminal.raw.rindex(b"\x1b[?25h") :]), b"")

    def test_it_follows(self):
        terminal = self.top()
        text = terminal.wait_for(lambda text: "2 containers running" in text, "the totals")
        self.assertRegex(text, r"(?m)^criwatch top · containerd \S+ .* · watching \(event stream\)$")
        self.assertRegex(text, r"(?m)^POD / CONTAINER +STATE +AGE +PID +RESTARTS +LAST EXIT +IMAGE$")
        self.assertRegex(text, r"(?m)^shop/web +ready +\d+s +\d+ +0$")
        self.assertRegex(text, r"(?m)^  app +running +\d+s +\d+ +0  - +registry.example/app:1.0$")
        self.engine.tell("kill app KILL")
        terminal.wait_for(lambda text: re.search(r"(?m)^  app +exited +\d+s +- +0  Error\(137\) \d+s", text), "the end")
        self.engine.tell("create web app attempt=1")
        self.engine.tell("start web/app")
        pattern = r"(?m)^  app +running +\d+s +\d+ +1  Error\(137\) \d+s"
        terminal.wait_for(lambda text: re.search(pattern, text), "the restart, with the last exit")
        self.engine.tell("pod late ns=other job")
        terminal.wait_for(lambda text: "other/late" in text, "a new pod")
        self.engine.tell("rm-pod late")
        terminal.wait_for(lambda text: "other/late" not in text, "its end")
        terminal.press("a")
        terminal.wait_for(lambda text: re.search(r"(?m)^other/late +notready", text), "what has ended")
        terminal.press("q")
        self.ends_clean(terminal, 0)

    def test_ages_grow_by_themselves(self):
        terminal = self.top()
        terminal.wait_for(lambda text: re.search(r"(?m)^  app +running +[3-9]s", text), "an age of some seconds")
        terminal.press("q")
        self.ends_clean(terminal, 0)

    def test_every_end_is_clean(self):
        for end, code in (
            ("\x03", Exit.INTERRUPTED),
            (signal.SIGTERM, Exit.TERMINATED),
            (signal.SIGHUP, Exit.TERMINATED),
        ):
            terminal = self.top()
            if isinstance(end, str):
                terminal.press(end)
            else:
                terminal.process.send_signal(end)
            self.ends_clean(terminal, code)

    def test_it_can_be_stopped_and_goes_on(self):
        terminal = self.top()
        terminal.press("\x1a")
        _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status), status)
        terminal.wait_for(lambda _: b"\x1b[?1049l" in terminal.raw, "the shell's screen")
        self.assertEqual(terminal.is_clean(), [])
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(lambda _: terminal.raw.count(b"q: end") >= 2, "the screen again")
        terminal.press("q")
        self.ends_clean(terminal, 0)

    def test_another_size_and_scrolling(self):
        for number in range(8):
            self.engine.tell(f"pod p{number} ns=many app")
        terminal = self.top(lines=30)
        terminal.wait_for(lambda text: "1-19 of 19" in text, "all of it")
        terminal.resize(70, 12)
        terminal.wait_for(lambda text: "1-7 of 19" in text and "…" in text, "a part of it")
        terminal.press("\x1b[6~")
        terminal.wait_for(lambda text: "8-14 of 19" in text, "the next page")
        terminal.press("jj")
        terminal.wait_for(lambda text: "10-16 of 19" in text, "two lines further")
        terminal.press("\x1b[F")
        terminal.wait_for(lambda text: "13-19 of 19" in text and "shop/web" in text, "the end")
        terminal.press("g")
        terminal.wait_for(lambda text: "1-7 of 19" in text and "many/p0" in text, "the begin")
        terminal.press("ss")
        terminal.wait_for(lambda text: "by restarts" in text, "another order")
        terminal.press("q")
        self.ends_clean(terminal, 0)

    def test_an_engine_that_is_lost_and_comes_back(self):
        terminal = self.top()
        self.engine.tell("down")
        text = terminal.wait_for(lambda text: "engine lost, retrying" in text, "that it is lost")
        self.assertIn("shop/web", text)
        self.engine.tell("up")
        terminal.wait_for(lambda text: "watching" in text, "that it is back")
        terminal.press("q")
        self.ends_clean(terminal, 0)

    def test_it_says_why_it_cannot_begin(self):
        terminal = self.on_terminal("top", "--option", "nosuch=1")
        self.assertEqual(terminal.end(), Exit.USAGE)
        self.assertRegex(terminal.text, r"^criwatch: .*nosuch")


class WithoutRich(TerminalTest):
    def test_top_says_what_to_install_and_the_rest_works(self):
        program = "import sys; sys.modules['rich'] = None; from criwatch.cli import main; sys.exit(main(sys.argv[1:]))"
        for words, code, expected in (
            (["top"], Exit.USAGE, r"^criwatch: top needs the terminal library rich: pip install 'criwatch\[cli\]'"),
            (["ps"], Exit.OK, r"(?m)^app +web +shop +\S+ +running"),
            (["inspect", "app"], Exit.OK, r'"container": \{'),
            (["info"], Exit.OK, "event stream"),
        ):
            terminal = Terminal(
                sys.executable, "-c", program, *words, "-r", self.engine.endpoint, columns=200, lines=300
            )
            self.addCleanup(terminal.close)
            self.assertEqual(terminal.end(), code, terminal.text)
            self.assertRegex(terminal.text, expected)
            self.assertNotIn(b"\x1b", terminal.raw)


if __name__ == "__main__":
    unittest.main()
