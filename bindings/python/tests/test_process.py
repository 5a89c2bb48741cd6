"""The process around it: signals, forks, and the interpreter's end."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import criwatch
from engine import PATIENCE, Engine

HERE = Path(__file__).resolve().parent


def run(program, *arguments, **more):
    command = [sys.executable, "-X", "dev", "-c", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def wait_until_it_sleeps(pid):
    """Waits until the main thread of a process does nothing for a while."""
    deadline = time.monotonic() + PATIENCE
    last, times = None, 0
    while times < 20:
        assert time.monotonic() < deadline, "it never sleeps"
        status = Path(f"/proc/{pid}/task/{pid}/status").read_text()
        now = [line for line in status.splitlines() if line.startswith(("State", "voluntary"))]
        times = times + 1 if now == last and "sleeping" in now[0] else 0
        last = now
        time.sleep(0.01)


def in_child(watcher, queue, endpoint, answers):
    """What a forked child sees."""
    seen = []
    for use in (watcher.list, watcher.start, watcher.stop, lambda: queue.next(0)):
        try:
            use()
            seen.append("nothing")
        except criwatch.CriError as error:
            seen.append(type(error).__name__)
    watcher.close()
    queue.close()
    with criwatch.Watcher(endpoint) as own:
        own.start()
        own.wait_ready(PATIENCE)
        seen.append(len(own.containers()))
    answers.put(seen)


class Forks(unittest.TestCase):
    def test_a_child_of_multiprocessing(self):
        context = multiprocessing.get_context("fork")
        with Engine() as engine, criwatch.Watcher(engine.endpoint) as watcher:
            engine.tell("pod web app")
            watcher.start()
            watcher.wait_ready(PATIENCE)
            with watcher.queue() as queue:
                answers = context.Queue()
                child = context.Process(target=in_child, args=(watcher, queue, engine.endpoint, answers))
                child.start()
                self.assertEqual(answers.get(timeout=PATIENCE), ["Forked"] * 4 + [2])
                child.join(PATIENCE)
                self.assertEqual(child.exitcode, 0)
                # The parent's is as it was.
                engine.tell("pod late app")
                watcher.resync(PATIENCE)
                self.assertEqual(len(watcher.containers()), 4)
                self.assertIsNotNone(queue.next(PATIENCE))

    def test_a_watcher_may_be_made_before_the_fork_and_started_after(self):
        with Engine() as engine, criwatch.Watcher(engine.endpoint) as watcher:
            with watcher.queue() as queue:
                child = os.fork()
                if child == 0:
                    status = 1
                    try:
                        watcher.start()
                        watcher.wait_ready(PATIENCE)
                        status = 0 if queue.next(PATIENCE) is not None else 2
                        watcher.close()
                    finally:
                        os._exit(status)
                self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)

    def test_a_forked_child_that_ends_as_programs_do(self):
        program = """
import criwatch, os, sys
watcher = criwatch.Watcher(sys.argv[1])
watcher.start()
watcher.wait_ready(60)
queue = watcher.queue()
child = os.fork()
if child == 0:
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(watcher.containers()))
queue.close()
watcher.close()
"""
        with Engine() as engine:
            output, complaints = run(program, engine.endpoint).communicate(timeout=PATIENCE)
        complaints = "".join(line for line in complaints.splitlines() if "fork" not in line)
        self.assertEqual((output, complaints), ("7 0\n", ""))


class Signals(unittest.TestCase):
    WAITS = {
        "for": "for event in watcher.events(criwatch.EventType.LOG, flags=criwatch.SubscribeFlag.LIVE_ONLY): pass",
        "next": "queue = watcher.queue(criwatch.EventType.LOG, flags=1)\nwith queue:\n  while True: queue.next(1e6)",
        "resync": "watcher.resync()",
        "call": "watcher.call('RuntimeService/Version')",
        "async": "asyncio.run(follow())",
    }
    PROGRAM = """
import asyncio, criwatch, signal, sys
async def follow():
    async for event in watcher.events_async():
        pass
with criwatch.Watcher(sys.argv[1]) as watcher:
    watcher.start()
    watcher.wait_ready(60)
    print("ready", flush=True)
    assert sys.stdin.readline() == "go on\\n"
    print("waits", flush=True)
    exec(sys.argv[2])
"""

    def test_ctrl_c_ends_every_wait(self):
        for name, wait in self.WAITS.items():
            with self.subTest(name), Engine() as engine:
                child = run(self.PROGRAM, engine.endpoint, wait, stdin=subprocess.PIPE)
                self.assertEqual(child.stdout.readline(), "ready\n")
                engine.tell("fault stall on")
                child.stdin.write("go on\n")
                child.stdin.flush()
                self.assertEqual(child.stdout.readline(), "waits\n")
                wait_until_it_sleeps(child.pid)
                child.send_signal(signal.SIGINT)
                _, complaints = child.communicate(timeout=PATIENCE)
                self.assertEqual(complaints.strip().splitlines()[-1:], ["KeyboardInterrupt"], complaints)
                self.assertNotIn("ResourceWarning", complaints)
                self.assertEqual(child.returncode, -signal.SIGINT)


class Exits(unittest.TestCase):
    PROGRAM = HERE / "exits.py"

    def test_an_interpreter_ends_in_the_midst_of_everything(self):
        with Engine("--workload", "--pods", "6", "--pace", "5ms") as engine:
            for way in ("queue", "thread", "async", "call"):
                command = [sys.executable, str(self.PROGRAM), engine.endpoint, way]
                done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), way)


if __name__ == "__main__":
    unittest.main()
