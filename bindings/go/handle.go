package criwatch

import (
	"runtime"
	"sync"
)

// handle holds an object of the library, which may be used by many goroutines and is freed exactly once: when it is
// closed and nobody is inside a call with it any more. Its zero value is closed.
type handle[T any] struct {
	mutex  sync.Mutex
	object T
	free   func(T)
	users  int
	closed bool
}

// use runs a call with the object; false, without running it, if the object is closed.
func (h *handle[T]) use(call func(T)) bool {
	h.mutex.Lock()
	if h.closed || h.free == nil {
		h.mutex.Unlock()
		return false
	}
	h.users++
	h.mutex.Unlock()
	defer h.leave()
	call(h.object)
	return true
}

func (h *handle[T]) leave() {
	h.mutex.Lock()
	h.users--
	last := h.closed && h.users == 0
	h.mutex.Unlock()
	if last {
		h.free(h.object)
	}
	// A handle is part of its owner: no finalizer of the owner runs before a call with the object is over.
	runtime.KeepAlive(h)
}

// close frees the object, or has the last user free it. true the first time.
func (h *handle[T]) close() bool {
	h.mutex.Lock()
	first := !h.closed && h.free != nil
	h.closed = true
	idle := h.users == 0
	h.mutex.Unlock()
	if first && idle {
		h.free(h.object)
	}
	return first
}
