// Fleet is the proof of the fleet: simulated nodes with their agents, a gateway and a NATS JetStream, of which agents and gateway are
// killed again and again. In the end each event of each node has to be there exactly once. docs/fleet.md tells what it shows.
//
//	go run ./fleet -collector build/criwatch-collector -nodes 20 -events 100000
//
// cri-sim is on PATH, or named by $CRI_SIM.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

//go:embed agent.yaml
var agentConfig string

//go:embed gateway.yaml
var gatewayConfig string

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n", o.seed)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	f, err := newFleet(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	began := time.Now()
	say := func(format string, arguments ...any) {
		if o.verbose {
			fmt.Printf("%6.1f s, %d events: %s\n", time.Since(began).Seconds(), f.count(), fmt.Sprintf(format, arguments...))
		}
	}
	if err := f.work(ctx, say); err != nil {
		return err
	}
	return f.settle(ctx, say, time.Since(began))
}

// work has the nodes work while faults happen.
func (f *fleet) work(ctx context.Context, say func(string, ...any)) error {
	all := &faults{fleet: f, random: rand.New(rand.NewPCG(f.options.seed, 0)), say: say}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go f.sampleMemory(ctx)
	happened := make(chan error, 1)
	go func() {
		err := all.run(ctx)
		if err != nil {
			cancel()
		}
		happened <- err
	}()
	err := f.churn(ctx)
	if err != nil {
		cancel()
	}
	say("the nodes are done")
	return errors.Join(err, <-happened, ctx.Err())
}

// settle waits until everything has arrived, and judges.
func (f *fleet) settle(ctx context.Context, say func(string, ...any), took time.Duration) error {
	facts, of := f.expected()
	since := time.Now()
	arrived := f.until(ctx, "everything to arrive", func() bool {
		for _, one := range f.nodes {
			if !f.sink.hasReplayedSince(one.name, since) || !f.stream.hasReplayedSince(one.name, since) {
				return false
			}
		}
		return f.sink.hasAll(facts) && f.stream.hasAll(facts)
	})
	say("all has arrived: %v", arrived == nil)
	var killed error
	for _, one := range f.programs() {
		killed = errors.Join(killed, one.kill(false))
	}
	toGateway, atGateway := f.sink.judge(facts, of)
	toStream, atStream := f.stream.judge(facts, of)
	for _, one := range []struct {
		where string
		err   *error
	}{{"behind the gateway", &atGateway}, {"in the stream", &atStream}} {
		if *one.err != nil {
			*one.err = fmt.Errorf("%s: %w", one.where, *one.err)
		}
	}
	return errors.Join(arrived, killed, atGateway, atStream, f.compareRunning(f.sink.ledger), f.compareRunning(f.stream.ledger),
		f.checkMemory(), f.checkHoles(), f.report(took, toGateway, toStream))
}

// checkHoles: where the gateway has lost its disk, holes were there to be seen.
func (f *fleet) checkHoles() error {
	if f.options.gatewayKills > 1 && f.sink.holes.replaced == 0 {
		return errors.New("the gateway has lost its disk, and no hole was seen")
	}
	return nil
}

func (f *fleet) sampleMemory(ctx context.Context) {
	for ctx.Err() == nil {
		for _, one := range f.programs() {
			one.sample()
		}
		wait(ctx, time.Second)
	}
}
