"""The simulated engine of the tests, by the package criwatch_sim of this repository: the program that CRI_SIM names."""

import signal
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "python-sim"))

from criwatch_sim import PATIENCE  # noqa: E402,F401
from criwatch_sim import Simulator as Engine  # noqa: E402,F401

# What a shell runs in the background ignores Ctrl-C, and so does all that it starts; a handler of one's own ends that.
signal.signal(signal.SIGINT, signal.default_int_handler)
