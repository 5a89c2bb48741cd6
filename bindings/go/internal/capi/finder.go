//go:build linux

package capi

// #include <criwatch.h>
import "C"

import "syscall"

// Finder is a cri_finder.
type Finder struct{ c *C.cri_finder }

// newOptions makes options, to be freed by the caller.
func newOptions(options []Option) (*C.cri_options, *Failure) {
	var set *C.cri_options
	var err *C.cri_error
	if f := failure(C.cri_options_new(&set, &err), err); f != nil {
		return nil, f
	}
	for _, option := range options {
		if f := setOption(set, option); f != nil {
			C.cri_options_free(set)
			return nil, f
		}
	}
	return set, nil
}

// Discover is cri_engines_discover, with options made for it.
func Discover(options []Option, timeoutMS int64) ([]byte, *Failure) {
	set, f := newOptions(options)
	if f != nil {
		return nil, f
	}
	defer C.cri_options_free(set)
	var out C.cri_buffer
	var err *C.cri_error
	return answer(C.cri_engines_discover(set, C.int64_t(timeoutMS), &out, &err), &out, err)
}

// NewFinder is cri_finder_new, with options made for it.
func NewFinder(options []Option) (Finder, *Failure) {
	set, f := newOptions(options)
	if f != nil {
		return Finder{}, f
	}
	defer C.cri_options_free(set)
	var finder Finder
	var err *C.cri_error
	f = failure(C.cri_finder_new(set, &finder.c, &err), err)
	return finder, f
}

// DupFD gives a duplicate of cri_finder_fd, which is the caller's to close.
func (w Finder) DupFD() (uintptr, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(C.cri_finder_fd(w.c)), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return 0, errno
	}
	return fd, nil
}

// TryNext is cri_finder_next without waiting; it gives the JSON.
func (w Finder) TryNext() ([]byte, *Failure) {
	var newsType C.uint32_t
	var endpoint, out C.cri_buffer
	var err *C.cri_error
	status := C.cri_finder_next(w.c, 0, &newsType, &endpoint, &out, &err)
	C.cri_buffer_free(&endpoint)
	return answer(status, &out, err)
}

// Free is cri_finder_free.
func (w Finder) Free() { C.cri_finder_free(w.c) }
