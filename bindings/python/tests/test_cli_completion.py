"""Completion, in the shells themselves where they are installed."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from criwatch.cli import main
from criwatch.cli.grammar import actions_of, subparsers_of
from criwatch.cli.parser import COMMANDS, parser
from engine import PATIENCE, Engine

ASK = """
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _criwatch
if [ ${#COMPREPLY[@]} -gt 0 ]; then printf '%s\\n' "${COMPREPLY[@]}"; fi
"""


def script(shell):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["completion", shell]) == 0
    return out.getvalue()


class Bash(unittest.TestCase):
    """bash is where these tests run: there is none without it."""

    def completed(self, *words, **environment):
        """What bash offers for the last word."""
        ran = subprocess.run(
            ["bash", "-u", "-c", script("bash") + ASK, "bash", "criwatch", *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **environment},
        )
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        return ran.stdout.split()

    def test_commands(self):
        self.assertEqual(self.completed(""), list(COMMANDS))
        self.assertEqual(self.completed("p"), ["ps", "pods"])
        self.assertEqual(self.completed("-r", "unix:///x", "to"), ["top"])

    def test_every_option_of_every_command(self):
        for name, command in subparsers_of(parser()).items():
            options = [flag for action in actions_of(command) for flag in action.option_strings]
            self.assertEqual(sorted(self.completed(name, "-")), sorted(options))
        self.assertIn("--runtime-endpoint", self.completed("--r"))

    def test_values(self):
        self.assertEqual(self.completed("ps", "-o", ""), ["table", "json", "yaml", "name"])
        self.assertEqual(self.completed("--timeout", "2s", "ps", "-a", "--state", "r"), ["running"])
        self.assertEqual(self.completed("completion", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.completed("ps", "--label", "a"), [])

    def test_names_come_from_the_engine(self):
        with tempfile.TemporaryDirectory() as folder, Engine() as engine:
            program = Path(folder, "criwatch")
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m criwatch "$@"\n')
            program.chmod(0o755)
            engine.tell("pod web ns=shop app")
            environment = {"PATH": f"{folder}:{os.environ['PATH']}", "CRI_RUNTIME_ENDPOINT": engine.endpoint}
            self.assertEqual(self.completed("inspect", "sh", **environment), ["shop/web", "shop/web/app"])
            self.assertEqual(self.completed("inspect", "shop/web", "shop/web/", **environment), ["shop/web/app"])
            self.assertEqual(self.completed("ps", "--pod", "", **environment), ["web"])
            self.assertEqual(self.completed("ps", "--namespace", "", **environment), ["shop"])
            engine.tell("down")
            self.assertEqual(self.completed("inspect", "", **environment), [])


class OtherShells(unittest.TestCase):
    def test_every_command_and_long_option_is_there(self):
        for shell in ("zsh", "fish"):
            output = script(shell)
            for name, command in subparsers_of(parser()).items():
                self.assertIn(name, output)
                for action in actions_of(command):
                    for flag in action.option_strings:
                        spelled = (
                            flag if shell == "zsh" else f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
                        )
                        self.assertIn(spelled, output)

    def test_the_shells_understand_them(self):
        for shell in filter(shutil.which, ("zsh", "fish")):
            ran = subprocess.run([shell, "-n"], input=script(shell), capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((ran.returncode, ran.stderr), (0, ""), shell)


if __name__ == "__main__":
    unittest.main()
