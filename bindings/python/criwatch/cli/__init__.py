"""The command `criwatch`: look at the containers and pods of this node.

One file for each sub-command (ps, pods, inspect, events, top, info, completion), which says what it takes (`define`)
and does it (`run`); the others hold one idea each. Everything but `top` and colours works without the terminal library
(rich).
"""

from criwatch.cli.program import main

__all__ = ["main"]
