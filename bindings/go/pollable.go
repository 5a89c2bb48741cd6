//go:build linux && cgo

package criwatch

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/criwatch/criwatch/bindings/go/internal/backend"
)

// pollable waits in Go's poller for a descriptor of the library.
type pollable struct {
	// A duplicate of the library's descriptor, which Go's poller may close at any time. It is polled and never read.
	file *os.File
	conn syscall.RawConn
	// Has one place; whoever holds it waits for the descriptor. The poller would also queue waiters, but would ignore
	// their contexts.
	turn chan struct{}
	done chan struct{}
}

// newPollable gives a duplicate of the library's descriptor to Go's poller.
func newPollable(what string, fd uintptr, err error) (*pollable, error) {
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &pollable{
		file: os.NewFile(fd, "criwatch: "+what), turn: make(chan struct{}, 1), done: make(chan struct{}),
	}
	// This fails if the poller refuses the descriptor.
	if err = p.file.SetReadDeadline(time.Time{}); err == nil {
		p.conn, err = p.file.SyscallConn()
	}
	if err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// End wakes the waiting call. It closes only the duplicate, so nothing is lost.
func (p *pollable) End() {
	close(p.done)
	p.file.Close()
}

// Wait calls attempt, and again whenever the descriptor is readable, until it returns true.
func (p *pollable) Wait(ctx context.Context, attempt func() bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.done:
		return backend.ErrEnded
	}
	defer func() { <-p.turn }()

	woken := make(chan struct{})
	release := context.AfterFunc(ctx, func() {
		p.file.SetReadDeadline(time.Unix(1, 0))
		close(woken)
	})
	err := p.conn.Read(func(uintptr) bool { return attempt() })
	if !release() {
		<-woken
		p.file.SetReadDeadline(time.Time{})
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		// Without the context, only End makes the poller give up.
		return backend.ErrEnded
	}
}
