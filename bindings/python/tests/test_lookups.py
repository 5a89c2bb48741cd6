"""Lookups: from a pid, a cgroup or a namespace to the container, alone and in batches, and what is none."""

import asyncio
import os
import tempfile
import threading
import unittest

import criwatch
from criwatch import Found, NamespaceKind, NotFound, NotYet, Status
from engine import PATIENCE, Engine

NOBODY = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"


class Lookups(unittest.TestCase):
    def setUp(self):
        self.engine = Engine()
        self.addCleanup(self.engine.__exit__, None, None, None)
        self.engine.tell("pod web ns=shop nginx")
        self.watcher = criwatch.Watcher(self.engine.endpoint, logger=None)
        self.addCleanup(self.watcher.close)
        self.watcher.start()
        self.watcher.wait_ready(PATIENCE)
        self.snapshot = self.watcher.snapshot()
        self.nginx = self.snapshot.find("nginx")

    def test_by_every_key(self):
        nginx = self.nginx
        process = nginx.pid, nginx.pid_start_ticks
        path = f"/kubepods/pod1/{nginx.id}/init.scope"
        found = [
            self.snapshot.find_pid(*process),
            self.watcher.lookup_pid(*process, timeout=0),
            self.watcher.lookup_pid(*process, timeout=PATIENCE),
            self.snapshot.find_cgroup_path(path),
            asyncio.run(self.watcher.lookup_pid_async(*process, PATIENCE)),
        ]
        if nginx.cgroup_id is not None:
            found += [
                self.snapshot.find_cgroup(nginx.cgroup_id),
                self.watcher.lookup_cgroup(nginx.cgroup_id, 0),
                asyncio.run(self.watcher.lookup_cgroup_async(nginx.cgroup_id, 0)),
                *(one.container for one in self.snapshot.find_cgroups([nginx.cgroup_id] * 2)),
            ]
        # Later ones may know more of it.
        self.assertEqual([one.id for one in found], [nginx.id] * len(found))

    def test_a_batch_has_an_answer_for_each(self):
        nginx = self.nginx
        found = self.snapshot.find_pids([nginx.pid, 0, -1, nginx.pid], [nginx.pid_start_ticks, 0, 0, 1])
        self.assertEqual(found[0], Found(nginx, Status.OK))
        self.assertEqual(
            [one.status for one in found], [Status.OK, Status.NONE, Status.E_INVALID_ARGUMENT, Status.E_NOT_FOUND]
        )
        self.assertEqual([one.container for one in found[1:]], [None] * 3)
        self.assertEqual(self.snapshot.find_pids([0]), [Found(None, Status.NONE)])
        self.assertEqual((self.snapshot.find_pids([]), self.snapshot.find_cgroups([])), ([], []))
        with self.assertRaisesRegex(ValueError, "2 pids and 1 start_ticks"):
            self.snapshot.find_pids([1, 2], [3])

    def test_what_is_none(self):
        self.assertIsNone(self.snapshot.find_pid(0))
        self.assertIsNone(self.watcher.lookup_pid(0, timeout=PATIENCE))
        self.assertIsNone(self.snapshot.find_cgroup_path("/system.slice/sshd.service"))
        self.assertEqual(self.snapshot.find_namespace(NamespaceKind.UTS, 0xEFFFFFFE), (None, 0))
        with self.assertRaises(NotFound):
            self.snapshot.find_pid(os.getpid(), 1)
        with self.assertRaises(NotFound):
            self.snapshot.find_namespace(NamespaceKind.MNT, 7)
        with self.assertRaises(NotYet):
            self.snapshot.find_cgroup_path(f"/kubepods/pod1/{NOBODY}")
        for call in (
            lambda: self.snapshot.find_pid(-1),
            lambda: self.snapshot.find_pid(1 << 31),
            lambda: self.snapshot.find_pid(1, -1),
            lambda: self.snapshot.find_cgroup(1 << 64),
            lambda: self.snapshot.find_namespace(99, 7),
        ):
            with self.assertRaises(criwatch.InvalidArgument):
                call()

    def test_attributes_have_the_names_of_a_third_party(self):
        otel = self.snapshot.attributes("nginx", "otel")
        self.assertEqual((otel["container.id"], otel["k8s.namespace.name"]), (self.nginx.id, "shop"))
        for schema in ("", "none", "OTel"):
            with self.assertRaises(criwatch.InvalidArgument):
                self.snapshot.attributes("nginx", schema)
        self.assertEqual(self.nginx.attributes, {})
        (listed,) = self.watcher.list(name="nginx", attributes="ecs").containers
        self.assertEqual(listed.attributes["kubernetes.namespace"], "shop")
        self.assertEqual(listed.to_dict()["attributes"], listed.attributes)
        with criwatch.Watcher(self.engine.endpoint, {"attributes": "falco"}, logger=None) as watcher:
            watcher.resync(PATIENCE)
            self.assertEqual(watcher.list(name="nginx").containers[0].attributes["k8s.ns.name"], "shop")
            self.assertEqual(watcher.list(name="nginx", attributes="none").containers[0].attributes, {})
            self.assertEqual(watcher.inspect("nginx", timeout=PATIENCE).container.attributes["k8s.ns.name"], "shop")

    def test_the_engine_is_described_whole(self):
        info = self.watcher.engine_info()
        self.assertEqual((info.candidates, set(info.ready)), ((), {"complete", "open"}))

    def test_a_namespace_is_of_who_is_in_it(self):
        for one in self.snapshot.containers:
            found, sharing = self.snapshot.find_namespace(NamespaceKind.PID, one.namespaces.pid)
            # The simulated processes may stay in the host's.
            self.assertTrue(found is None or (found.pod.id == one.pod.id and sharing > 0))


class Waiting(unittest.TestCase):
    """A made-up host, on which a process is in a container that the engine has not reported."""

    def test_one_that_is_made_is_waited_for(self):
        with tempfile.TemporaryDirectory() as root, Engine() as engine:
            engine.tell("pod web ns=shop first")
            os.makedirs(os.path.join(root, "proc", "71"))
            made = engine.tell("create web later")["id"]
            with open(os.path.join(root, "proc", "71", "cgroup"), "w") as file:
                file.write(f"0::/k8s.io/{NOBODY}\n")
            with criwatch.Watcher(engine.endpoint, {"host.root": root}, logger=None) as watcher:
                watcher.start()
                watcher.wait_ready(PATIENCE)
                for timeout in (0, 0.001):
                    with self.assertRaises(NotYet):
                        watcher.lookup_pid(71, timeout=timeout)
                    with self.assertRaises(NotYet):
                        asyncio.run(watcher.lookup_pid_async(71, timeout=timeout))
                with open(os.path.join(root, "proc", "71", "cgroup"), "w") as file:
                    file.write(f"0::/k8s.io/{made}\n")
                self.assertEqual(watcher.lookup_pid(71, timeout=PATIENCE).id, made)
                with open(os.path.join(root, "proc", "71", "cgroup"), "w") as file:
                    file.write(f"0::/k8s.io/{NOBODY}\n")
                ends = []

                def wait():
                    try:
                        watcher.lookup_pid(71)
                    except criwatch.CriError as error:
                        ends.append(error)

                thread = threading.Thread(target=wait)
                thread.start()
                watcher.stop()
                thread.join(PATIENCE)
                # The end of the watcher ends the wait, or comes before it.
                self.assertEqual([type(end) for end in ends], [criwatch.Stopped])


if __name__ == "__main__":
    unittest.main()
