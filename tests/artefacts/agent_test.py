"""What a test of a Python agent does: it has an engine of its own, and watches it."""

import criwatch
from criwatch_sim import Simulator

with Simulator() as engine:
    engine.tell("pod web ns=shop nginx")
    with criwatch.Watcher(engine.endpoint) as watcher:
        watcher.resync()
        names = [entry.pod.name for entry in watcher.pods()]
        assert names == ["web"], names
