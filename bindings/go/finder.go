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

// Engines is the answer of [Discover].
type Engines struct {
	// Engines are the engines of the node, best first. A watcher without an endpoint takes the first one that answers.
	Engines []*Candidate `json:"engines"`
	// Absent are well-known sockets that do not exist.
	Absent []string `json:"absent"`
	// Notes say what could not be read, and what was left out.
	Notes []string `json:"notes"`
}

// Candidate is an engine, or a socket at which one should be. What is not known is the zero value.
type Candidate struct {
	// API is its endpoint, for [New].
	API string `json:"api"`
	// Answers is whether an engine answers there.
	Answers bool `json:"answers"`
	// Reasons are why it was looked at, the strongest first.
	Reasons []Reason `json:"reasons"`
	// Rank says why it has this place in the order.
	Rank string `json:"rank,omitempty"`
	// RuntimeName is the engine's name, e.g. "containerd".
	RuntimeName string `json:"runtimeName,omitempty"`
	// RuntimeVersion is its version, e.g. "2.1.9".
	RuntimeVersion string `json:"runtimeVersion,omitempty"`
	// RuntimeAPIVersion is the CRI version it speaks.
	RuntimeAPIVersion string `json:"runtimeApiVersion,omitempty"`
	// ID is its id on this machine: the host name of its UTS namespace, or the option engine.id.
	ID string `json:"id,omitempty"`
	// PID is its process, in this process's pid namespace.
	PID int `json:"pid,omitempty"`
	// Sandboxes is how many sandboxes it has, in any state; nil if it did not say.
	Sandboxes *int `json:"sandboxes,omitempty"`
	// Error is why it cannot be used; nil if it answers.
	Error *CandidateError `json:"error,omitempty"`
}

// String describes the engine for people: "containerd 2.1.9 at unix:///run/containerd/containerd.sock", or why it
// cannot be used.
func (c Candidate) String() string {
	if c.Error != nil {
		return "no engine at " + c.API + ": " + c.Error.Message
	}
	return strings.TrimSpace(c.RuntimeName+" "+c.RuntimeVersion) + " at " + c.API
}

// Reason is one reason to look at a socket.
type Reason struct {
	// Evidence is the kind of reason: "kubelet", "crictl", "wellKnown", "rootless", "nestedKubelet", "nested".
	Evidence string `json:"evidence"`
	// Text is the reason in words: which file or process names the socket.
	Text string `json:"text"`
}

// CandidateError is why a socket cannot be used.
type CandidateError struct {
	// Status is the status to compare with, as in [Error].
	Status Status `json:"status"`
	// Name is the status's name, e.g. "CRI_E_PERMISSION".
	Name string `json:"name"`
	// Message says what was tried, and what to do.
	Message string `json:"message"`
	// Errno is the errno, if a system call was the cause.
	Errno int `json:"osCode,omitempty"`
	// GRPCCode is the gRPC code, if the engine's answer was the cause; nil otherwise.
	GRPCCode *int `json:"grpcCode,omitempty"`
}

// Error returns the message.
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
	// Engine is the engine as it is now, or as it was last seen.
	Engine *Candidate `json:"engine"`
}

// String describes the news for people: "found containerd 2.1.9 at unix:///run/containerd/containerd.sock".
func (n *EngineNews) String() string {
	if n == nil || n.Engine == nil {
		return "<nil>"
	}
	return n.Type.String() + " " + n.Engine.String()
}

// Discover finds every engine of the node, best first: the one that the kubelet uses, those with sandboxes, then by the
// order of the evidence. All are asked at once, within the option connect.timeout_ms or the context's deadline. A
// socket that cannot be used is listed, too. The options are those of [New].
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

// NewFinder begins to look for engines, in the background. The options are those of [New]. Close it after use.
func NewFinder(options ...Option) (*Finder, error) {
	object, failure := openFinder(settingsOf(options).options)
	if failure != nil {
		return nil, failed("find", failure)
	}
	finder := &Finder{handle: handle[backend.Finder]{object: object, free: backend.Finder.Free}}
	runtime.SetFinalizer(finder, (*Finder).Close)
	return finder, nil
}

// Next takes the next news, and waits for it as long as the context allows. What came and went between two calls is not
// reported. ErrClosed if the finder was closed.
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

// TryNext takes the next news without waiting. ErrAgain if there is none yet.
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

// Close stops and frees the finder. Waiting calls return ErrClosed. It always returns nil, and may be called again.
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
