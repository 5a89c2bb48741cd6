"""A Python interpreter that ends while events are coming into it. Arguments: the library, an endpoint."""

import ctypes
import sys
import threading

EVENT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
calls = threading.Semaphore(0)


@EVENT
def on_event(event, user_data):
    calls.release()


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
        assert calls.acquire(timeout=20), "no events"


main()
