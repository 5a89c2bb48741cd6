"""Engines are found and followed: `discover`, `Finder`."""

import json
import os
import tempfile
import threading
import unittest

import criwatch
from criwatch import EngineNewsType
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

    def engine(self):
        engine = Engine()
        self.addCleanup(engine.__exit__, None, None, None)
        return engine

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
            found = criwatch.discover(self.options, PATIENCE)
            self.assertEqual((repr(found), len(found), found[0]), (f"<Engines {len(found)}>", len(list(found)), found.engines[0]))
            best = found[0]
            self.assertEqual(repr(best), f"<Candidate {best.runtime_name} {best.runtime_version} at {best.api}>")
            self.assertEqual([row["api"] for row in found.rows()], [one.api for one in found])
            self.assertEqual(found._repr_html_().count("<tr>"), 1 + len(found))
        refused = criwatch.Candidate("unix:///x", error={"name": "CRI_E_PERMISSION", "message": "why"})
        self.assertEqual(repr(refused), "<Candidate at unix:///x CRI_E_PERMISSION>")
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
            self.assertRegex(repr(lost), r"^<EngineNews lost <Candidate .*>>$")
            self.assertEqual(repr(finder), "<Finder>")
        self.assertEqual(repr(finder), "<Finder closed>")

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


if __name__ == "__main__":
    unittest.main()
