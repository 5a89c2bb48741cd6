"""What other tools make. If a tool is missing, its pages are left out, with the reason."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

BACK = r"[\b]"
CHARACTER = r"(?:&[#\w]+;|[^\n])"


class LeftOut(Exception):
    """Why a page is left out."""


def manual(page: Path) -> str:
    """A manual page as HTML: groff's text for a terminal, with its bold and underlined words."""
    if not shutil.which("groff"):
        raise LeftOut("groff is not installed")
    # groff marks text as typewriters did: x, backspace, x is bold; _, backspace, x is underlined. The options set the
    # width, and switch hyphenation off.
    command = ["groff", "-man", "-Tutf8", "-P-c", "-rLL=88n", "-rHY=0", "-dAD=l", str(page)]
    html = escape(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip("\n"))
    html = re.sub(rf"(?:({CHARACTER}){BACK}\1)+", lambda run: f"<b>{_once(run[0])}</b>", html)
    return re.sub(rf"(?:_{BACK}{CHARACTER})+", lambda run: f"<i>{_once(run[0])}</i>", html)


def _once(run: str) -> str:
    return re.sub(rf"{CHARACTER}{BACK}", "", run)
