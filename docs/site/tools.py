"""References made by other tools: rustdoc, pdoc. If a tool is missing, its reference is left out, with the reason."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

BACK = r"[\b]"
CHARACTER = r"(?:&[#\w]+;|[^\n])"


class LeftOut(Exception):
    """Why a reference is left out."""


def rust(root: Path, target: Path, folder: Path) -> None:
    """Runs rustdoc on the crate. A broken link is an error."""
    if not shutil.which("cargo"):
        raise LeftOut("cargo is not installed")
    # Only the pages of this crate: the folder can have pages of its dependencies from another run.
    made = target / "doc"
    shutil.rmtree(made, ignore_errors=True)
    flags = f"{os.environ.get('RUSTDOCFLAGS', '')} -D rustdoc::broken_intra_doc_links"
    command = ["cargo", "doc", "--no-deps", "--lib", "--quiet", "--target-dir", str(target)]
    subprocess.run(command, cwd=root, check=True, env={**os.environ, "RUSTDOCFLAGS": flags})
    shutil.copytree(made, folder)


def python(root: Path, folder: Path) -> None:
    """Runs pdoc on the package."""
    package = root / "bindings/python"
    command = [sys.executable, "-m", "pdoc", "--no-search", "--output-directory", str(folder), "criwatch"]
    # Importing the package loads no library. It must leave no bytecode among the sources.
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, env=environment)


def manual(page: Path) -> str:
    """A manual page as HTML: groff's text for a terminal, with its bold and underlined words."""
    if not shutil.which("groff"):
        raise LeftOut("groff is not installed")
    # groff marks text as typewriters did: x, backspace, x is bold; _, backspace, x is underlined. The options set the width, and switch
    # hyphenation off.
    command = ["groff", "-man", "-Tutf8", "-P-c", "-rLL=88n", "-rHY=0", "-dAD=l", str(page)]
    html = escape(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip("\n"))
    html = re.sub(rf"(?:({CHARACTER}){BACK}\1)+", lambda run: f"<b>{_once(run[0])}</b>", html)
    return re.sub(rf"(?:_{BACK}{CHARACTER})+", lambda run: f"<i>{_once(run[0])}</i>", html)


def _once(run: str) -> str:
    return re.sub(rf"{CHARACTER}{BACK}", "", run)
