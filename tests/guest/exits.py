"""A Python interpreter that ends while events are coming into it. Arguments: the library, an endpoint."""

import ctypes
import os
import sys
import threading
import time

EVENT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
calls = threading.Semaphore(0)


@EVENT
def on_event(event, user_data):
    calls.release()


def callback_threads():
    """How many threads of the library call into Python."""
    names = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/comm", "rb") as file:
                names.append(file.read())
        except (FileNotFoundError, ProcessLookupError):
            pass  # It has just ended.
    return names.count(b"cri-events\n")


class End:
    """Keeps the interpreter's end from being over before it has ended the callback thread.

    A call that comes after that crashes in Python itself: PyGILState_Ensure uses an interpreter that is gone."""

    def __del__(self):
        deadline = time.monotonic() + 60
        while callback_threads() > 0:
            if time.monotonic() > deadline:
                os._exit(3)
            time.sleep(0.001)


def main():
    # At its exit the interpreter frees its objects; what C may still call has to be kept from that.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(on_event))
    library = ctypes.CDLL(sys.argv[1])
    pointer = ctypes.c_void_p
    library.cri_watcher_new.argtypes = [ctypes.c_char_p, pointer, pointer, pointer]
    library.cri_watcher_subscribe.argtypes = [
        pointer, ctypes.c_uint32, ctypes.c_uint32, EVENT, pointer, pointer, pointer, pointer]
    library.cri_watcher_start.argtypes = [pointer, pointer]
    watcher, subscription = pointer(), pointer()
    assert library.cri_watcher_new(sys.argv[2].encode(), None, ctypes.byref(watcher), None) == 0
    everything = 0x4FE
    assert library.cri_watcher_subscribe(
        watcher, everything, 0, on_event, None, None, ctypes.byref(subscription), None) == 0
    assert library.cri_watcher_start(watcher, None) == 0
    for _ in range(5):
        assert calls.acquire(timeout=60), "no events"


main()
# Later versions let such a thread sleep for ever, and no call comes any more.
if sys.version_info < (3, 14):
    # The names of this module are never freed: the callback that is kept holds them.
    sys.modules["end"] = End()
