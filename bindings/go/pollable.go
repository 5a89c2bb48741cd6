package criwatch

import (
	"context"
	"os"
	"syscall"
	"time"
)

// pollable waits in Go's poller for what the library has a descriptor for.
type pollable struct {
	what string
	// A duplicate of the library's descriptor, which Go's poller may close when it likes. Polled, never read.
	file *os.File
	conn syscall.RawConn
	// Who holds its one place waits for the descriptor. The poller would queue waiters, too, but deaf to their contexts.
	turn chan struct{}
	done chan struct{}
}

func newPollable(what string) pollable {
	return pollable{what: what, turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// open gives a duplicate of the descriptor to Go's poller.
func (p *pollable) open(fd uintptr, err error) error {
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	p.file = os.NewFile(fd, "criwatch: "+p.what)
	// Fails where the poller does not take it.
	if err = p.file.SetReadDeadline(time.Time{}); err == nil {
		p.conn, err = p.file.SyscallConn()
	}
	if err != nil {
		p.file.Close()
	}
	return err
}

// end wakes who waits for the descriptor. It is only a duplicate: nothing can be lost by it.
func (p *pollable) end() {
	close(p.done)
	p.file.Close()
}

// wait waits until attempt, which gets the descriptor, has nothing to wait for any more.
func (p *pollable) wait(ctx context.Context, op string, attempt func(fd int) bool) error {
	if err := ctx.Err(); err != nil {
		return interrupted(op, err)
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return interrupted(op, ctx.Err())
	case <-p.done:
		return closed(op, p.what, false)
	}
	defer func() { <-p.turn }()

	woken := make(chan struct{})
	release := context.AfterFunc(ctx, func() {
		p.file.SetReadDeadline(time.Unix(1, 0))
		close(woken)
	})
	err := p.conn.Read(func(fd uintptr) bool { return attempt(int(fd)) })
	if !release() {
		<-woken
		p.file.SetReadDeadline(time.Time{})
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return interrupted(op, ctx.Err())
	default:
		// Only Close makes the poller give up without the context.
		return closed(op, p.what, false)
	}
}
