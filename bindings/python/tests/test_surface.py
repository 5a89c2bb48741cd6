"""What a program sees of values: names of enumerations, dictionaries and JSON, rows, reprs; and calls that read well."""

import dataclasses
import gc
import json
import os
import pathlib
import pickle
import re
import subprocess
import sys
import unittest

import criwatch
from criwatch import (
    Changed,
    EventFlag,
    EventType,
    Kind,
    Missing,
    PodFlag,
    PodState,
    Query,
    State,
    Status,
    SubscribeFlag,
    WatcherState,
)
from criwatch._json import nanoseconds, rfc3339
from engine import PATIENCE, Engine


SCHEMAS = pathlib.Path(__file__).resolve().parents[3] / "docs/schema"


class Words(unittest.TestCase):
    def test_members_are_printed_by_the_words_of_json(self):
        for member, word in (
            (State.RUNNING, "running"), (PodState.NOT_READY, "notReady"), (EventType.REPLAY_BEGIN, "replayBegin"),
            (Kind.SANDBOX, "sandbox"), (WatcherState.BACKOFF, "backoff"), (Status.E_TIMEOUT, "CRI_E_TIMEOUT"),
            (EventType(4711), "4711"), (criwatch.LogLevel.WARN, "warn"),
        ):  # fmt: skip
            self.assertEqual((str(member), f"{member}", "%s" % member, format(member, "")), (word,) * 4)
            self.assertEqual(f"{member:>16}|", f"{word:>16}|")
            self.assertEqual((f"{member:d}", "%d" % member, json.dumps(member)), (str(int(member)),) * 3)
            self.assertEqual(type(member)(int(member)), member)
        self.assertEqual((State.RUNNING.name, repr(State.RUNNING)), ("RUNNING", "<State.RUNNING: 2>"))
        self.assertIs(pickle.loads(pickle.dumps(State.RUNNING)), State.RUNNING)
        self.assertEqual((State.of_word("exited"), PodState.of_word("notReady")), (State.EXITED, PodState.NOT_READY))
        self.assertEqual(State.of_word("of a newer library"), State.UNKNOWN)

    def test_flags_are_printed_by_the_words_of_json(self):
        for flags, words in (
            (Missing.PID | Missing.EXIT, ["pid", "exitCode"]), (Changed.EXIT, ["exit"]), (EventFlag(0), []),
            (EventFlag.NEVER_STARTED | EventFlag.SYNTHETIC, ["synthetic", "neverStarted"]),
            (PodFlag.HOST_NETWORK, ["hostNetwork"]), (EventFlag(1 << 20 | 1 << 21), ["1048576", "2097152"]),
        ):  # fmt: skip
            self.assertEqual((flags.words, str(flags), f"{flags}"), (words, ",".join(words), ",".join(words)))
            self.assertEqual(f"{flags:d}", str(int(flags)))
        self.assertEqual(Missing.of_words(["exitCode", "pid", "else"]), Missing.EXIT | Missing.PID)
        self.assertIsInstance(Missing.PID | Missing.EXIT, Missing)

    def test_times(self):
        for text in ("1970-01-01T00:00:00Z", "2026-02-03T04:05:06.900Z", "2026-02-03T04:05:07.020345678Z"):
            self.assertEqual(rfc3339(nanoseconds(text)), text)
        self.assertEqual(rfc3339(nanoseconds("2026-02-03T04:05:06.9Z")), "2026-02-03T04:05:06.900Z")


class SameNames(unittest.TestCase):
    """Each key of the library's JSON is an attribute: `createdAt` is `created_at`."""

    def test_records_have_an_attribute_for_each_key(self):
        seen = 0
        for schema, title in (
            ("container", "Container"), ("container", "Pod"), ("container", "Mount"), ("container", "Port"),
            ("container", "User"), ("container", "Resources"), ("container", "Previous"), ("container", "Namespaces"),
            ("engine", "EngineInfo"), ("event", "Event"), ("inspect", "Inspection"),
        ):  # fmt: skip
            document = json.loads((SCHEMAS / f"{schema}.json").read_text())
            definition = document["$defs"].get({"EngineInfo": "Engine"}.get(title, title), document)
            record = getattr(criwatch, title)
            for key in set(definition["properties"]) - {"schema", "generation", "state", "asOf", "engine"}:
                name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
                self.assertTrue(name in record.__dataclass_fields__ or hasattr(record, name), f"{title}.{name}")
                seen += 1
        self.assertGreater(seen, 90)


class Queries(unittest.TestCase):
    def test_enumerations_words_and_single_values(self):
        for query, expected in (
            (Query(kind=Kind.CONTAINER), {"kind": "container"}),
            (Query(kind="sandbox"), {"kind": "sandbox"}),
            (Query(states=[State.RUNNING, "exited"]), {"states": ["running", "exited"]}),
            (Query(states=State.EXITED), {"states": ["exited"]}),
            (Query(states="exited", fields="name"), {"states": ["exited"], "fields": ["name"]}),
            (Query(states=(), all=False), {"states": [], "all": False}),
        ):
            self.assertEqual((query.to_dict(), json.loads(query.to_json())), (expected, expected))


class Surface(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.__exit__, None, None, None)
        cls.web = cls.engine.tell("pod web ns=shop label=tier=front annotation=note=x app proxy")["id"]
        cls.engine.tell("create web job -- exit 3")
        cls.engine.tell("start job")
        cls.engine.tell("wait job exited")
        cls.engine.tell("pod db ns=data store")

    def setUp(self):
        self.watcher = criwatch.Watcher(self.engine.endpoint, {"details": "full"}, logger=None)
        self.addCleanup(self.watcher.close)
        self.watcher.resync(PATIENCE)

    def test_keywords(self):
        def paths(*query, **selection):
            return [one.path for one in self.watcher.list(*query, **selection)]

        self.assertEqual(paths(namespace="data", kind=Kind.CONTAINER), ["data/db/store"])
        self.assertEqual(paths(Query(kind=Kind.CONTAINER), pod="web"), ["shop/web/app", "shop/web/proxy"])
        self.assertEqual(paths({"kind": "container"}, states=State.EXITED), ["shop/web/job"])
        self.assertEqual(paths('{"kind": "container"}', name="store"), ["data/db/store"])
        for pod in (self.web, self.web[:13], self.web[:6], "web", "shop/web"):
            self.assertEqual(paths(pod=pod, name="app"), ["shop/web/app"], pod)
        self.assertEqual([one.pod.path for one in self.watcher.pods(namespace="shop")], ["shop/web"])
        self.assertEqual(json.loads(self.watcher.list_json(name="app"))["containers"][0]["name"], "app")
        self.assertEqual(len(json.loads(self.watcher.pods_json(namespace="none"))["pods"]), 0)
        self.assertIsNone(self.watcher.list(namespace="data", if_generation=self.watcher.generation))
        with self.assertRaises(TypeError):
            self.watcher.list(nosuch=1)

    def test_json_is_the_librarys(self):
        everything = Query(all=True)
        for answer, reported in (
            (self.watcher.list(everything), self.watcher.list_json(everything)),
            (self.watcher.pods(everything), self.watcher.pods_json(everything)),
            (self.watcher.inspect("job"), self.watcher.inspect_json("job")),
            (self.watcher.inspect("shop/web"), self.watcher.inspect_json("shop/web")),
        ):
            # A look has a moment of its own.
            expected = without(json.loads(reported), "asOf", "generation")
            self.assertEqual(without(answer.to_dict(), "asOf", "generation"), expected)
            self.assertEqual(json.loads(answer.to_json()), answer.to_dict())
        info = json.loads(self.watcher.engine_info_json())
        self.assertEqual(self.watcher.engine_info().to_dict(), {**info["engine"], "ready": info["ready"]})
        listed = self.watcher.list(name="app").containers[0].to_json()
        self.assertEqual(listed, re_packed(self.watcher.list_json(name="app")))
        self.assertEqual(sorted(self.watcher.stats().to_dict()), sorted(json.loads(self.watcher.stats_json())))

    def test_records_have_the_same_json(self):
        for record in self.watcher.snapshot():
            reported = json.loads(self.watcher.get_json(record.id))["container"]
            self.assertEqual(record.to_dict(), reported)
            self.assertEqual(list(record.to_dict()), [key for key in reported])

    def test_events_have_the_same_json(self):
        self.watcher.start()
        with self.watcher.queue() as ours, self.watcher.queue() as theirs:
            while True:
                event, reported = ours.next(PATIENCE), json.loads(theirs.next_json(PATIENCE))
                # Only these are the same for both: states may have been reported before one of them was there.
                if event.type in (EventType.REPLAY_BEGIN, EventType.REPLAY_END):
                    keys = ("schema", "type", "state", "time")
                    self.assertEqual({k: event.to_dict()[k] for k in keys}.keys(), {k: reported[k] for k in keys}.keys())
                if event.type == EventType.REPLAY_END:
                    break
                if event.type == EventType.STARTED:
                    self.assertEqual((event.to_dict()["flags"], event.to_dict()["type"]), (["initial"], "started"))
                    self.assertEqual(event.to_dict()["container"]["id"], event.container.id)

    def test_live_events_of_every_type_have_the_same_json(self):
        every = sum(1 << kind for kind in EventType)
        with Engine() as engine, criwatch.Watcher(engine.endpoint, logger=None) as watcher:
            with watcher.queue(mask=every) as ours, watcher.queue(mask=every) as theirs:
                watcher.start()
                watcher.wait_ready(PATIENCE)
                engine.tell("pod web app")
                engine.tell("create web job -- exit 3")
                for step in ("start job", "wait job exited", "rm-pod web"):
                    engine.tell(step)
                seen, same = {}, {}
                while EventType.REMOVED not in same or EventType.EXITED not in same:
                    event, told = ours.next(PATIENCE), json.loads(theirs.next_json(PATIENCE))
                    seen.setdefault(event.seq, [None, None])[0] = event
                    seen.setdefault(told["seq"], [None, None])[1] = told
                    for number in {event.seq, told["seq"]}:
                        one, other = seen[number]
                        if one and other:
                            self.assertEqual((one.to_dict(), json.loads(one.to_json())), (other, other))
                            same[one.type] = one
        self.assertLessEqual({EventType.STARTED, EventType.STATE, EventType.LOG, EventType.CREATED}, set(same))
        self.assertIsNone(same[EventType.EXITED].level)
        self.assertEqual(same[EventType.LOG].level.word, same[EventType.LOG].to_dict()["level"])

    def test_the_engine_tells_how_complete_the_cache_is(self):
        self.watcher.start()
        self.watcher.wait_ready(PATIENCE)
        self.assertEqual(self.watcher.engine_info().ready, {"complete": True, "open": 0})

    def test_json_dumps(self):
        containers = self.watcher.containers()
        reported = json.loads(json.dumps(containers, default=criwatch.to_dict))
        self.assertEqual([one["name"] for one in reported], [one.name for one in containers])
        self.assertEqual(json.loads(json.dumps({"first": containers[0].to_dict()}))["first"]["kind"], "sandbox")
        with self.assertRaises(TypeError):
            json.dumps(object(), default=criwatch.to_dict)
        self.watcher.attach("app", None)
        self.assertNotIn("rucksack", self.watcher.get("app").to_dict())
        self.watcher.attach_json("app", "null")
        self.addCleanup(self.watcher.attach, "app", None)
        self.assertIn("rucksack", self.watcher.get("app").to_dict())

    def test_reprs_are_short(self):
        app, job, pod = self.watcher.get("app"), self.watcher.inspect("job").container, self.watcher.get("app").pod
        self.assertEqual(repr(app), f"<Container shop/web/app running pid={app.pid}>")
        self.assertEqual(repr(job), "<Container shop/web/job exited exit=3>")
        self.assertRegex(repr(self.watcher.get("shop/web")), r"^<Sandbox shop/web running pid=\d+>$")
        self.assertEqual(repr(pod), "<Pod shop/web ready>")
        self.assertRegex(repr(self.watcher.list()), r"^<ContainerList 5 of generation \d+>$")
        self.assertRegex(repr(self.watcher.pods()), r"^<PodList 2 of generation \d+>$")
        self.assertRegex(repr(self.watcher.snapshot()), r"^<Snapshot of generation \d+>$")
        self.assertEqual(repr(self.watcher.inspect("job")), f"<Inspection of {job!r}>")
        info = self.watcher.engine_info()
        self.assertEqual(repr(info), f"<EngineInfo {info.version} at {self.engine.endpoint}>")
        self.assertRegex(repr(self.watcher.stats()), r"^<Stats lists=\d+ engineEvents=\d+ eventsLost=0 requests=\d+>$")
        self.assertEqual(repr(self.watcher), "<Watcher new>")
        with self.watcher.queue() as queue:
            self.assertEqual(repr(queue), "<EventQueue>")
        self.assertEqual(repr(queue), "<EventQueue closed>")
        self.watcher.start()
        events = [event for _, event in zip(range(4), self.watcher.events(EventType.STARTED))]
        self.assertIn("<Event replayBegin>", map(repr, events))
        self.assertRegex(repr(events[-1]), r"^<Event started initial <\w+ \S+ running pid=\d+>>$")

    def test_lists_are_sequences(self):
        for listed in (self.watcher.list(), self.watcher.pods(), self.watcher.snapshot()):
            self.assertEqual(listed[0], next(iter(listed)))
            self.assertIs(listed[-1], list(listed)[-1])
            self.assertIn(listed[1], listed)
            with self.assertRaises(IndexError):
                listed[len(listed)]

    def test_rows_and_tables(self):
        listed = self.watcher.list(all=True, kind=Kind.CONTAINER)
        rows = listed.rows()
        self.assertEqual([row["name"] for row in rows], ["store", "app", "job", "proxy"])
        self.assertEqual({len(row) for row in rows}, {14})
        self.assertEqual((rows[2]["state"], rows[2]["pid"], rows[2]["pod"]), ("exited", None, "web"))
        self.assertEqual(criwatch.rows(self.watcher.containers()), self.watcher.snapshot().rows())
        self.assertEqual([row["pod"] for row in self.watcher.pods().rows()], ["db", "web"])
        for table in (listed, self.watcher.pods(), self.watcher.snapshot()):
            html = table._repr_html_()
            self.assertEqual((html.count("<table>"), html.count("<tr>") - 1), (1, len(table)))
        hostile = dataclasses.replace(listed.containers[0], name="<script>alert(1)</script>")
        html = dataclasses.replace(listed, containers=(hostile,) * 500)._repr_html_()
        self.assertNotIn("<script", html)
        self.assertTrue(html.endswith("<p>300 more</p>"), html[-100:])

    def test_endpoints_as_paths(self):
        path = self.engine.endpoint[len("unix://") :]
        relative = os.path.relpath(path)
        for endpoint in (pathlib.Path(path), pathlib.Path(relative), path, relative, f"unix:{relative}", f"unix://{relative}"):
            with criwatch.Watcher(endpoint, logger=None) as watcher:
                watcher.resync(PATIENCE)
                self.assertEqual(len(watcher.containers()), 5)
        with self.assertRaisesRegex(criwatch.InvalidArgument, "not a unix socket"):
            criwatch.Watcher("localhost:1234")


class NeverStarted(unittest.TestCase):
    """What would wait for ever says so instead."""

    def test_following_or_waiting_is_an_error_at_once(self):
        import asyncio

        async def follow(watcher):
            async for _ in watcher.events_async():
                pass

        with Engine() as engine, criwatch.Watcher(engine.endpoint, logger=None) as watcher:
            for _ in range(2):
                for wait in (
                    watcher.events,
                    watcher.events_json,
                    lambda: asyncio.run(follow(watcher)),
                    watcher.wait_ready,
                    lambda: asyncio.run(watcher.wait_ready_async()),
                ):
                    with self.assertRaises(criwatch.WrongState) as caught:
                        wait()
                    self.assertEqual(caught.exception.status, Status.E_STATE)
                # A look alone starts nothing.
                watcher.resync(PATIENCE)
            # What the program makes itself may wait for a start to come.
            with watcher.queue(EventType.STARTED, flags=SubscribeFlag.LIVE_ONLY) as queue:
                self.assertIsNone(queue.next(0.01))
                watcher.start()
                watcher.wait_ready(PATIENCE)
                engine.tell("pod web ns=shop app")
                self.assertEqual(queue.next(PATIENCE).container.path, "shop/web")
            self.assertEqual(next(iter(watcher.events())).type, EventType.REPLAY_BEGIN)


class Lifetimes(unittest.TestCase):
    """Everything that was read is a copy: what it came from may be freed, and its memory used again."""

    PROGRAM = """
import gc, sys
import criwatch
watcher = criwatch.Watcher(sys.argv[1], logger=None)
watcher.start()
watcher.wait_ready(60)
kept = []
for turn in range(20):
    snapshot = watcher.snapshot()
    found = snapshot.find("app")
    kept.append((snapshot.containers, snapshot.pods, found, found.labels, found.pod.labels))
    if turn % 2:
        snapshot.close()
    del snapshot, found
    kept.append(tuple(event for _, event in zip(range(4), watcher.events())))
    gc.collect()
reported = [repr(kept), str([[c.to_json() for c in one[0]] for one in kept[::2]])]
watcher.close()
del watcher
gc.collect()
# Whatever was freed is written over.
junk = [criwatch.Watcher(sys.argv[1], logger=None) for _ in range(5)]
for one in junk:
    one.resync(60)
    one.snapshot().containers
    one.close()
gc.collect()
assert reported == [repr(kept), str([[c.to_json() for c in one[0]] for one in kept[::2]])]
assert kept[0][3]["role"] == "main" and kept[0][4]["tier"] == "front", kept[0][3:]
print("same")
"""

    def test_records_outlive_snapshots_events_queues_and_watchers(self):
        with Engine() as engine:
            engine.tell("pod web ns=shop label=tier=front")
            engine.tell("create web app label=role=main")
            engine.tell("start app")
            # Freed memory is filled with a pattern, so that reading it is noticed.
            environment = {**os.environ, "MALLOC_PERTURB_": "165"}
            command = [sys.executable, "-X", "dev", "-c", self.PROGRAM, engine.endpoint]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "same\n", ""))

    def test_a_snapshot_that_is_closed_in_the_midst_of_a_read(self):
        import threading

        with Engine() as engine, criwatch.Watcher(engine.endpoint, logger=None) as watcher:
            for number in range(20):
                engine.tell(f"pod p{number} ns=shop app proxy")
            watcher.resync(PATIENCE)
            expected = [one.path for one in watcher.containers()]
            for _ in range(30):
                snapshot = watcher.snapshot()
                closing = threading.Thread(target=snapshot.close)
                closing.start()
                try:
                    self.assertEqual([one.path for one in snapshot.containers], expected)
                except criwatch.InvalidArgument:
                    pass  # It was closed before.
                closing.join()
            gc.collect()


def without(value, *keys):
    """A value of JSON without these keys, at any depth."""
    if isinstance(value, dict):
        return {key: without(inner, *keys) for key, inner in value.items() if key not in keys}
    return [without(inner, *keys) for inner in value] if isinstance(value, list) else value


def re_packed(document):
    """The one container of a list as a text of its own."""
    return json.dumps(json.loads(document)["containers"][0], separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    unittest.main()
