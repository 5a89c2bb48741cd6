"""criwatch completion: what makes the shell complete the command line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from criwatch.cli import shells
from criwatch.cli.exits import Exit

SUMMARY = "print what makes the shell complete the command line"
DESCRIPTION = """Prints a script for bash, zsh or fish that completes sub-commands, options and their values; names of
containers, pods and namespaces are asked of the engine."""
EXAMPLES = (
    ("bash, for this session, or in ~/.bashrc", "source <(criwatch completion bash)"),
    ("zsh, in a folder of $fpath", 'criwatch completion zsh > "${fpath[1]}/_criwatch"'),
    ("fish", "criwatch completion fish > ~/.config/fish/completions/criwatch.fish"),
)


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell to complete for")


def run(arguments: Namespace) -> Exit:
    """Does it."""
    print(getattr(shells, arguments.shell)(arguments.command_line), end="")
    return Exit.OK
