"""The watcher on a simulated engine."""

import dataclasses
import gc
import json
import logging
import math
import threading
import unittest
import warnings

import criwatch
from criwatch import EventType, InspectFlag, Kind, PodFlag, Query, State, WatcherState
from engine import PATIENCE, Engine


class WatcherTest(unittest.TestCase):
    def setUp(self):
        self.engine = self.entered(Engine())
        self.web = self.engine.tell('pod web ns=shop label=tier=front app proxy')["id"]
        self.watcher = self.entered(criwatch.Watcher(self.engine.endpoint, {"details": "full"}))

    def entered(self, thing):
        self.addCleanup(thing.__exit__, None, None, None)
        return thing.__enter__()


class Lifecycle(WatcherTest):
    def test_from_new_to_closed(self):
        watcher = self.watcher
        self.assertEqual(watcher.state, WatcherState.NEW)
        self.assertEqual(watcher.generation, 0)
        with self.assertRaises(criwatch.NotReady) as caught:
            watcher.list()
        self.assertEqual(caught.exception.status, criwatch.Status.E_NOT_READY)
        with self.assertRaises(criwatch.WrongState):
            watcher.wait_ready(0)
        watcher.start()
        watcher.start()
        watcher.wait_ready(PATIENCE)
        self.assertEqual(watcher.state, WatcherState.WATCHING)
        self.assertGreater(watcher.generation, 0)
        watcher.stop()
        self.assertEqual(watcher.state, WatcherState.STOPPED)
        self.assertEqual(len(watcher.containers()), 3)
        with self.assertRaises(criwatch.Stopped):
            watcher.resync(1)
        watcher.close()
        watcher.close()
        self.assertTrue(watcher.closed)
        self.assertEqual(watcher.state, WatcherState.STOPPED)
        with self.assertRaises(criwatch.Stopped):
            watcher.list()

    def test_an_engine_that_is_not_there(self):
        with criwatch.Watcher("unix:///nowhere/cri.sock", logger=None) as watcher:
            with self.assertRaises(criwatch.ConnectFailed) as caught:
                watcher.resync(PATIENCE)
            self.assertIsInstance(caught.exception, ConnectionError)
            self.assertEqual(caught.exception.errno, 2)
            self.assertTrue(caught.exception.retriable)
            self.assertIn("/nowhere/cri.sock", str(caught.exception))

    def test_a_time_that_is_over(self):
        self.engine.tell("fault stall on")
        self.watcher.start()
        for wait in (self.watcher.wait_ready, self.watcher.resync):
            with self.assertRaises(criwatch.Timeout) as caught:
                wait(0.05)
            self.assertIsInstance(caught.exception, TimeoutError)

    def test_closing_ends_the_waits_of_others(self):
        self.engine.tell("fault stall on")
        self.watcher.start()
        ended = []

        def wait():
            try:
                self.watcher.resync()
            except criwatch.CriError as error:
                ended.append(type(error))

        threads = [threading.Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.watcher.close()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(ended, [criwatch.Stopped] * 4)

    def test_a_forgotten_watcher_warns_and_is_closed(self):
        watcher = criwatch.Watcher(self.engine.endpoint)
        watcher.start()
        queue = watcher.queue()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del watcher
            gc.collect()
            self.assertEqual([one.category for one in caught], [ResourceWarning])
            # It outlives the watcher, and has an end.
            self.assertGreater(len(list(queue)), 0)
            del queue
            gc.collect()
            self.assertEqual([one.category for one in caught], [ResourceWarning] * 2)

    def test_options(self):
        keys = [option["key"] for option in criwatch.describe_options()["options"]]
        self.assertIn("relist.interval_ms", keys)
        criwatch.Watcher(options={"relist.interval_ms": 30000, "call.allow_mutations": True}).close()
        for options in ({"nosuch": 1}, {"relist.interval_ms": "soon"}):
            with self.assertRaises(criwatch.InvalidOption):
                criwatch.Watcher(options=options)

    def test_texts_and_numbers_that_c_would_misread(self):
        self.watcher.resync(PATIENCE)
        for text in ("a\0b", "\ud800", "\udcff"):
            with self.assertRaises(criwatch.InvalidArgument):
                self.watcher.get(text)
        for mask in (-1, 1 << 32):
            with self.assertRaises(criwatch.InvalidArgument):
                self.watcher.queue(mask=mask)
        with self.assertRaises(criwatch.InvalidArgument):
            self.watcher.resync(math.nan)


class Answers(WatcherTest):
    def setUp(self):
        super().setUp()
        self.watcher.resync(PATIENCE)

    def test_records(self):
        sandbox, app, proxy = self.watcher.containers()
        self.assertEqual((sandbox.id, sandbox.kind, sandbox.path), (self.web, Kind.SANDBOX, "shop/web"))
        self.assertEqual((app.name, app.state, app.path), ("app", State.RUNNING, "shop/web/app"))
        self.assertIs(app.pod, proxy.pod)
        self.assertEqual((app.pod.namespace, app.pod.labels["tier"]), ("shop", "front"))
        self.assertGreater(app.pid, 1)
        self.assertGreater(app.pid_start_ticks, 0)
        self.assertIsNone(app.exit_code)
        self.assertLessEqual(app.created_at, app.started_at)
        self.assertIsNone(app.finished_at)
        with self.assertRaises(dataclasses.FrozenInstanceError):
            app.name = "other"
        self.assertEqual(len({sandbox, app, proxy, self.watcher.get("app")}), 3)
        json.dumps(dataclasses.asdict(app))

    def test_json_and_records_tell_the_same(self):
        self.engine.tell("run-pod net ns=shop host-network annotation=a=b")
        self.watcher.resync(PATIENCE)
        snapshot = self.watcher.snapshot()
        listed = self.watcher.list()
        self.assertEqual(snapshot.generation, listed.freshness.generation)
        others = PodFlag.OWN_PID | PodFlag.OWN_IPC | PodFlag.NOT_STATIC
        expected = [PodFlag.HOST_NETWORK | others, PodFlag.OWN_NETWORK | others]
        self.assertEqual([pod.flags for pod in snapshot.pods], expected)
        facts = [(pod.host_network, pod.host_pid, pod.host_ipc, pod.static_pod) for pod in snapshot.pods]
        self.assertEqual(facts, [(True, False, False, False), (False, False, False, False)])
        self.assertEqual({entry.pod for entry in self.watcher.pods().pods}, set(snapshot.pods))
        from_pods = {c for entry in self.watcher.pods().pods for c in entry.containers}
        self.assertEqual({c.id for c in from_pods}, {c.id for c in snapshot.containers})
        for container in listed.containers:
            record = snapshot.find(container.id)
            self.assertEqual(container.pod.labels, record.pod.labels)
            self.assertEqual(container, dataclasses.replace(record, labels=container.labels))
            self.assertLessEqual(record.labels.items(), container.labels.items())

    def test_queries(self):
        names = [c.name for c in self.watcher.list(Query(kind="container", selector="tier=front")).containers]
        self.assertEqual(names, ["app", "proxy"])
        self.assertEqual([c.name for c in self.watcher.list({"name": "app"}).containers], ["app"])
        self.assertEqual(self.watcher.list('{"namespace": "none"}').containers, ())
        generation = self.watcher.generation
        self.assertIsNone(self.watcher.list(if_generation=generation))
        self.assertIsNotNone(self.watcher.pods(Query(all=True), if_generation=generation - 1))
        with self.assertRaises(criwatch.InvalidQuery):
            self.watcher.list({"states": ["alive"]})
        chosen = self.watcher.list(Query(name="app", fields=["name"])).containers
        self.assertEqual([(c.name, c.pid) for c in chosen], [("app", None)])

    def test_names(self):
        self.assertEqual(self.watcher.get("shop/web").id, self.web)
        self.assertEqual(self.watcher.get(self.web[:12]).id, self.web)
        with self.assertRaises(criwatch.NotFound) as caught:
            self.watcher.get("nobody")
        self.assertIsInstance(caught.exception, LookupError)
        self.engine.tell("pod other ns=shop app")
        self.watcher.resync(PATIENCE)
        with self.assertRaises(criwatch.Ambiguous):
            self.watcher.get_json("app")

    def test_the_dead(self):
        self.engine.tell("create web job -- exit 3")
        self.engine.tell("start job")
        self.engine.tell("wait job exited")
        self.watcher.resync(PATIENCE)
        job = self.watcher.get("shop/web/job")
        self.assertEqual((job.state, job.exit_code, job.reason), (State.EXITED, 3, "Error"))
        self.assertGreaterEqual(job.finished_at, job.started_at)
        self.assertEqual([c.name for c in self.watcher.list(Query(states=["exited"])).containers], ["job"])

    def test_the_engine(self):
        info = self.watcher.engine_info()
        self.assertEqual((info.runtime_name, info.api), ("containerd", self.engine.endpoint))
        stats = self.watcher.stats()
        self.assertEqual(stats.requests["Version"].count, 1)
        self.assertEqual(stats.counts["connects"], 1)
        listed = stats.requests["ListContainers"]
        self.assertEqual((sum(listed.buckets), len(listed.buckets)), (listed.count, len(stats.bucket_micros) + 1))
        self.assertEqual(json.loads(stats.to_json())["bucketMicros"], list(stats.bucket_micros))
        # All of the table is served, and nothing else.
        text = self.watcher.metrics()
        self.assertTrue(text.endswith("# EOF\n"), text)
        families = [(m.family, m.kind) for m in criwatch.METRICS]
        self.assertEqual(
            sorted(tuple(line.split()[2:]) for line in text.splitlines() if line.startswith("# TYPE ")), sorted(families)
        )
        self.assertEqual(self.watcher.call("RuntimeService/Version")["runtimeName"], "containerd")
        self.assertEqual(len(self.watcher.call("RuntimeService/ListPodSandbox", {"filter": {"id": self.web}})["items"]), 1)
        with self.assertRaises(criwatch.PermissionDenied):
            self.watcher.call("RuntimeService/StopContainer")
        with self.assertRaises(criwatch.NotFound) as caught:
            self.watcher.call("RuntimeService/ContainerStatus", {"containerId": "none"})
        self.assertEqual(caught.exception.grpc_code, 5)
        inspection = self.watcher.inspect("app")
        self.assertEqual(inspection.container.path, "shop/web/app")
        self.assertEqual((inspection.status["id"], inspection.info["pid"]), (inspection.container.id, inspection.container.pid))
        self.engine.tell("stop app")
        with self.assertRaises(criwatch.Processless):
            self.watcher.inspect("app", InspectFlag.REQUIRE_PROCESS, PATIENCE)

    def test_rucksacks(self):
        self.watcher.attach("app", {"team": "é\0"})
        self.assertEqual(json.loads(self.watcher.get("app").rucksack), {"team": "é\0"})
        self.assertEqual(json.loads(self.watcher.get_json("app"))["container"]["rucksack"], {"team": "é\0"})
        self.watcher.attach("app", None)
        self.assertEqual(self.watcher.get("app").rucksack, "")
        with self.assertRaises(criwatch.InvalidArgument):
            self.watcher.attach_json("app", "{")

    def test_a_snapshot_is_of_its_moment_and_outlives_the_watcher(self):
        snapshot = self.watcher.snapshot()
        self.watcher.close()
        self.assertEqual([c.name for c in snapshot.containers], ["web", "app", "proxy"])
        self.assertEqual(snapshot.find("app").name, "app")
        snapshot.close()
        self.assertEqual(len(snapshot.containers), 3)
        with self.assertRaises(criwatch.InvalidArgument):
            snapshot.find("app")


class Messages(WatcherTest):
    def test_they_go_to_logging(self):
        with self.assertLogs("criwatch", logging.DEBUG) as logs:
            self.watcher.start()
            self.watcher.wait_ready(PATIENCE)
            # It waits for the last message.
            self.watcher.close()
        self.assertTrue(any("connected" in line for line in logs.output), logs.output)

    def test_or_to_a_logger_of_the_programs_own_or_nowhere(self):
        own = logging.getLogger("own")
        with self.assertLogs(own, logging.INFO), criwatch.Watcher(self.engine.endpoint, logger=own) as watcher:
            watcher.resync(PATIENCE)
            watcher.close()
        with criwatch.Watcher(self.engine.endpoint, logger=None) as watcher:
            watcher.resync(PATIENCE)
            self.assertEqual([t.name for t in threading.enumerate() if t.name == "criwatch-log"], [])

    def test_they_are_events_too(self):
        with self.watcher.queue(EventType.LOG) as queue:
            self.watcher.start()
            self.watcher.wait_ready(PATIENCE)
            output = next(event for event in queue if event.type == EventType.LOG)
        self.assertEqual(output.log_level, criwatch.LogLevel.INFO)


if __name__ == "__main__":
    unittest.main()
