"""Events: by `for`, by `async for`, one by one, and how a wait for one ends."""

import asyncio
import json
import select
import threading
import unittest

import criwatch
from criwatch import EventFlag, EventType, SubscribeFlag
from engine import PATIENCE, Engine

STORY = [EventType.REPLAY_BEGIN, EventType.STARTED, EventType.STARTED, EventType.REPLAY_END]


class EventsTest(unittest.TestCase):
    def setUp(self):
        self.engine = self.entered(Engine())
        self.engine.tell("pod web ns=shop app")
        self.watcher = self.entered(criwatch.Watcher(self.engine.endpoint, {"details": "full"}))
        self.watcher.start()
        self.watcher.wait_ready(PATIENCE)

    def entered(self, thing):
        self.addCleanup(thing.__exit__, None, None, None)
        return thing.__enter__()

    def drained(self, queue):
        """The types of the events up to the end of the replay."""
        types = []
        while not types or types[-1] != EventType.REPLAY_END:
            types.append(queue.next(PATIENCE).type)
        return [one for one in types if one != EventType.STATE]


class Loops(EventsTest):
    def test_for(self):
        seen = []
        for event in self.watcher.events():
            seen.append(event)
            if event.type == EventType.REPLAY_END:
                self.engine.tell("stop app")
            if event.type == EventType.EXITED:
                break
        # How containers were made is reported later, and when is not certain.
        reported = [event for event in seen if event.type not in (EventType.STATE, EventType.UPDATED)]
        self.assertEqual([event.type for event in reported], [*STORY, EventType.EXITED])
        exited = reported[-1]
        started = next(event for event in reported[1:3] if event.container.path == "shop/web/app")
        self.assertEqual(started.flags, EventFlag.INITIAL)
        self.assertIsNotNone(exited.container.exit_code)
        self.assertLessEqual(exited.time, exited.observed)
        self.assertLess(started.seq, exited.seq)
        self.assertIsNone(seen[0].container)

    def test_for_as_json(self):
        types = []
        for text in self.watcher.events_json():
            value = json.loads(text)
            self.assertEqual(value["schema"], "criwatch.event/1")
            types.append(value["type"])
            if types[-1] == "replayEnd":
                break
        self.assertEqual([one for one in types if one != "state"], ["replayBegin", "started", "started", "replayEnd"])

    def test_a_loop_ends_with_the_watcher(self):
        events = self.watcher.events()
        self.watcher.stop()
        self.assertEqual([event.type for event in events][:4], STORY)

    def test_only_some_types_and_only_live(self):
        with self.watcher.queue(EventType.EXITED, flags=SubscribeFlag.LIVE_ONLY) as queue:
            self.engine.tell("stop app")
            self.assertEqual(queue.next(PATIENCE).type, EventType.EXITED)
            self.assertIsNone(queue.next(0))

    def test_a_slow_consumer_gets_overflow(self):
        with self.watcher.queue(capacity=1) as queue:
            self.engine.tell("pod b ns=shop app")
            self.watcher.resync(PATIENCE)
            events = []
            while not events or events[-1].type != EventType.OVERFLOW:
                events.append(queue.next(PATIENCE))
            self.assertGreater(events[-1].lost, 0)


class Waits(EventsTest):
    def test_one_by_one(self):
        with self.watcher.queue() as queue:
            self.assertEqual(self.drained(queue), STORY)
            poll = select.poll()
            poll.register(queue, select.POLLIN)
            self.assertIsNone(queue.next(0))
            self.assertIsNone(queue.next(0.01))
            self.assertEqual(poll.poll(0), [])
            self.engine.tell("stop app")
            self.assertEqual(len(poll.poll(PATIENCE * 1000)), 1)
            self.assertEqual(json.loads(queue.next_json(0))["type"], "exited")
            self.watcher.stop()
            with self.assertRaises(criwatch.QueueClosed) as caught:
                while queue.next(PATIENCE):
                    pass
            self.assertEqual(caught.exception.status, criwatch.Status.CLOSED)
        self.assertTrue(queue.closed)
        for use in (queue.next, queue.fileno):
            with self.assertRaises(criwatch.QueueClosed):
                use()

    def test_closing_ends_the_waits_of_other_threads(self):
        queue = self.watcher.queue()
        self.drained(queue)
        counts = []
        threads = [threading.Thread(target=lambda: counts.append(len(list(queue)))) for _ in range(8)]
        for thread in threads:
            thread.start()
        queue.close()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(len(counts), 8)

    def test_several_threads_share_a_queue(self):
        taken = []

        def take():
            for event in queue:
                taken.append(event.seq)

        with self.watcher.queue() as queue:
            threads = [threading.Thread(target=take) for _ in range(4)]
            for thread in threads:
                thread.start()
            for number in range(20):
                self.engine.tell(f"pod p{number} ns=shop app")
            self.watcher.resync(PATIENCE)
            self.watcher.stop()
            for thread in threads:
                thread.join(PATIENCE)
        self.assertEqual(len(taken), len(set(taken)))
        self.assertGreaterEqual(len(taken), 44)


class Asynchronous(EventsTest):
    def test_async_for(self):
        async def main():
            types = []
            async for event in self.watcher.events_async():
                types.append(event.type)
                if event.type == EventType.REPLAY_END:
                    await asyncio.get_running_loop().run_in_executor(None, self.engine.tell, "stop app")
                if event.type == EventType.EXITED:
                    break
            return [one for one in types if one not in (EventType.STATE, EventType.UPDATED)]

        self.assertEqual(asyncio.run(main()), [*STORY, EventType.EXITED])

    def test_other_tasks_go_on_meanwhile(self):
        async def main():
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)

            async with self.watcher.queue() as queue:
                ticking = asyncio.create_task(tick())
                waiting = asyncio.create_task(queue.next_async())
                # A thousand events and more that are all there at once.
                for number in range(200):
                    await queue_filled(self.engine, number)
                await self.watcher.resync_async(PATIENCE)
                before = ticks
                await waiting
                for _ in range(300):
                    await queue.next_async()
                ticking.cancel()
                return ticks - before

        async def queue_filled(engine, number):
            await asyncio.get_running_loop().run_in_executor(None, engine.tell, f"pod p{number} ns=shop app")

        self.assertGreater(asyncio.run(main()), 3)

    def test_a_wait_that_is_cancelled_loses_nothing(self):
        async def main():
            async with self.watcher.queue() as queue:
                await asyncio.get_running_loop().run_in_executor(None, self.drained, queue)
                for _ in range(50):
                    with self.assertRaises(asyncio.TimeoutError):
                        await asyncio.wait_for(queue.next_async(), 0.001)
                await asyncio.get_running_loop().run_in_executor(None, self.engine.tell, "stop app")
                return (await asyncio.wait_for(queue.next_async(), PATIENCE)).type

        self.assertEqual(asyncio.run(main()), EventType.EXITED)

    def test_closing_ends_all_waits(self):
        async def main(close):
            queue = self.watcher.queue()
            await asyncio.get_running_loop().run_in_executor(None, self.drained, queue)
            waits = [asyncio.create_task(queue.next_async()) for _ in range(3)]
            await asyncio.sleep(0)
            await close(queue)
            ends = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), PATIENCE)
            queue.close()
            return [type(end) for end in ends]

        async def here(queue):
            queue.close()

        async def elsewhere(queue):
            threading.Thread(target=queue.close).start()

        for close in (here, elsewhere):
            self.assertEqual(asyncio.run(main(close)), [criwatch.QueueClosed] * 3)

    def test_the_watchers_end_ends_all_loops(self):
        async def consume(queue):
            return [event.type async for event in queue]

        async def main():
            async with self.watcher.queue() as queue:
                loops = [asyncio.create_task(consume(queue)) for _ in range(3)]
                await asyncio.get_running_loop().run_in_executor(None, self.watcher.stop)
                return sum(await asyncio.wait_for(asyncio.gather(*loops), PATIENCE), [])

        seen = asyncio.run(main())
        self.assertEqual(sorted(one for one in seen if one != EventType.STATE), sorted(STORY))

    def test_requests(self):
        async def main():
            async with criwatch.Watcher(self.engine.endpoint, {"details": "full"}) as watcher:
                watcher.start()
                await watcher.wait_ready_async(PATIENCE)
                inspection, version, _ = await asyncio.gather(
                    watcher.inspect_async("app"),
                    watcher.call_async("RuntimeService/Version"),
                    watcher.resync_async(PATIENCE),
                )
                return inspection.container.path, version["runtimeName"]

        self.assertEqual(asyncio.run(main()), ("shop/web/app", "containerd"))

    def test_a_cancelled_request_holds_nothing_up(self):
        self.engine.tell("fault stall on")

        async def main():
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(self.watcher.resync_async(), 0.05)

        # Its end would wait for the thread of an executor.
        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
