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

// Status is what a call of the library answers. Every one but OK is an error to compare with: errors.Is(err, ErrTimeout).
type Status int32

// The statuses. Those above 0 are notes: nothing went wrong, and there is nothing to give.
const (
	// OK: the call did what it says.
	OK Status = 0
	// ErrAgain (note): nothing there yet; ask again later. Of a lookup: in a container that the engine has not reported yet.
	ErrAgain Status = 1
	// ErrClosed (note): closed, and nothing more will come. Also what everything answers that was closed by Close.
	ErrClosed Status = 2
	// ErrNone (note): nothing to give: Query.IfGeneration is still the generation; of a lookup, it is of no container of
	// this engine.
	ErrNone Status = 3
	// ErrInvalidArgument: a string is not UTF-8 or has a NUL, or a value is out of range.
	ErrInvalidArgument Status = -1
	// ErrNotFound: no container or pod has this id or name.
	ErrNotFound Status = -2
	// ErrTimeout: the timeout has passed; the message gives the last cause. Such an error is context.DeadlineExceeded,
	// too, where the time was that of the context.
	ErrTimeout Status = -3
	// ErrNotReady: the cache is not filled yet: start the watcher and wait until it is ready, or resync.
	ErrNotReady Status = -4
	// ErrStopped: the watcher has been stopped.
	ErrStopped Status = -5
	// ErrConnect: the engine's socket cannot be reached.
	ErrConnect Status = -6
	// ErrPermission: the engine's socket, or something else, may not be used by this user.
	ErrPermission Status = -7
	// ErrRPC: the engine answered a request with an error; Error.GRPCCode says which.
	ErrRPC Status = -8
	// ErrUnsupported: this engine, or this build of the library, does not offer what was asked for; and what New and
	// DescribeOptions answer in a program that was built without cgo or for another system than Linux.
	ErrUnsupported Status = -9
	// ErrProtocol: what the engine sent cannot be understood.
	ErrProtocol Status = -10
	// ErrOption: an option's key is unknown, or its value is not allowed.
	ErrOption Status = -11
	// ErrQuery: a query is not what a query has to look like.
	ErrQuery Status = -12
	// ErrAmbiguous: several containers have this name or id prefix; the message lists them.
	ErrAmbiguous Status = -13
	// ErrProcessless: the container has no process (any more).
	ErrProcessless Status = -14
	// ErrWouldDeadlock: doing this inside a callback would wait for that very callback. Not seen in Go: there are none.
	ErrWouldDeadlock Status = -15
	// ErrForked: this process is a fork of the one that started the watcher.
	ErrForked Status = -16
	// ErrOS: a system call failed; Error.Errno says why.
	ErrOS Status = -17
	// ErrState: the call is not allowed in the present state of the watcher, for example before its start.
	ErrState Status = -18
	// ErrInternal: a defect in the library.
	ErrInternal Status = -98
	// ErrPanic: a panic in the library was caught: a defect, too.
	ErrPanic Status = -99
)

// The names in C. They stand here, too, for programs without the library; a test compares.
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

// What notes mean: the library has no message for them.
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
	// A newer library may know it.
	return capi.StatusName(int32(s))
}

// Error makes a status an error.
func (s Status) Error() string { return s.String() }

// Error is what every failed call of the library gives. With errors.Is it is its Status, its Errno, and
// context.DeadlineExceeded where the deadline of the call's context ended it.
type Error struct {
	// Op is what was to be done, e.g. "resync".
	Op string
	// Status is what the call answered.
	Status Status
	// Message is the whole message, causes included: what failed, on what, and what to do.
	Message string
	// GRPCCode is the gRPC status code, where an engine's answer was the cause; otherwise -1.
	GRPCCode int
	// Errno is the errno, where a system call was the cause; otherwise 0.
	Errno syscall.Errno
	// Retriable reports whether the same call may succeed later without anybody changing anything. It does not depend on
	// which call failed: what is closed, stopped or was never started, and what needs a right or another option, is not
	// retriable; ErrAgain, ErrNone, and every ErrTimeout and ErrConnect are.
	Retriable bool

	// The context's error, where its end was the call's.
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
	// The library begins some messages with what was to be done, by its name in C.
	message := strings.TrimPrefix(e.Message, strings.ReplaceAll(e.Op, " ", "_")+": ")
	return fmt.Sprintf("criwatch: %s: %s", e.Op, message)
}

// Unwrap gives what errors.Is and errors.As find in it.
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

// failed makes an error of what the C layer answered; nil of nil.
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

// closed is the answer of what Close has closed, of a nil pointer, and of a zero value, which New has not made.
func closed(op, what string, isNil bool) error {
	message := what + " is closed"
	if isNil {
		message = what + " is nil"
	}
	return &Error{Op: op, Status: ErrClosed, Message: message, GRPCCode: -1}
}

// waited is what waiting for something answers: nil of nil.
func waited(op, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, backend.ErrEnded):
		return closed(op, what, false)
	}
	return interrupted(op, err)
}

// interrupted is the answer when a context ends and nothing else is known.
func interrupted(op string, ctxErr error) error {
	if errors.Is(ctxErr, context.DeadlineExceeded) {
		return &Error{Op: op, Status: ErrTimeout, Message: ctxErr.Error(), GRPCCode: -1, Retriable: true, ended: ctxErr}
	}
	return fmt.Errorf("criwatch: %s: %w", op, ctxErr)
}
