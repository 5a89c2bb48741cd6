"""Prints the ids of the containers of the engine whose endpoint it is given."""

import sys

import criwatch

with criwatch.Watcher(sys.argv[1]) as watcher:
    watcher.resync(timeout=30)
    for container in watcher.containers():
        print(container.id)
