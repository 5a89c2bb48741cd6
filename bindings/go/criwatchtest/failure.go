package criwatchtest

import (
	"errors"
	"fmt"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Operation is something that can fail: [Fake.Fail].
type Operation string

// The operations.
const (
	// OpStart: Watcher.Start.
	OpStart Operation = "start"
	// OpWaitReady: Watcher.WaitReady.
	OpWaitReady Operation = "wait ready"
	// OpResync: Watcher.Resync.
	OpResync Operation = "resync"
	// OpRead: what is answered from memory: Snapshot, List, Pods, Get, LookupPID, LookupCgroup.
	OpRead Operation = "read"
	// OpAttach: Watcher.Attach.
	OpAttach Operation = "attach"
	// OpRequest: Watcher.Inspect and Call.
	OpRequest Operation = "request"
	// OpQueue: Watcher.NewQueue, and Events, which makes one.
	OpQueue Operation = "queue"
	// OpNext: Queue.Next, TryNext and NextJSON.
	OpNext Operation = "next"
)

// Fail has an operation fail from now on; an error of nil has it work again. An *criwatch.Error gives its status, message and so
// on, a criwatch.Status itself; any other error becomes criwatch.ErrInternal with its message.
func (f *Fake) Fail(operation Operation, err error) {
	switch operation {
	case OpStart, OpWaitReady, OpResync, OpRead, OpAttach, OpRequest, OpQueue, OpNext:
	default:
		panic(fmt.Sprintf("criwatchtest: fail: there is no operation %q", operation))
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.failures[operation] = err
	for queue := range f.queues {
		queue.wake()
	}
}

// fails is the failure that the test wants.
func (f *Fake) fails(operation Operation) *capi.Failure { return failureOf(f.failures[operation]) }

// failureOf is what the library would answer; nil of nil.
func failureOf(err error) *capi.Failure {
	var whole *criwatch.Error
	var status criwatch.Status
	switch {
	case err == nil:
		return nil
	case errors.As(err, &whole):
		return &capi.Failure{
			Status: int32(whole.Status), Message: whole.Message, GRPCCode: int32(whole.GRPCCode), OSCode: int32(whole.Errno),
			Retriable: whole.Retriable,
		}
	case errors.As(err, &status):
		return refused(status, "the test wants it so")
	}
	return refused(criwatch.ErrInternal, "%v", err)
}

// refused is a failure with a message.
func refused(status criwatch.Status, format string, arguments ...any) *capi.Failure {
	return &capi.Failure{Status: int32(status), Message: fmt.Sprintf(format, arguments...), GRPCCode: -1}
}

// note is a status without a message, which is no failure: there is nothing to give.
func note(status criwatch.Status) *capi.Failure {
	return &capi.Failure{Status: int32(status), GRPCCode: -1, Retriable: true}
}
