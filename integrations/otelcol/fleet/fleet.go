package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// fleet is nodes with their agents, the gateway, and what is behind it.
type fleet struct {
	options *options
	folder  string
	nodes   []*node
	gateway *program
	sink    *sink
	stream  *stream
}

// node is a simulated node and its agent.
type node struct {
	*kubelet
	agent *program
	// One fault at a time.
	fault sync.Mutex
}

func newFleet(o *options) (*fleet, error) {
	// Paths of sockets have to be short.
	folder, err := os.MkdirTemp("", "criwatch-fleet-")
	if err != nil {
		return nil, err
	}
	f := &fleet{options: o, folder: folder}
	if err := f.make(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *fleet) make() (err error) {
	if f.sink, err = startSink(f.folder); err != nil {
		return err
	}
	if f.stream, err = startStream(f.folder); err != nil {
		return err
	}
	socket := filepath.Join(f.folder, "gateway.sock")
	f.gateway, err = f.program("gateway", gatewayConfig, "GOMEMLIMIT=384MiB", "OTLP_LISTEN="+socket, "OTLP_BACKEND="+f.sink.endpoint)
	if err != nil {
		return err
	}
	// Who was killed leaves its socket behind, and the next one cannot listen there.
	f.gateway.prepare = func() error { return errors.Join(os.RemoveAll(socket)) }
	if err := f.gateway.start(); err != nil {
		return err
	}
	for number := range f.options.nodes {
		if err := f.addNode(number, "unix://"+socket); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) addNode(number int, gateway string) error {
	kubelet, err := startKubelet(number, f.options)
	if err != nil {
		return err
	}
	one := &node{kubelet: kubelet}
	f.nodes = append(f.nodes, one)
	one.agent, err = f.program(kubelet.name, agentConfig, "GOMEMLIMIT=192MiB", "CRI_RUNTIME_ENDPOINT="+kubelet.engine.Endpoint(),
		"K8S_NODE_NAME="+kubelet.name, "OTLP_GATEWAY="+gateway, "NATS_URL="+f.stream.url,
		"FLEET_REPLAY_INTERVAL="+f.options.replay.String())
	if err != nil {
		return err
	}
	return one.agent.start()
}

func (f *fleet) program(name, config string, environment ...string) (*program, error) {
	p := &program{name: name, folder: filepath.Join(f.folder, name), path: f.options.collector}
	p.environment = append(environment, "FLEET_DISK="+p.disk())
	if err := os.Mkdir(p.folder, 0o700); err != nil {
		return nil, err
	}
	return p, os.WriteFile(filepath.Join(p.folder, "config.yaml"), []byte(config), 0o600)
}

func (f *fleet) programs() []*program {
	all := []*program{f.gateway}
	for _, one := range f.nodes {
		all = append(all, one.agent)
	}
	return all
}

// count is how many events have happened on all nodes.
func (f *fleet) count() (count int) {
	for _, one := range f.nodes {
		count += one.done.count()
	}
	return count
}

// churn has all nodes work until enough has happened.
func (f *fleet) churn(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make(chan error, len(f.nodes))
	for _, one := range f.nodes {
		go func() {
			err := one.kubelet.churn(ctx)
			if err != nil {
				cancel()
			}
			failures <- err
		}()
	}
	for f.count() < f.options.events && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	cancel()
	var err error
	for range f.nodes {
		err = errors.Join(err, <-failures)
	}
	return err
}

// until waits until a condition holds.
func (f *fleet) until(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, f.options.patience)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w", what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// close ends everything; the folder goes, too.
func (f *fleet) close() error {
	var errs []error
	for _, one := range f.nodes {
		if one.agent != nil {
			errs = append(errs, one.agent.kill(true))
		}
		errs = append(errs, one.engine.Stop())
	}
	if f.gateway != nil {
		errs = append(errs, f.gateway.kill(true))
	}
	if f.sink != nil {
		f.sink.server.Stop()
	}
	if f.stream != nil {
		f.stream.close()
	}
	return errors.Join(append(errs, os.RemoveAll(f.folder))...)
}
