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
// An agent that follows changes starts the watcher and takes events from a [Queue]: one by one ([Queue.Next]), from a
// channel ([Queue.Chan]), or, since Go 1.23, in a range loop ([Queue.All], [Watcher.Events]).
//
// # Memory and requests
//
// List, Pods, Get, Engine, Stats, State, Generation and Snapshot answer from memory and never wait for the engine; they
// take no context. Before the first lists are complete they return [ErrNotReady], never an empty list. All other calls
// ask the engine.
//
// # Contexts
//
// Everything that waits takes a context, and returns as soon as that ends.
//
// WaitReady, Resync, Inspect, Call, LookupPID and LookupCgroup each wait inside the C library, on an OS thread, with the
// context's deadline as their timeout. At the deadline they return an [Error] with the last cause, which is both
// [ErrTimeout] and context.DeadlineExceeded. When the context is cancelled they return at once. The C call then goes on
// in the background until the engine answers, the deadline comes, or the watcher is stopped, and its result is dropped;
// the engine may still carry out the request. A watcher has at most 16 such calls at a time, and in addition 4 of
// WaitReady and 16 of LookupPID and LookupCgroup, including those in the background. Further calls wait, as long as
// their contexts allow, until one of these ends.
//
// [Queue.Next] and all that is built on it wait in Go's own poller: any number of goroutines may wait without an OS
// thread. When the context ends, nothing is left behind and no event is lost.
//
// # Errors
//
// Every failed call returns an *[Error]. Compare it with a [Status]: errors.Is(err, criwatch.ErrNotFound). errors.Is
// also finds the errno of a system call: errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED). Only a
// wait that was cancelled returns context.Canceled without an *Error.
//
// # Lifetimes
//
// Close everything that has a Close. Every method may be called by any goroutine at any time, even while another
// goroutine closes the object. After that, methods return [ErrClosed], as do the methods of a nil pointer and of a zero
// value. A finalizer closes what was not closed, sooner or later.
//
// The engine's answers are copied into Go's memory: containers, pods and events are plain values that need no Close.
// They stay as they are when the object that returned them is closed or collected.
//
// # Rucksacks
//
// A rucksack is JSON of the program's own in a container's record: see [Watcher.Attach]. The C library also has a packer
// function, which makes one for each run. It is not offered here, because a thread of the library would have to call
// into Go. Take EventStarted from a queue, Inspect, and Attach instead.
//
// # Building
//
// With the build tag criwatch_bundled, the static library that comes with the module becomes part of the program, and
// nothing has to be installed. Without it, cgo finds an installed library by pkg-config (criwatch.pc), and with
// criwatch_static it takes libcriwatch.a from there. A library or header of another ABI version is refused, when the
// program is compiled or when it starts.
//
// Without cgo (CGO_ENABLED=0), and on other systems than Linux, the package compiles, so that programs that use it can
// be type-checked there, and tested with package criwatchtest. [New], [Discover], [NewFinder] and [DescribeOptions] then
// return [ErrUnsupported].
package criwatch
