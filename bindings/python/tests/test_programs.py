"""The README's quick start and the example run as they stand."""

import os
import re
import signal
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from engine import PATIENCE, Engine

PYTHON = Path(__file__).resolve().parent.parent


def quick_start() -> str:
    return re.findall(r"```python\n(.*?)```", (PYTHON / "README.md").read_text(), re.DOTALL)[0]


class Programs(unittest.TestCase):
    def started(self, *command, engine):
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            [sys.executable, "-X", "dev", *command, engine.endpoint],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def wait_for(self, child, *patterns):
        """Waits until each of these was printed, in whatever order."""
        missing = set(patterns)
        # The end of its output is the end of the wait.
        watchdog = threading.Timer(PATIENCE, child.kill)
        watchdog.start()
        for line in child.stdout:
            missing = {pattern for pattern in missing if not re.search(pattern, line)}
            if not missing:
                watchdog.cancel()
                return
        watchdog.cancel()
        self.fail(f"{missing} were never output: {child.communicate(timeout=PATIENCE)[1]}")

    def test_the_quick_start(self):
        program = quick_start()
        code = [line for line in program.splitlines() if line.strip() and not line.strip().startswith("#")]
        self.assertLess(len(code), 15)
        with Engine() as engine:
            engine.tell("pod web ns=shop app")
            child = self.started("-c", program, engine=engine)
            self.wait_for(child, r"^running shop/web/app \d+$")
            self.wait_for(child, r"^started shop/web/app $")
            engine.tell("kill app KILL")
            self.wait_for(child, r"^exited shop/web/app Error$")
            child.send_signal(signal.SIGINT)
            _, complaints = child.communicate(timeout=PATIENCE)
        # Quietly.
        self.assertEqual((child.returncode, complaints), (0, ""))

    def test_the_example(self):
        example = PYTHON.parent.parent / "examples/python/watch.py"
        for number in (signal.SIGINT, signal.SIGTERM):
            with Engine() as engine:
                engine.tell("pod web ns=shop app")
                child = self.started(str(example), engine=engine)
                self.wait_for(child, r"^2 containers and sandboxes run$")
                engine.tell("pod late ns=shop job -- exit 3")
                # Order is kept for each container, not between them; a pid may come too late for its STARTED.
                self.wait_for(child, r"^started  shop/late pid=", r"^exited   shop/late/job code=3 Error$")
                child.send_signal(number)
                output, complaints = child.communicate(timeout=PATIENCE)
            # With -X dev, asyncio reports what took long: on a busy machine that is no fault of the program.
            complaints = re.sub(r"^WARNING:asyncio:Executing .* took [0-9.]+ seconds\n", "", complaints, flags=re.M)
            self.assertEqual((child.returncode, complaints), (0, ""))
            self.assertRegex(output, r"\d changes, 3 still run\n$")


if __name__ == "__main__":
    unittest.main()
