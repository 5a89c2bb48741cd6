"""criwatch whois on a simulated engine, whose containers are real processes; and the trees of processes."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from criwatch.cli.exits import Exit
from criwatch.cli.processes import Process, processes, tree
from engine import Engine
from test_cli_commands import CommandTest

NOBODY = "ab" * 32


class Whois(CommandTest):
    def setUp(self):
        self.app = self.library().get("app")

    def told(self, *words, code=Exit.OK):
        """The JSON that it prints."""
        ran = subprocess.run(
            [sys.executable, "-X", "dev", "-m", "criwatch", "whois", "-r", self.engine.endpoint, "-o", "json", *words],
            capture_output=True,
            text=True,
        )
        self.assertEqual((ran.returncode, bool(ran.stderr)), (code, code != Exit.OK), ran.stderr)
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def test_a_process_a_cgroup_and_a_path(self):
        for asked, by in (
            (str(self.app.pid), "pid"),
            (f"/kubepods/pod1/{self.app.id}/init.scope", "cgroupPath"),
            (f"0::/k8s.io/{self.app.id}", "cgroupPath"),
            *([(str(self.app.cgroup_id), "cgroupId")] if (self.app.cgroup_id or 0) > 1 << 22 else []),
        ):
            (document,) = self.told(asked)
            container = document["container"]
            self.assertEqual((document["asked"], document["by"], document["owner"]), (asked, by, "container"))
            self.assertEqual((container["id"], container["pod"]["name"]), (self.app.id, "web"))
            self.assertIn(self.app.pid, [one["pid"] for one in document["processes"]])
        said = self.says("whois", str(self.app.pid))
        facts = dict(line.split(maxsplit=1) for line in said.splitlines())
        self.assertEqual((facts["Container"], facts["Pod"], facts["Id"]), ("app", "shop/web", self.app.id))
        self.assertEqual((facts["Found"], facts["State"], facts["Image"]), ("by  its first process", "running", self.app.image))
        self.assertTrue(facts["Processes"].startswith(f"{self.app.pid} "), facts)
        self.assertRegex(facts["Age"], r"^\d+[smh]")

    def test_what_is_a_pods_is_its_sandbox(self):
        (document,) = self.told(f"/kubepods/pod{self.app.pod.uid}")
        self.assertEqual((document["container"]["id"], document["container"]["kind"]), (self.app.pod.id, "sandbox"))
        self.assertIn("Sandbox   web", self.says("whois", f"/kubepods/pod{self.app.pod.uid}"))

    def test_what_is_no_containers_is_reported_and_ends_with_1(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        for asked, owner, why in (
            (str(os.getpid()), "host", "belongs to the host"),
            ("/system.slice/sshd.service", "host", "belongs to the host"),
            ("uts:[4026531838]", "host", "belongs to the host"),
            (f"/k8s.io/{NOBODY}", "notYet", "this engine does not have"),
            (str(gone.pid), "unknown", "no process with this pid"),
            ("mnt:[7]", "unknown", "mnt:[7]"),
        ):
            (document,) = self.told(asked, code=Exit.NOT_FOUND)
            self.assertEqual((document["owner"], "container" in document), (owner, False), asked)
            self.assertIn(why, document["how"])
            said = self.says("whois", asked, code=Exit.NOT_FOUND)
            self.assertTrue(said.startswith(f"criwatch: {asked}: ") and why in said and said.count("\n") == 1, said)
        # Of several, what is found is printed, and the rest told.
        documents = self.told(str(self.app.pid), "/", code=Exit.NOT_FOUND)
        self.assertEqual([one["owner"] for one in documents], ["container", "host"])

    def test_what_cannot_be_asked(self):
        for asked in ("", "web", "-7", "0", "net:[x]", "disk:[7]", "net:7", str(1 << 64), "12 "):
            self.assertIn("criwatch: ", self.says("whois", "--", asked, code=Exit.USAGE))


class Trees(unittest.TestCase):
    def test_children_stand_below_their_parents(self):
        members = [Process(pid, parent, 0, "") for pid, parent in ((7, 1), (8, 7), (9, 8), (10, 8), (11, 7), (12, 3))]
        drawn = [f"{before}{one.pid}" for before, one in tree(members)]
        self.assertEqual(drawn, ["7", "├─ 8", "│  ├─ 9", "│  └─ 10", "└─ 11", "12"])
        self.assertEqual(list(tree([])), [])

    def test_a_process_is_read(self):
        own = Process.read(Path("/proc"), os.getpid())
        self.assertEqual((own.pid, own.parent), (os.getpid(), os.getppid()))
        self.assertIn("python", own.command)
        self.assertIn(own.pid, [one.pid for one in processes(Path("/proc"))])
        self.assertIsNone(Process.read(Path("/proc"), 1 << 30))
        zombie = os.fork()
        if zombie == 0:
            os._exit(0)
        os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
        try:
            self.assertRegex(Process.read(Path("/proc"), zombie).command, r"^\[.+\]$")
        finally:
            os.waitpid(zombie, 0)


if __name__ == "__main__":
    unittest.main()
