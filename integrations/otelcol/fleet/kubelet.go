package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// kubelet is the small kubelet of one node: it starts and ends pods on the simulated engine, and records what it did.
type kubelet struct {
	name    string
	engine  *criwatchtest.Sim
	random  *rand.Rand
	options *options
	done    *record

	pods   []*pod
	ended  []*pod
	number int
	// While anything is down that has to tell of them, nothing is removed that has ended: what is removed then, nobody can know of.
	holds atomic.Int32
}

type pod struct {
	id         string
	containers []*container
	endedAt    time.Time
	// Removed as soon as it has ended, whatever is down.
	isHasty bool
}

type container struct {
	id, name string
	attempt  int
	// A server runs until it is killed.
	isServer, hasEnded bool
}

func startKubelet(number int, options *options) (*kubelet, error) {
	engine, err := criwatchtest.NewSim("--no-cgroups", "--seed", strconv.FormatUint(options.seed+uint64(number), 10))
	if err != nil {
		return nil, err
	}
	return &kubelet{
		name: fmt.Sprintf("node-%d", number), engine: engine, options: options, done: newRecord(),
		random: rand.New(rand.NewPCG(options.seed, uint64(number))),
	}, nil
}

// tell has the engine do what one line of a script says.
func (k *kubelet) tell(format string, arguments ...any) (criwatchtest.Answer, error) {
	return k.engine.Do(fmt.Sprintf(format, arguments...))
}

// hold keeps everything that has ended until release.
func (k *kubelet) hold()    { k.holds.Add(1) }
func (k *kubelet) release() { k.holds.Add(-1) }

// churn goes on until the context ends; then all but a few pods end.
func (k *kubelet) churn(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := k.step(); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		select {
		case <-time.After(time.Duration(float64(k.options.pace) * (0.5 + k.random.Float64()))):
		case <-ctx.Done():
		}
	}
	for len(k.pods) > 2 {
		if err := k.end(0); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	for _, left := range k.pods {
		for _, one := range left.containers {
			if one.isServer {
				continue
			}
			if err := k.await(one, left); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
	}
	return nil
}

const (
	mostPods = 12
	// One pod of so many is removed as soon as it has ended.
	hasty = 20
)

func (k *kubelet) step() error {
	if err := k.collectGarbage(); err != nil {
		return err
	}
	switch chance := k.random.IntN(10); {
	case len(k.pods) == mostPods || chance < 3 && len(k.pods) > 2:
		return k.end(k.random.IntN(len(k.pods)))
	case chance < 5 && len(k.pods) > 0:
		return k.restart(k.pods[k.random.IntN(len(k.pods))])
	}
	return k.run()
}

func (k *kubelet) run() error {
	k.number++
	answer, err := k.tell("run-pod app-%d ns=shop label=app=app", k.number)
	if err != nil {
		return err
	}
	fresh := &pod{id: answer.Field("id"), isHasty: k.random.IntN(hasty) == 0}
	k.pods = append(k.pods, fresh)
	k.done.began(fresh.id, fresh.isHasty)
	for n := range 1 + k.random.IntN(3) {
		if err := k.start(fresh, &container{name: fmt.Sprintf("main-%d", n), isServer: k.random.IntN(3) == 0}); err != nil {
			return err
		}
	}
	return nil
}

func (k *kubelet) start(in *pod, fresh *container) error {
	command := ""
	if !fresh.isServer {
		// Some end within a few milliseconds, and some while the next steps are taken; half of them fail.
		seconds := k.random.ExpFloat64() * k.options.pace.Seconds()
		command = fmt.Sprintf(" -- sh -c 'sleep %.3f; exit %d'", seconds, max(0, k.random.IntN(6)-2))
	}
	answer, err := k.tell("create %s %s attempt=%d%s", in.id, fresh.name, fresh.attempt, command)
	if err != nil {
		return err
	}
	fresh.id = answer.Field("id")
	if _, err := k.tell("start %s", fresh.id); err != nil {
		return err
	}
	in.containers = append(in.containers, fresh)
	k.done.began(fresh.id, in.isHasty)
	return nil
}

// restart makes the next attempt of a container that has ended; the last one stays, as with a kubelet.
func (k *kubelet) restart(in *pod) error {
	last := in.containers[len(in.containers)-1]
	if last.isServer {
		return nil
	}
	if err := k.await(last, in); err != nil {
		return err
	}
	return k.start(in, &container{name: last.name, attempt: last.attempt + 1})
}

// await waits until a container has ended, and records how.
func (k *kubelet) await(one *container, in *pod) error {
	if one.hasEnded {
		return nil
	}
	answer, err := k.tell("wait %s exited %.0fs", one.id, k.options.patience.Seconds())
	if err != nil {
		return err
	}
	code, err := strconv.Atoi(answer.Field("exit"))
	if err != nil {
		return fmt.Errorf("%q: %w", answer.Text, err)
	}
	one.hasEnded = true
	k.done.containerEnded(one.id, code, in.isHasty)
	return nil
}

func (k *kubelet) end(at int) error {
	leaving := k.pods[at]
	k.pods = append(k.pods[:at], k.pods[at+1:]...)
	for _, one := range leaving.containers {
		if one.isServer {
			if _, err := k.tell("kill %s KILL", one.id); err != nil {
				return err
			}
		}
		if err := k.await(one, leaving); err != nil {
			return err
		}
	}
	if _, err := k.tell("stop-pod %s", leaving.id); err != nil {
		return err
	}
	k.done.sandboxEnded(leaving.id, leaving.isHasty)
	leaving.endedAt = time.Now()
	if leaving.isHasty {
		return k.remove(leaving)
	}
	k.ended = append(k.ended, leaving)
	return nil
}

// collectGarbage removes pods that ended long ago.
func (k *kubelet) collectGarbage() error {
	for len(k.ended) > 0 && k.holds.Load() == 0 && time.Since(k.ended[0].endedAt) > k.options.keep {
		if err := k.remove(k.ended[0]); err != nil {
			return err
		}
		k.ended = k.ended[1:]
	}
	return nil
}

func (k *kubelet) remove(leaving *pod) error {
	_, err := k.tell("rm-pod %s", leaving.id)
	return err
}

// running are the ids of the containers and sandboxes that run after churn.
func (k *kubelet) running() map[string]bool {
	ids := map[string]bool{}
	for _, one := range k.pods {
		ids[one.id] = true
		for _, of := range one.containers {
			ids[of.id] = !of.hasEnded
		}
	}
	return ids
}
