"""A running `cri-sim`, driven through its stdin."""

import os
import select
import subprocess
import tempfile
import time
from typing import Dict, List, Optional, Type

from ._program import program

#: How many seconds an answer may take, on a slow, busy machine, before a test gives up on it.
PATIENCE = 60.0


class Refused(Exception):
    """The engine cannot do what a script line says; the text says why."""


class Answer(Dict[str, str]):
    """The values of an answer by their keys; of two with one key the first."""

    def __init__(self, text: str, details: List[str]) -> None:
        words = [word.split("=", 1) for word in text.split(" ") if "=" in word]
        super().__init__({key: value for key, value in reversed(words)})
        #: The whole line.
        self.text = text
        #: The lines before it: `list` has one for each sandbox and container.
        self.details = details


class Simulator:
    """One engine with nothing on it, in a folder of its own; `close`, or the end of the `with` block, ends and removes it.

    The arguments are options of `cri-sim`: `Simulator("--profile", "crio")`.
    """

    def __init__(self, *arguments: str, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._folder = tempfile.TemporaryDirectory(prefix="cri-sim-")
        #: The path of its socket.
        self.socket = os.path.join(self._folder.name, "cri.sock")
        command = [program(), "--socket", self.socket, "--script", "-", *arguments]
        # Bytes, unbuffered: select sees all that was not read yet.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._unread = b""
        try:
            ready = self._line("its start")
            if not ready.startswith("ready unix://"):
                raise Refused(f"cri-sim is not ready: {ready}")
        except BaseException:
            self.close()
            raise
        #: What its clients take: `unix://...`.
        self.endpoint = ready.split(" ")[1]

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self._process.pid

    def tell(self, line: str) -> Answer:
        """Has it do what one line of a script says, and waits until that is done. `Refused` says why it cannot."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(line.encode() + b"\n")
        details = []
        while (answer := self._line(line)).startswith("- "):
            details.append(answer)
        if not answer.startswith("ok "):
            raise Refused(f"{line}: {answer}")
        return Answer(answer, details)

    def close(self) -> None:
        """Ends the engine and all that it runs, and removes its folder. May be called more than once."""
        self._process.terminate()
        self._process.communicate(timeout=self._patience)
        self._folder.cleanup()

    def _line(self, after: str) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        end = time.monotonic() + self._patience
        while b"\n" not in self._unread:
            if not select.select([stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"no answer of cri-sim within {self._patience:g} s to {after}")
            read = os.read(stdout.fileno(), 65536)
            if not read:
                raise EOFError(f"cri-sim has ended, after {after}")
            self._unread += read
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode(errors="replace")

    def __enter__(self) -> "Simulator":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: object) -> None:
        self.close()
