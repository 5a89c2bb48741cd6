"""A terminal for a program: a pty, and pyte, which knows what a terminal would show."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from typing import Callable, List, Optional

import pyte

from engine import PATIENCE


class Terminal:
    """Runs a program on a terminal of its own."""

    def __init__(self, *command: str, columns: int = 120, lines: int = 30, **environment: str) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._parent, self.child_end = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.child_end)
        #: All that was written, as it was written.
        self.raw = b""
        self.process = subprocess.Popen(
            command,
            stdin=self.child_end,
            stdout=self.child_end,
            stderr=self.child_end,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            # A session of its own, with this terminal, so that it gets the terminal's signals.
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    @property
    def text(self) -> str:
        """What the terminal shows."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, condition: Callable[[str], bool], what: str) -> str:
        """Reads until the shown text is as wanted."""
        deadline = time.monotonic() + PATIENCE
        while not condition(self.text):
            left = deadline - time.monotonic()
            assert left > 0 and self._read(left), f"never shown: {what}\n{self.text}\n{self.raw[-500:]!r}"
        return self.text

    def end(self) -> int:
        """Reads the output that is left, and returns the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end\n{self.text}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.wait()

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self._parent, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Gives the terminal another size."""
        self.screen.resize(lines, columns)
        fcntl.ioctl(self._parent, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def is_clean(self) -> List[str]:
        """What is not as it was before the program, of the keyboard's settings and the screen."""
        wrong = []
        if termios.tcgetattr(self.child_end) != self.before:
            wrong.append("the settings of the terminal")
        for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
            if self.raw.count(on) != self.raw.count(off) or self.raw.rfind(on) > self.raw.rfind(off):
                wrong.append(f"{on!r} without {off!r}")
        return wrong

    def close(self) -> None:
        """Ends the program, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._parent)
        os.close(self.child_end)

    def _read(self, seconds: float) -> Optional[bytes]:
        if not select.select([self._parent], [], [], seconds)[0]:
            return None
        output = os.read(self._parent, 65536)
        self.raw += output
        self._stream.feed(output)
        return output

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
