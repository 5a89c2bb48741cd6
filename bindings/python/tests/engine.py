"""A simulated engine for the tests: the program that the environment variable CRI_SIM names."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
from typing import Dict

PROGRAM = os.environ.get("CRI_SIM") or shutil.which("cri-sim")

# What a shell runs in the background ignores Ctrl-C, and so does all that it starts; a handler of one's own ends that.
signal.signal(signal.SIGINT, signal.default_int_handler)

#: How long anything may take on a slow, busy machine before a test gives up on it.
PATIENCE = 60.0


class Engine:
    """One engine with nothing on it; its end is the end of the `with` block."""

    def __init__(self, *arguments: str) -> None:
        if not PROGRAM:
            raise RuntimeError("set CRI_SIM to the program of the simulated engine (see sim/README.md)")
        self._folder = tempfile.TemporaryDirectory(prefix="criwatch-python-")
        command = [PROGRAM, "--socket", os.path.join(self._folder.name, "cri.sock"), "--script", "-", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = self._line().split(" ")
        assert ready[0] == "ready", ready
        self.endpoint = ready[1]

    def tell(self, line: str) -> Dict[str, str]:
        """Has it do what a line of its script says; the values of the answer, of two with one key the first."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        answer = self._line()
        assert answer.startswith("ok "), f"{line}: {answer}"
        words = [word.split("=", 1) for word in answer.split(" ") if "=" in word]
        return {key: value for key, value in reversed(words)}

    def _line(self) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        # Each command has one line as its answer, so that nothing is read ahead.
        assert select.select([stdout], [], [], PATIENCE)[0], "no answer of the simulated engine"
        return stdout.readline().decode().rstrip("\n")

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)
        self._folder.cleanup()
