"""An interpreter that ends while events are coming in. Arguments: an endpoint, and what is going on at the end."""

import asyncio
import sys
import threading

import criwatch

PATIENCE = 60


def follow(watcher, seen):
    for _ in watcher.events():
        seen.release()


async def follow_async(watcher):
    count = 0
    async for _ in watcher.events_async():
        count += 1
        if count == 5:
            return


def ask(watcher):
    try:
        while True:
            watcher.call("RuntimeService/Version")
    except criwatch.Stopped:
        pass


def main():
    endpoint, way = sys.argv[1:]
    # Nothing here is ever closed: that is for the package to do.
    global watcher, queue
    watcher = criwatch.Watcher(endpoint)
    watcher.start()
    queue = watcher.queue()
    for _ in range(5):
        assert queue.next(PATIENCE), "no events"
    if way == "thread":
        for _ in range(3):
            seen = threading.Semaphore(0)
            threading.Thread(target=follow, args=(watcher, seen), daemon=True).start()
            for _ in range(5):
                assert seen.acquire(timeout=PATIENCE), "no events"
    elif way == "async":
        asyncio.run(follow_async(watcher))
    elif way == "call":
        for _ in range(3):
            threading.Thread(target=ask, args=(watcher,), daemon=True).start()


main()
