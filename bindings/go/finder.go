package criwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/criwatch/criwatch/bindings/go/internal/backend"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Engines is what [Discover] answers.
type Engines struct {
	// Engines is what was found on the node, best first. A watcher without an endpoint takes the first that answers.
	Engines []*Candidate `json:"engines"`
	// Absent are well-known sockets that are not there.
	Absent []string `json:"absent"`
	// Notes say what could not be read, and what was left out.
	Notes []string `json:"notes"`
}

// Candidate is an engine, or a socket at which one should be. What is not known is the zero value.
type Candidate struct {
	// API is where it is reached: an endpoint for [New].
	API string `json:"api"`
	// Answers is whether an engine answers there.
	Answers bool `json:"answers"`
	// Reasons are why it was looked at, the strongest first.
	Reasons []Reason `json:"reasons"`
	// Rank says why it has this place in the order.
	Rank string `json:"rank,omitempty"`
	// RuntimeName is who it is, e.g. "containerd".
	RuntimeName string `json:"runtimeName,omitempty"`
	// RuntimeVersion is its version, e.g. "2.1.9".
	RuntimeVersion string `json:"runtimeVersion,omitempty"`
	// RuntimeAPIVersion is the CRI version it speaks.
	RuntimeAPIVersion string `json:"runtimeApiVersion,omitempty"`
	// ID is who it is on this machine: the host name of its UTS namespace, or the option engine.id.
	ID string `json:"id,omitempty"`
	// PID is its process, in this process's pid namespace.
	PID int `json:"pid,omitempty"`
	// Sandboxes is how many sandboxes it has, in any state; nil where it did not say.
	Sandboxes *int `json:"sandboxes,omitempty"`
	// Error is why it cannot be used; nil if it answers.
	Error *CandidateError `json:"error,omitempty"`
}

// String is for people: "containerd 2.1.9 at unix:///run/containerd/containerd.sock", or why it cannot be used.
func (c Candidate) String() string {
	if c.Error != nil {
		return "no engine at " + c.API + ": " + c.Error.Message
	}
	return strings.TrimSpace(c.RuntimeName+" "+c.RuntimeVersion) + " at " + c.API
}

// Reason is one reason to look at a socket.
type Reason struct {
	// Evidence is of what kind: "kubelet", "crictl", "wellKnown", "rootless", "nestedKubelet", "nested".
	Evidence string `json:"evidence"`
	// Text is which file or process says so.
	Text string `json:"text"`
}

// CandidateError is why a socket cannot be used.
type CandidateError struct {
	// Status is what [Error] has, to be compared.
	Status Status `json:"status"`
	// Name is the status's name, e.g. "CRI_E_PERMISSION".
	Name string `json:"name"`
	// Message says what was tried, and what to do.
	Message string `json:"message"`
	// Errno is the errno, where a system call was the cause.
	Errno int `json:"osCode,omitempty"`
	// GRPCCode is the gRPC code, where the engine's answer was the cause; nil otherwise.
	GRPCCode *int `json:"grpcCode,omitempty"`
}

// Error is the message.
func (e *CandidateError) Error() string {
	if e == nil {
		return "<nil>"
	}
	return e.Message
}

// EngineNews is an engine that was found, has changed, or is lost.
type EngineNews struct {
	// Type is what happened.
	Type EngineNewsType `json:"type"`
	// Engine is the engine, as it is now, or was at last.
	Engine *Candidate `json:"engine"`
}

// String is for people: "found containerd 2.1.9 at unix:///run/containerd/containerd.sock".
func (n *EngineNews) String() string {
	if n == nil || n.Engine == nil {
		return "<nil>"
	}
	return n.Type.String() + " " + n.Engine.String()
}

// Discover finds every engine of the node, best first: what the kubelet uses, what has sandboxes, then by the order of the
// evidence. All are asked at once, within the option connect.timeout_ms or the context's deadline. A socket that cannot be used is
// listed, too. Options are those of [New].
func Discover(ctx context.Context, options ...Option) (*Engines, error) {
	text, err := await(ctx, "discover", make(places, 1), func(timeoutMS int64) ([]byte, error) {
		text, failure := discover(settingsOf(options).options, timeoutMS)
		return text, failed("discover", failure)
	})
	return decode[Engines]("discover", text, err)
}

// Finder reports which engines come and go, so that a program can keep a [Watcher] for each.
type Finder struct {
	handle handle[backend.Finder]
}

// NewFinder begins to look for engines, in the background. Options are those of [New]. Close it when it is no longer of use.
func NewFinder(options ...Option) (*Finder, error) {
	object, failure := openFinder(settingsOf(options).options)
	if failure != nil {
		return nil, failed("find", failure)
	}
	finder := &Finder{handle: handle[backend.Finder]{object: object, free: backend.Finder.Free}}
	runtime.SetFinalizer(finder, (*Finder).Close)
	return finder, nil
}

// Next takes the next news, and waits for it as long as the context allows. What came and went meanwhile is not reported. ErrClosed
// when the finder was closed.
func (f *Finder) Next(ctx context.Context) (*EngineNews, error) {
	if f == nil || f.handle.object == nil {
		return nil, closed("next", "the finder", f == nil)
	}
	var news *EngineNews
	var err error
	interrupted := f.handle.object.Wait(ctx, func() bool {
		news, err = f.TryNext()
		return !errors.Is(err, ErrAgain)
	})
	if interrupted != nil {
		return nil, waited("next", "the finder", interrupted)
	}
	return news, err
}

// TryNext takes the next news if there is some now. ErrAgain when there is none yet.
func (f *Finder) TryNext() (*EngineNews, error) {
	var text []byte
	var failure *capi.Failure
	is := f != nil && f.handle.use(func(c backend.Finder) { text, failure = c.TryNext() })
	switch {
	case !is:
		return nil, closed("next", "the finder", f == nil)
	case failure != nil:
		return nil, failed("next", failure)
	}
	news := &EngineNews{}
	if err := json.Unmarshal(text, news); err != nil {
		return nil, fmt.Errorf("criwatch: next: %w", err)
	}
	return news, nil
}

// Close stops and frees the finder. Who waits for its news gets ErrClosed. Always nil; more than once is fine.
func (f *Finder) Close() error {
	if f != nil && f.handle.close() {
		runtime.SetFinalizer(f, nil)
		f.handle.object.End()
	}
	return nil
}

func settingsOf(options []Option) (set settings) {
	for _, option := range options {
		if option != nil {
			option(&set)
		}
	}
	return set
}
