package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// command is how many words a command takes, and what it does: it gives what follows "ok", and an error.
type command struct {
	words int
	do    func(p *programme, words []string) (string, error)
}

// unsupported is the whole answer of what this language has no use for.
var unsupported = errors.New("unsupported")

var commands map[string]command

func init() {
	commands = map[string]command{
		"version":    {0, (*programme).version},
		"constants":  {0, (*programme).constants},
		"statuses":   {0, (*programme).statuses},
		"names":      {0, (*programme).names},
		"options":    {0, func(p *programme, _ []string) (string, error) { return p.json(criwatch.DescribeOptions()) }},
		"new":        {2, (*programme).create},
		"start":      {0, withWatcher(func(p *programme, _ []string) (string, error) { return "", p.watcher.Start() })},
		"stop":       {0, withWatcher(func(p *programme, _ []string) (string, error) { return "", p.watcher.Stop() })},
		"free":       {0, withWatcher(func(p *programme, _ []string) (string, error) { return "", p.free() })},
		"wait-ready": {1, withWatcher((*programme).waitReady)},
		"resync":     {1, withWatcher((*programme).resync)},
		"state":      {0, withWatcher((*programme).state)},
		"generation": {0, withWatcher((*programme).generation)},
		"list":       {1, withWatcher((*programme).list)},
		"pods":       {1, withWatcher((*programme).pods)},
		"get":        {1, withWatcher((*programme).get)},
		"engine":     {0, withWatcher(func(p *programme, _ []string) (string, error) { return p.json(p.watcher.Raw().Engine()) })},
		"stats":      {0, withWatcher(func(p *programme, _ []string) (string, error) { return p.json(p.watcher.Raw().Stats()) })},
		"inspect":    {3, withWatcher((*programme).inspect)},
		"call":       {3, withWatcher((*programme).call)},
		"attach":     {2, withWatcher((*programme).attach)},
		"snapshot":   {0, withWatcher((*programme).takeSnapshot)},
		"find":       {1, withSnapshot((*programme).find)},
		"keep":       {1, withSnapshot((*programme).keep)},
		"kept":       {0, (*programme).showKept},
		"queue":      {3, withWatcher((*programme).makeQueue)},
		"next":       {1, withQueue((*programme).next)},
		"until":      {3, withQueue((*programme).until)},
		"wait-fd":    {1, withQueue((*programme).waitFD)},
		"drop":       {0, withQueue((*programme).drop)},
		"callback":   {5, func(*programme, []string) (string, error) { return "", unsupported }},
		"quit":       {0, func(p *programme, _ []string) (string, error) { return "", p.free() }},
	}
}

type doing = func(*programme, []string) (string, error)

func withWatcher(do doing) doing {
	return needs("watcher", func(p *programme) bool { return p.watcher != nil }, do)
}

func withQueue(do doing) doing {
	return needs("queue", func(p *programme) bool { return p.queue != nil }, do)
}

func withSnapshot(do doing) doing {
	return needs("snapshot", func(p *programme) bool { return p.snapshot != nil }, do)
}

func needs(what string, has func(*programme) bool, do doing) doing {
	return func(p *programme, words []string) (string, error) {
		if !has(p) {
			return "", misuse("no " + what)
		}
		return do(p, words)
	}
}

// misuse is an error of the programme itself.
func misuse(message string) error {
	return &criwatch.Error{Status: criwatch.ErrInvalidArgument, Message: message, GRPCCode: -1}
}

func (p *programme) version([]string) (string, error) {
	return fmt.Sprintf("abi=%d number=%d version=%s",
		criwatch.LibraryABIVersion(), criwatch.LibraryVersionNumber(), criwatch.LibraryVersion()), nil
}

func (p *programme) create(words []string) (string, error) {
	var options []criwatch.Option
	if rest := given(words[1]); rest != "" {
		for _, pair := range strings.Split(rest, " ") {
			key, value, _ := strings.Cut(pair, "=")
			options = append(options, criwatch.WithOption(key, value))
		}
	}
	watcher, err := criwatch.New(given(words[0]), options...)
	if err != nil {
		return "", err
	}
	err = p.free()
	p.watcher = watcher
	return "", err
}

// free gives back everything but what is kept.
func (p *programme) free() (err error) {
	if p.queue != nil {
		p.queue.Close()
	}
	if p.snapshot != nil {
		p.snapshot.Close()
	}
	if p.watcher != nil {
		err = p.watcher.Close()
	}
	p.queue, p.snapshot, p.watcher = nil, nil, nil
	return err
}

func (p *programme) waitReady(words []string) (string, error) {
	return "", limited(words[0], p.watcher.WaitReady)
}

func (p *programme) resync(words []string) (string, error) {
	return "", limited(words[0], p.watcher.Resync)
}

func (p *programme) state([]string) (string, error) { return p.watcher.State().String(), nil }

func (p *programme) generation([]string) (string, error) {
	if p.watcher.Generation() == 0 {
		return "zero", nil
	}
	return "nonzero", nil
}

func (p *programme) list(words []string) (string, error) {
	return p.json(p.watcher.Raw().List(given(words[0])))
}

func (p *programme) pods(words []string) (string, error) {
	return p.json(p.watcher.Raw().Pods(given(words[0])))
}

func (p *programme) get(words []string) (string, error) { return p.json(p.watcher.Raw().Get(words[0])) }

func (p *programme) inspect(words []string) (string, error) {
	flags, err := number(words[0])
	if err != nil {
		return "", err
	}
	var text []byte
	err = limited(words[1], func(ctx context.Context) (err error) {
		text, err = p.watcher.Raw().Inspect(ctx, words[2], criwatch.InspectFlags(flags))
		return err
	})
	return p.json(text, err)
}

func (p *programme) call(words []string) (string, error) {
	var text []byte
	err := limited(words[1], func(ctx context.Context) (err error) {
		text, err = p.watcher.Call(ctx, words[0], given(words[2]))
		return err
	})
	return p.json(text, err)
}

func (p *programme) attach(words []string) (string, error) {
	var rucksack []byte
	if json := given(words[1]); json != "" {
		rucksack = []byte(json)
	}
	return "", p.watcher.Attach(words[0], rucksack)
}

func (p *programme) takeSnapshot([]string) (string, error) {
	snapshot, err := p.watcher.Snapshot()
	if err != nil {
		return "", err
	}
	if p.snapshot != nil {
		p.snapshot.Close()
	}
	p.snapshot = snapshot
	containers, err := snapshot.Containers()
	if err != nil {
		return "", err
	}
	pods, err := snapshot.Pods()
	for _, container := range containers {
		p.container(container)
	}
	for _, pod := range pods {
		p.pod(pod)
	}
	return "", err
}

func (p *programme) find(words []string) (string, error) {
	container, err := p.snapshot.Find(words[0])
	if err == nil {
		p.container(container)
	}
	return "", err
}

func (p *programme) keep(words []string) (string, error) {
	container, err := p.snapshot.Find(words[0])
	if err == nil {
		p.kept = container
	}
	return "", err
}

func (p *programme) showKept([]string) (string, error) {
	if p.kept == nil {
		return "", misuse("nothing kept")
	}
	p.container(p.kept)
	return "", nil
}

// limited runs a wait for so many milliseconds; below 0: for ever.
func limited(milliseconds string, wait func(context.Context) error) error {
	limit, err := strconv.ParseInt(milliseconds, 10, 64)
	if err != nil {
		return misuse(err.Error())
	}
	ctx := context.Background()
	if limit >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(limit)*time.Millisecond)
		defer cancel()
	}
	return wait(ctx)
}

func number(word string) (uint32, error) {
	n, err := strconv.ParseUint(word, 10, 32)
	if err != nil {
		return 0, misuse(err.Error())
	}
	return uint32(n), nil
}
