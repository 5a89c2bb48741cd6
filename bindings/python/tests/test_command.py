"""python -m criwatch, as a script sees it."""

import json
import os
import re
import subprocess
import sys
import unittest

from engine import PATIENCE, Engine

COMMAND = (sys.executable, "-X", "dev", "-m", "criwatch")


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.__exit__, None, None, None)
        cls.engine.tell("pod web ns=shop app")
        cls.engine.tell("create web job -- exit 3")

    def run_(self, *words, **environment):
        return subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **environment}
        )

    def says(self, *words):
        ran = self.run_("-r", self.engine.endpoint, *words)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), words)
        return ran.stdout

    def test_ps(self):
        lines = [line.split() for line in self.says("ps").splitlines()]
        self.assertEqual(lines[0], ["NAME", "POD", "NAMESPACE", "ID", "STATE", "PID", "RESTARTS", "IMAGE"])
        self.assertEqual([line[:3] + [line[4]] for line in lines[1:]], [["app", "web", "shop", "running"]])
        every = json.loads(self.says("ps", "-a", "-o", "json"))["containers"]
        self.assertEqual([one["name"] for one in every], ["app", "job"])
        ran = self.run_("ps", CRI_RUNTIME_ENDPOINT=self.engine.endpoint)
        self.assertIn("app ", ran.stdout)

    def test_inspect(self):
        documents = [json.loads(line) for line in self.says("inspect", "app", "shop/web").splitlines()]
        self.assertEqual([one["container"]["kind"] for one in documents], ["container", "sandbox"])

    def test_events(self):
        for form in ("json", "table"):
            words = [*COMMAND, "-r", self.engine.endpoint, "events", "-o", form]
            with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
                line = next(line for line in child.stdout if "started" in line)
                child.stdout.close()
                child.kill()
            self.assertRegex(line, r'"criwatch.event/1"' if form == "json" else r"started +shop/web")

    def test_failures(self):
        for words, code, expected in (
            (("-r", self.engine.endpoint, "inspect", "nobody"), 1, '"nobody"'),
            (("-r", "/nowhere/cri.sock", "ps"), 3, "/nowhere/cri.sock"),
        ):
            ran = self.run_(*words)
            self.assertEqual((ran.returncode, ran.stdout), (code, ""))
            self.assertRegex(ran.stderr, rf"\Acriwatch: .*{re.escape(expected)}.*\n\Z")
        self.assertEqual(self.run_("nosuch").returncode, 2)
        with open("/dev/full", "w") as full:
            ran = subprocess.run(
                [*COMMAND, "-r", self.engine.endpoint, "ps"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
            )
        self.assertEqual((ran.returncode, ran.stderr.count("\n")), (74, 1), ran.stderr)
        shell = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "-r", self.engine.endpoint, "ps"]
        ran = subprocess.run(shell, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertEqual((ran.returncode, ran.stderr), (74, "criwatch: the output cannot be written: stdout is closed\n"))


if __name__ == "__main__":
    unittest.main()
