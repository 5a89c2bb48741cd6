"""The manual page is what the command's options say."""

import subprocess
import sys
import unittest
from pathlib import Path

from criwatch.cli.grammar import actions_of, subparsers_of
from criwatch.cli.parser import parser

PYTHON = Path(__file__).resolve().parent.parent


class Manual(unittest.TestCase):
    def test_it_is_current(self):
        ran = subprocess.run([sys.executable, PYTHON / "scripts/man", "--check"], capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_it_has_every_option(self):
        page = (PYTHON.parent.parent / "docs/man/criwatch.1").read_text(encoding="utf-8")
        for name, command in subparsers_of(parser()).items():
            self.assertIn(f"criwatch {name} ", page)
            for action in actions_of(command):
                for flag in action.option_strings:
                    self.assertIn("\\fB" + flag.replace("-", "\\-") + "\\fR", page)


if __name__ == "__main__":
    unittest.main()
