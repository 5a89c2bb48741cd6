"""What a command line takes, read from its parser."""

from __future__ import annotations

import argparse
from typing import Dict, Iterator


def subparsers_of(whole: argparse.ArgumentParser) -> Dict[str, argparse.ArgumentParser]:
    """The parsers of the sub-commands, by name."""
    return {name: one for action in _subparsers(whole) for name, one in action.choices.items()}


def summaries_of(whole: argparse.ArgumentParser) -> Dict[str, str]:
    """What each sub-command does, in one line."""
    return {one.dest: one.help or "" for action in _subparsers(whole) for one in action._choices_actions}


def actions_of(one: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """What a parser takes: options and arguments, without sub-commands."""
    return (action for action in one._actions if not isinstance(action, argparse._SubParsersAction))


def _subparsers(whole: argparse.ArgumentParser) -> "Iterator[argparse._SubParsersAction[argparse.ArgumentParser]]":
    return (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
