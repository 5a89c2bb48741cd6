// Package criwatch reports which containers and pods run on this node, and what changes: the binding of libcriwatch
// for Go.
//
// A [Watcher] follows one engine (containerd, CRI-O ...) over CRI. The shortest use asks once:
//
//	watcher, err := criwatch.New("") // "": the best engine of the node
//	...
//	defer watcher.Close()
//	err = watcher.Resync(ctx)
//	list, err := watcher.List(nil)
//
// An agent that follows changes starts the watcher and takes events from a [Queue]: one by one ([Queue.Next]), from a channel
// ([Queue.Chan]), or, since Go 1.23, in a range loop ([Queue.All], [Watcher.Events]).
//
// # Memory and requests
//
// List, Pods, Get, Engine, Stats, State, Generation and Snapshot answer from memory and never wait for the engine; they take no
// context. Before the first lists are in they answer [ErrNotReady], never an empty list. The rest asks the engine.
//
// # Contexts
//
// Everything that waits takes a context, and returns as soon as that ends.
//
// WaitReady, Resync, Inspect, Call, LookupPID and LookupCgroup each wait inside the C library, on an OS thread, with the context's deadline as their time
// limit. At the deadline they give an [Error] with the last cause that is both [ErrTimeout] and
// context.DeadlineExceeded. When the context is cancelled they return at once; the C call goes on in the background, and its result
// is dropped, until the engine answers, the deadline is there, or the watcher is stopped. What was asked for may be done
// all the same. There are never more than 16 such calls of one watcher, 4 of WaitReady and 16 of LookupPID and LookupCgroup, those in the background included; the
// next ones wait, as long as their context lets them, for one of these to end.
//
// [Queue.Next] and all that is built on it wait in Go's own poller: any number of goroutines may wait, no OS thread does, and nothing
// is left behind when the context ends. No event is lost by that either.
//
// # Errors
//
// Every failed call gives an *[Error]. Compare with a [Status]: errors.Is(err, criwatch.ErrNotFound). The errno of a system call is
// found by errors.Is, too: errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED). Only a wait that was cancelled
// gives context.Canceled without an *Error.
//
// # Lifetimes
//
// Close everything that has a Close. Every method may be called by any goroutine at any time, also while another closes
// the object, and answers [ErrClosed] afterwards; so does every method of a nil pointer and of a zero value. What is forgotten is
// closed by a finalizer, sooner or later.
//
// The engine's answers are copied into Go's memory: containers, pods and events are plain values that need no Close, and stay what
// they are when what gave them is closed or collected.
//
// # Rucksacks
//
// A rucksack is JSON of the program's own that a container's record carries: see [Watcher.Attach]. The C library's
// other way, a packer function that makes one for each run, is not offered here: it would have a thread of the library call
// into Go. Take EventStarted from a queue, Inspect, and Attach.
//
// # Building
//
// With the build tag criwatch_bundled, the static library that comes with the module becomes part of the program; nothing has
// to be installed. Without it, cgo finds an installed library by pkg-config (criwatch.pc); criwatch_static takes libcriwatch.a from there.
// A library or header of another ABI version is refused, when the program is compiled or when it starts.
//
// Without cgo (CGO_ENABLED=0), and on other systems than Linux, the package compiles, so that programs that use it can be
// type-checked and tested there, with package criwatchtest; [New], [Discover], [NewFinder] and [DescribeOptions] answer [ErrUnsupported].
package criwatch
