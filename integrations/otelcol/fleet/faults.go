package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// faults kills agents and the gateway while the nodes work.
type faults struct {
	fleet  *fleet
	random *rand.Rand
	// While the gateway loses its disk, agents live: who sees the holes is still there.
	calm sync.RWMutex
	// One fault of the gateway at a time.
	gateway sync.Mutex
	running sync.WaitGroup
	say     func(format string, arguments ...any)

	mutex   sync.Mutex
	failure error
}

// fault is one that is to come.
type fault struct {
	isGateway, losesDisk bool
	node                 int
	down                 time.Duration
}

// draw makes faults in their order; the seed decides.
func (f *faults) draw() (all []fault) {
	o := f.fleet.options
	for n := range o.agentKills {
		all = append(all, fault{losesDisk: n%2 == 1, node: f.random.IntN(o.nodes)})
	}
	for n := range o.gatewayKills {
		all = append(all, fault{isGateway: true, losesDisk: n%2 == 1})
	}
	f.random.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	for n := range all {
		all[n].down = time.Duration(f.random.Int64N(int64(3 * time.Second)))
	}
	return all
}

// run has them happen, evenly spread over the work; it returns when the last one is healed.
func (f *faults) run(ctx context.Context) error {
	all := f.draw()
	for n, one := range all {
		due := f.fleet.options.events * (n + 1) / (len(all) + 2)
		for f.fleet.count() < due && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
		if ctx.Err() != nil {
			break
		}
		f.running.Go(func() {
			if err := f.happens(ctx, one); err != nil {
				f.mutex.Lock()
				defer f.mutex.Unlock()
				f.failure = errors.Join(f.failure, err)
			}
		})
	}
	f.running.Wait()
	return f.failure
}

func (f *faults) happens(ctx context.Context, one fault) error {
	switch {
	case one.isGateway && one.losesDisk:
		return f.loseGateway(ctx)
	case one.isGateway:
		return f.killGateway(ctx, one)
	}
	return f.killAgent(ctx, one)
}

// killAgent kills an agent. What happens meanwhile, and what it had not handed on, the next one's replay tells.
func (f *faults) killAgent(ctx context.Context, one fault) error {
	f.calm.RLock()
	defer f.calm.RUnlock()
	on := f.fleet.nodes[one.node]
	on.fault.Lock()
	defer on.fault.Unlock()
	on.hold()
	defer on.release()
	f.say("%s: the agent is killed, its disk is lost: %v, down for %v", on.name, one.losesDisk, one.down)
	if err := on.agent.kill(one.losesDisk); err != nil {
		return err
	}
	wait(ctx, one.down)
	since := time.Now()
	if err := on.agent.start(); err != nil {
		return err
	}
	return f.healed(ctx, since, on)
}

// healed waits until nodes were replayed since a time, at both ends.
func (f *faults) healed(ctx context.Context, since time.Time, nodes ...*node) error {
	for _, on := range nodes {
		err := f.fleet.until(ctx, "a replay of "+on.name, func() bool {
			return f.fleet.sink.hasReplayedSince(on.name, since) && f.fleet.stream.hasReplayedSince(on.name, since)
		})
		if err != nil {
			return fmt.Errorf("%w\n%s", err, on.agent.lastLines())
		}
	}
	return nil
}

// killGateway kills the gateway. It loses nothing: what it has acknowledged is on its disk.
func (f *faults) killGateway(ctx context.Context, one fault) error {
	f.gateway.Lock()
	defer f.gateway.Unlock()
	f.say("the gateway is killed, down for %v", one.down)
	if err := f.fleet.gateway.kill(false); err != nil {
		return err
	}
	wait(ctx, one.down)
	return f.fleet.gateway.start()
}

// loseGateway kills the gateway and takes its disk while the backend is away: batches are lost that agents believe delivered.
func (f *faults) loseGateway(ctx context.Context) error {
	f.calm.Lock()
	defer f.calm.Unlock()
	f.gateway.Lock()
	defer f.gateway.Unlock()
	for _, on := range f.fleet.nodes {
		on.hold()
		defer on.release()
	}
	sink := f.fleet.sink
	sink.hasRefused.Store(false)
	sink.refuses.Store(true)
	defer sink.refuses.Store(false)
	f.say("the backend is away")
	if err := f.fleet.until(ctx, "the gateway to have a batch of an agent that lives", sink.hasRefused.Load); err != nil {
		return err
	}
	f.say("the gateway is killed, and its disk is lost")
	if err := f.fleet.gateway.kill(true); err != nil {
		return err
	}
	since := time.Now()
	sink.refuses.Store(false)
	if err := f.fleet.gateway.start(); err != nil {
		return err
	}
	return f.healed(ctx, since, f.fleet.nodes...)
}

func wait(ctx context.Context, long time.Duration) {
	select {
	case <-time.After(long):
	case <-ctx.Done():
	}
}
