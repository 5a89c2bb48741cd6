package criwatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/criwatch/criwatch/bindings/go/internal/backend"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Status is the result of a call of the library. Every status except OK is an error to compare with: errors.Is(err,
// ErrTimeout).
type Status int32

// The statuses. Those above 0 are notes: nothing went wrong, but there is nothing to return.
const (
	// OK: the call did what it says.
	OK Status = 0
	// ErrAgain (note): there is nothing yet; try again later. From a lookup: the container is not reported yet.
	ErrAgain Status = 1
	// ErrClosed (note): closed, and nothing more will come. Everything returns it after its Close.
	ErrClosed Status = 2
	// ErrNone (note): there is nothing to return: the cache still has the generation Query.IfGeneration; from a lookup: it
	// belongs to no container of this engine.
	ErrNone Status = 3
	// ErrInvalidArgument: a string is not UTF-8 or has a NUL, or a value is out of range.
	ErrInvalidArgument Status = -1
	// ErrNotFound: no container or pod has this id or name.
	ErrNotFound Status = -2
	// ErrTimeout: the timeout has passed; the message gives the last cause. If the context's deadline was the timeout, the
	// error is also context.DeadlineExceeded.
	ErrTimeout Status = -3
	// ErrNotReady: the cache is not filled yet: start the watcher and wait until it is ready, or resync.
	ErrNotReady Status = -4
	// ErrStopped: the watcher has been stopped.
	ErrStopped Status = -5
	// ErrConnect: the engine's socket cannot be reached.
	ErrConnect Status = -6
	// ErrPermission: this user may not use the engine's socket, or something else.
	ErrPermission Status = -7
	// ErrRPC: the engine answered a request with an error; Error.GRPCCode is its code.
	ErrRPC Status = -8
	// ErrUnsupported: this engine, or this build of the library, does not offer the call. Also the answer of New and
	// DescribeOptions in a program that was built without cgo or for another system than Linux.
	ErrUnsupported Status = -9
	// ErrProtocol: the engine sent something that the library does not understand.
	ErrProtocol Status = -10
	// ErrOption: an option's key is unknown, or its value is not allowed.
	ErrOption Status = -11
	// ErrQuery: a query is malformed.
	ErrQuery Status = -12
	// ErrAmbiguous: several containers have this name or id prefix; the message lists them.
	ErrAmbiguous Status = -13
	// ErrProcessless: the container has no process (any more).
	ErrProcessless Status = -14
	// ErrWouldDeadlock: a call in a callback would wait for that same callback. It never occurs in Go, which has no
	// callbacks.
	ErrWouldDeadlock Status = -15
	// ErrForked: this process is a fork of the one that started the watcher.
	ErrForked Status = -16
	// ErrOS: a system call failed; Error.Errno is its errno.
	ErrOS Status = -17
	// ErrState: the call is not allowed in the present state of the watcher, for example before its start.
	ErrState Status = -18
	// ErrInternal: a defect in the library.
	ErrInternal Status = -98
	// ErrPanic: the library caught a panic, which is a defect, too.
	ErrPanic Status = -99
)

// The names in C, for programs without the library. A test compares them with it.
var statusNames = map[Status]string{
	OK:                 "CRI_OK",
	ErrAgain:           "CRI_AGAIN",
	ErrClosed:          "CRI_CLOSED",
	ErrNone:            "CRI_NONE",
	ErrInvalidArgument: "CRI_E_INVALID_ARGUMENT",
	ErrNotFound:        "CRI_E_NOT_FOUND",
	ErrTimeout:         "CRI_E_TIMEOUT",
	ErrNotReady:        "CRI_E_NOT_READY",
	ErrStopped:         "CRI_E_STOPPED",
	ErrConnect:         "CRI_E_CONNECT",
	ErrPermission:      "CRI_E_PERMISSION",
	ErrRPC:             "CRI_E_RPC",
	ErrUnsupported:     "CRI_E_UNSUPPORTED",
	ErrProtocol:        "CRI_E_PROTOCOL",
	ErrOption:          "CRI_E_OPTION",
	ErrQuery:           "CRI_E_QUERY",
	ErrAmbiguous:       "CRI_E_AMBIGUOUS",
	ErrProcessless:     "CRI_E_PROCESSLESS",
	ErrWouldDeadlock:   "CRI_E_WOULD_DEADLOCK",
	ErrForked:          "CRI_E_FORKED",
	ErrOS:              "CRI_E_OS",
	ErrState:           "CRI_E_STATE",
	ErrInternal:        "CRI_E_INTERNAL",
	ErrPanic:           "CRI_E_PANIC",
}

// The meaning of notes, because the library has no messages for them.
var noteWords = map[Status]string{
	ErrAgain:  "nothing is there yet",
	ErrClosed: "it is closed, and nothing more will come",
	ErrNone:   "nothing has changed since the generation that was given",
}

// String is the status's name in C, e.g. "CRI_E_TIMEOUT".
func (s Status) String() string {
	if name, is := statusNames[s]; is {
		return name
	}
	// A newer library may know the number.
	return capi.StatusName(int32(s))
}

// Error gives the status's name, so that a status is an error.
func (s Status) Error() string { return s.String() }

// Error is the error of every failed call of the library. With errors.Is it equals its Status, its Errno, and
// context.DeadlineExceeded if the deadline of the call's context has ended the call.
type Error struct {
	// Op is the operation, e.g. "resync".
	Op string
	// Status is the status of the call.
	Status Status
	// Message is the whole message, causes included: what failed, on what, and what to do.
	Message string
	// GRPCCode is the gRPC status code, if an engine's answer was the cause; otherwise -1.
	GRPCCode int
	// Errno is the errno, if a system call was the cause; otherwise 0.
	Errno syscall.Errno
	// Retriable reports whether the same call may succeed later without anybody changing anything. It does not depend on
	// which call failed. An object that is closed, stopped or was never started, a missing right, or a wrong option is not
	// retriable. ErrAgain, ErrNone, and every ErrTimeout and ErrConnect are.
	Retriable bool

	// The context's error, if the end of the context ended the call.
	ended error
}

// Error says what failed and why.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	if e.Message == "" {
		if words, is := noteWords[e.Status]; is {
			return fmt.Sprintf("criwatch: %s: %s (%s)", e.Op, words, e.Status)
		}
		return fmt.Sprintf("criwatch: %s: %s", e.Op, e.Status)
	}
	// Some of the library's messages begin with the operation, by its name in C.
	message := strings.TrimPrefix(e.Message, strings.ReplaceAll(e.Op, " ", "_")+": ")
	return fmt.Sprintf("criwatch: %s: %s", e.Op, message)
}

// Unwrap returns the errors that errors.Is and errors.As find in it.
func (e *Error) Unwrap() []error {
	if e == nil {
		return nil
	}
	causes := []error{e.Status}
	if e.Errno != 0 {
		causes = append(causes, e.Errno)
	}
	if e.ended != nil {
		causes = append(causes, e.ended)
	}
	return causes
}

// failed makes an error from the C layer's answer; nil from nil.
func failed(op string, failure *capi.Failure) error {
	if failure == nil {
		return nil
	}
	return &Error{
		Op:        op,
		Status:    Status(failure.Status),
		Message:   failure.Message,
		GRPCCode:  int(failure.GRPCCode),
		Errno:     syscall.Errno(failure.OSCode),
		Retriable: failure.Retriable,
	}
}

// closed is the error of a closed object, of a nil pointer, and of a zero value, which New has not made.
func closed(op, what string, isNil bool) error {
	message := what + " is closed"
	if isNil {
		message = what + " is nil"
	}
	return &Error{Op: op, Status: ErrClosed, Message: message, GRPCCode: -1}
}

// waited is the error of a wait; nil from nil.
func waited(op, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, backend.ErrEnded):
		return closed(op, what, false)
	}
	return interrupted(op, err)
}

// interrupted is the error when a context has ended and no other cause is known.
func interrupted(op string, ctxErr error) error {
	if errors.Is(ctxErr, context.DeadlineExceeded) {
		return &Error{Op: op, Status: ErrTimeout, Message: ctxErr.Error(), GRPCCode: -1, Retriable: true, ended: ctxErr}
	}
	return fmt.Errorf("criwatch: %s: %w", op, ctxErr)
}
