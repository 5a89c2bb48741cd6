package criwatch

import (
	"runtime"
	"sync"
)

// handle holds an object of the library. Many goroutines may use it, and it is freed exactly once: when it is closed
// and no call uses it any more. Its zero value is closed.
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
	// The handle is part of its owner. This keeps the owner's finalizer from running before a call with the object ends.
	runtime.KeepAlive(h)
}

// close frees the object, or lets its last user free it. It returns true the first time.
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
