//go:build linux && cgo

package criwatch

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/criwatch/criwatch/bindings/go/internal/backend"
)

// pollable waits in Go's poller for what the library has a descriptor for.
type pollable struct {
	// A duplicate of the library's descriptor, which Go's poller may close when it likes. Polled, never read.
	file *os.File
	conn syscall.RawConn
	// Who holds its one place waits for the descriptor. The poller would queue waiters, too, but deaf to their contexts.
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
	// Fails where the poller does not take it.
	if err = p.file.SetReadDeadline(time.Time{}); err == nil {
		p.conn, err = p.file.SyscallConn()
	}
	if err != nil {
		p.file.Close()
		return nil, err
	}
	return p, nil
}

// End wakes who waits for the descriptor. It is only a duplicate: nothing can be lost by it.
func (p *pollable) End() {
	close(p.done)
	p.file.Close()
}

// Wait waits until attempt has nothing to wait for any more.
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
		// Only End makes the poller give up without the context.
		return backend.ErrEnded
	}
}
