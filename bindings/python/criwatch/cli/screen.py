"""The terminal while `top` runs: its alternate screen, its keys, and that it is clean afterwards, whatever happens."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import termios
import tty
from typing import Any, Callable, Dict, List, Optional, Sequence

from criwatch.cli.exits import Exit

#: Keys that are more than one character.
_SEQUENCES = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down", "\x1b[5~": "page up", "\x1b[6~": "page down",
    "\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home", "\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end",
}  # fmt: skip

_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"


class Screen:
    """The whole terminal, from `with` to its end. Signals (a new size, Ctrl-Z and back, SIGTERM) end a wait."""

    def __init__(self) -> None:
        self._keyboard: Optional[int] = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._was: List[Any] = []
        self._handlers: Dict[int, Any] = {}
        self._wakeup = (-1, -1)
        #: The last lines drawn.
        self._drawn: List[str] = []
        #: How often the terminal's content was lost (a number, since a signal may come between any two steps), and how
        #: often it had been when those lines were made: while the two differ, everything has to be drawn anew.
        self._losses, self._losses_seen = 1, 0

    def __enter__(self) -> Screen:
        reader, writer = self._wakeup = os.pipe()
        for end in self._wakeup:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number, handler in (
            (signal.SIGWINCH, self._on_resize),
            (signal.SIGTSTP, self._on_suspend),
            (signal.SIGTERM, self._on_end),
            (signal.SIGHUP, self._on_end),
        ):
            self._handlers[number] = signal.signal(number, handler)
        self._occupy()
        return self

    def __exit__(self, *exception: object) -> None:
        self._leave()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for end in self._wakeup:
            os.close(end)

    def draw(self, make: Callable[[], Sequence[str]]) -> None:
        """Shows the lines that `make` gives, each fitted to the width; writes only those that have changed."""
        # Before they are made: a new size that is signalled from here on asks for another drawing.
        losses = self._losses
        before = self._drawn if losses == self._losses_seen else None
        lines = make()
        out = [] if before is not None else ["\x1b[2J"]
        for index, line in enumerate(lines):
            if before is None or index >= len(before) or before[index] != line:
                out.append(f"\x1b[{index + 1};1H{line}\x1b[0m\x1b[K")
        if before is not None and len(before) > len(lines):
            out.append(f"\x1b[{len(lines) + 1};1H\x1b[J")
        self._drawn, self._losses_seen = list(lines), losses
        self._write("".join(out))

    def wait(self, descriptor: int, seconds: float) -> List[str]:
        """Waits until the descriptor is readable, keys were pressed, a signal came, or the time is over: the keys.

        A signal that changed the terminal comes as the key "redraw".
        """
        poll = select.poll()
        watched = [descriptor, self._wakeup[0], *([] if self._keyboard is None else [self._keyboard])]
        for one in watched:
            poll.register(one, select.POLLIN)
        ready = {one: what for one, what in poll.poll(max(0, math.ceil(seconds * 1000)))}
        if self._wakeup[0] in ready:
            os.read(self._wakeup[0], 512)
        redraw = ["redraw"] if self._losses != self._losses_seen else []
        if self._keyboard is None or self._keyboard not in ready:
            return redraw
        pressed = os.read(self._keyboard, 1024)
        if not pressed:
            # The terminal is gone.
            raise SystemExit(Exit.TERMINATED)
        return redraw + keys(pressed.decode("utf-8", "replace"))

    def _occupy(self) -> None:
        if self._keyboard is not None:
            self._was = termios.tcgetattr(self._keyboard)
            tty.setcbreak(self._keyboard)
        self._losses += 1
        self._write(_ENTER)

    def _leave(self) -> None:
        self._write(_LEAVE)
        if self._keyboard is not None:
            termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._was)

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            # A terminal that has hung up: SIGHUP ends the program, and nothing is left to be cleaned.
            pass

    def _on_resize(self, *signal_and_frame: object) -> None:
        self._losses += 1

    def _on_suspend(self, *signal_and_frame: object) -> None:
        """Ctrl-Z: the shell gets a clean terminal, and `fg` brings the screen back."""
        self._leave()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._occupy()

    def _on_end(self, *signal_and_frame: object) -> None:
        raise SystemExit(Exit.TERMINATED)


def keys(text: str) -> List[str]:
    """The keys behind what a terminal sent."""
    found = []
    while text:
        sequence = next((one for one in _SEQUENCES if text.startswith(one)), None)
        found.append(_SEQUENCES[sequence] if sequence else text[0])
        text = text[len(sequence or text[0]) :]
    return found
