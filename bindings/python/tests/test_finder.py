"""Engines are found and followed: `discover`, `Finder`, `criwatch engines`, and -r given several times."""

import contextlib
import io
import json
import os
import tempfile
import threading
import unittest
from unittest import mock

import criwatch
from criwatch import EngineNewsType
from criwatch.cli.program import main
from engine import PATIENCE, Engine


class Finding(unittest.TestCase):
    """Two engines on a host that has no other."""

    def setUp(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        os.mkdir(os.path.join(root.name, "proc"))
        self.empty, self.used = self.engine(), self.engine()
        self.used.tell("pod web ns=shop nginx")
        sockets = ":".join(one.endpoint[len("unix://"):] for one in (self.empty, self.used))
        self.options = {"host.root": root.name, "discover.sockets": sockets, "discover.interval_ms": 100}
        self.words = [word for key, value in self.options.items() for word in ("--option", f"{key}={value}")]

    def engine(self):
        engine = Engine()
        self.addCleanup(engine.__exit__, None, None, None)
        return engine

    def run_command(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words])
        return code, out.getvalue(), err.getvalue()

    def test_the_one_in_use_is_the_best(self):
        found = criwatch.discover(self.options, timeout=PATIENCE)
        self.assertEqual([one.api for one in found.engines], [self.used.endpoint, self.empty.endpoint])
        best = found.engines[0]
        self.assertTrue(best.answers and best.error is None)
        self.assertEqual((best.sandboxes, best.runtime_name, best.reasons[0].evidence), (1, "containerd", "rootless"))
        self.assertIn("/run/crio/crio.sock", " ".join(found.absent))
        self.assertEqual(json.loads(found.to_json()), json.loads(criwatch.discover_json(self.options, PATIENCE)))
        with criwatch.Watcher(None, self.options, logger=None) as watcher:
            watcher.resync(PATIENCE)
            self.assertEqual([one.name for one in watcher.list(kind="container").containers], ["nginx"])
            told = json.loads(watcher.engine_info_json())["candidates"]
            self.assertEqual([one["api"] for one in told], [self.empty.endpoint])
            self.assertEqual(list(watcher.engine_info().candidates), told)
        with self.assertRaises(criwatch.InvalidOption):
            criwatch.discover({"host.root": "/nowhere/at/all"})

    def test_a_finder_reports_both_and_the_end_of_one(self):
        with criwatch.Finder(self.options) as finder:
            first, second = finder.next(PATIENCE), finder.next(PATIENCE)
            self.assertEqual({first.engine.api, second.engine.api}, {self.used.endpoint, self.empty.endpoint})
            self.assertEqual({first.type, second.type}, {EngineNewsType.FOUND})
            self.assertIsNone(finder.next(0))
            self.empty.__exit__(None, None, None)
            lost = finder.next(PATIENCE)
            self.assertEqual((lost.type, lost.engine.api, str(lost.type)), (EngineNewsType.LOST, self.empty.endpoint, "lost"))
            self.assertEqual(lost.to_dict()["type"], "lost")

    def test_close_ends_a_wait(self):
        finder = criwatch.Finder({"host.root": self.options["host.root"]})
        ended = []
        waiting = threading.Thread(target=lambda: ended.extend(finder))
        waiting.start()
        finder.close()
        waiting.join(PATIENCE)
        self.assertFalse(waiting.is_alive())
        self.assertEqual(ended, [])
        with self.assertRaises(criwatch.QueueClosed):
            finder.next()

    def test_the_command_lists_them(self):
        code, out, err = self.run_command("engines", *self.words)
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["ENDPOINT", "ENGINE", "VERSION", "PODS", "PID", "WHY"])
        self.assertTrue(lines[1].startswith(self.used.endpoint) and lines[1].endswith("it has 1 sandbox"), out)
        code, out, err = self.run_command("engines", "-o", "name", *self.words)
        self.assertEqual(out.split(), [self.used.endpoint, self.empty.endpoint])
        code, out, err = self.run_command("engines", "-o", "json", *self.words)
        self.assertEqual(json.loads(out)["schema"], "criwatch.engines/1")
        code, out, err = self.run_command("engines", "--option", f"host.root={self.options['host.root']}")
        self.assertEqual((code, err), (3, "criwatch: no engine answers on this node\n"))

    def test_sockets_of_this_user(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "containerd"))
            os.symlink(self.used.endpoint[len("unix://"):], os.path.join(folder, "containerd/containerd.sock"))
            with mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": folder}):
                code, out, _ = self.run_command(
                    "engines", "-o", "name", "--option", f"host.root={self.options['host.root']}"
                )
        self.assertEqual((code, out.strip()), (0, f"unix://{folder}/containerd/containerd.sock"))

    def test_several_endpoints(self):
        self.empty.tell("pod db ns=data store")
        both = ["-r", self.used.endpoint, "-r", self.empty.endpoint]
        code, out, err = self.run_command("ps", "-o", "name", *both)
        self.assertEqual((code, out.split(), err), (0, ["shop/web/nginx", "data/db/store"], ""))
        code, out, _ = self.run_command("ps", "-o", "json", *both)
        apis = [json.loads(line)["engine"]["api"] for line in out.splitlines()]
        self.assertEqual(apis, [self.used.endpoint, self.empty.endpoint])
        code, out, _ = self.run_command("ps", *both)
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["NAME", "nginx", "store"])
        code, out, _ = self.run_command("pods", *both)
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["NAME", "web", "db"])
        code, _, err = self.run_command("info", *both)
        self.assertEqual(code, 2)
        self.assertIn("give -r once", err)


if __name__ == "__main__":
    unittest.main()
