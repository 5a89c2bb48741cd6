"""The command line, defined once: help, completion and the manual page are made from it."""

from __future__ import annotations

import argparse
import sys
from types import ModuleType
from typing import Any, Dict, List, NoReturn, Sequence, Tuple

from criwatch import version
from criwatch.cli import completion, engines, events, info, inspect, options, pods, ps, top, whois
from criwatch.cli.exits import MEANINGS, Exit
from criwatch.cli.layout import HelpFormatter
from criwatch.cli.table import printable

#: Each sub-command is a module with SUMMARY, DESCRIPTION, EXAMPLES, `define` and `run`.
COMMANDS: Dict[str, ModuleType] = {
    "ps": ps,
    "pods": pods,
    "inspect": inspect,
    "whois": whois,
    "events": events,
    "top": top,
    "info": info,
    "engines": engines,
    "completion": completion,
}

SUMMARY = "look at the containers and pods of this node"
DESCRIPTION = """Shows which containers and pods run on this node, now, and what changes, from containerd, CRI-O or
any other engine that speaks CRI. It only reads. Options are named as crictl names them."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, and end with where to find help."""

    def error(self, message: str) -> NoReturn:
        self.exit(Exit.USAGE, f"criwatch: {printable(message)} (see {self.prog} --help)\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse prints nothing where it cannot write.
        if message:
            (file or sys.stderr).write(message)


class Version(argparse.Action):
    """Prints the library's version; it is loaded only then."""

    def __call__(self, parser: argparse.ArgumentParser, *ignored: object) -> None:
        parser.exit(Exit.OK, f"criwatch {version()}\n")


def parser() -> Parser:
    """The whole command line."""
    whole = Parser(
        prog="criwatch",
        description=DESCRIPTION,
        epilog=_exit_codes(),
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action=Version, nargs=0, help="print the library's version")
    options.add_global(whole)
    subparsers = whole.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name, module in COMMANDS.items():
        command = subparsers.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            epilog=_examples(module.EXAMPLES),
            formatter_class=HelpFormatter,
            allow_abbrev=False,
        )
        module.define(command)
        if module is not completion:
            options.add_global(command)
    return whole


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command line."""
    whole = parser()
    if not words:
        # Who asks for nothing wants to know what there is.
        whole.print_help()
        whole.exit(Exit.OK)
    arguments = whole.parse_args(words)
    # Completion is made from it.
    arguments.command_line = whole
    for name, default in (("runtime_endpoint", None), ("timeout", 10.0), ("option", {})):
        if not hasattr(arguments, name):
            setattr(arguments, name, default)
    return arguments


def _exit_codes() -> str:
    lines = [f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items()]
    return "\n".join(["exit codes:", *lines])


def _examples(examples: Sequence[Tuple[str, str]]) -> str:
    lines: List[str] = ["examples:"] if examples else []
    for what, command in examples:
        lines += [f"  # {what}", f"  {command}"]
    return "\n".join(lines)
