"""Where the program is."""

import os
import shutil
import sys
from pathlib import Path

_OWN = Path(__file__).with_name("cri-sim")


def program() -> str:
    """The path of `cri-sim`: what the environment variable CRI_SIM names; otherwise that of this package; otherwise that of PATH."""
    named = os.environ.get("CRI_SIM") or (str(_OWN) if _OWN.exists() else shutil.which("cri-sim"))
    if not named:
        raise FileNotFoundError("there is no cri-sim: install the wheel criwatch-sim, or set CRI_SIM to the program's path")
    return named


def main() -> None:
    """Becomes `cri-sim`, with the arguments of this process."""
    path = program()
    os.execv(path, ["cri-sim", *sys.argv[1:]])
