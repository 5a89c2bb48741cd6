package main

import (
	"context"
	"errors"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

func (p *programme) makeQueue(words []string) (string, error) {
	var numbers [3]uint32
	for i := range numbers {
		n, err := number(words[i])
		if err != nil {
			return "", err
		}
		numbers[i] = n
	}
	options := criwatch.QueueOptions{Flags: criwatch.SubscribeFlags(numbers[1]), Capacity: uint(numbers[2])}
	for eventType := criwatch.EventType(0); eventType < 32; eventType++ {
		if numbers[0]&(1<<eventType) != 0 {
			options.Types = append(options.Types, eventType)
		}
	}
	queue, err := p.watcher.NewQueue(&options)
	if err != nil {
		return "", err
	}
	if p.queue != nil {
		p.queue.Close()
	}
	p.queue, p.seq = queue, 0
	return "", nil
}

func (p *programme) next(words []string) (string, error) {
	return "", p.take(words[0], func(*criwatch.Event) bool { return true })
}

func (p *programme) until(words []string) (string, error) {
	return "", p.take(words[2], func(event *criwatch.Event) bool {
		if event.Type.String() != words[0] {
			return false
		}
		return given(words[1]) == "" || event.Container != nil && event.Container.Name == words[1]
	})
}

// take prints events until one is the last.
func (p *programme) take(milliseconds string, isLast func(*criwatch.Event) bool) error {
	err := limited(milliseconds, func(ctx context.Context) error {
		for {
			// Not at all is a time, too: what is there is taken in any case.
			event, err := p.queue.TryNext()
			if errors.Is(err, criwatch.ErrAgain) {
				event, err = p.queue.Next(ctx)
			}
			if err != nil {
				return err
			}
			p.event(event)
			if isLast(event) {
				return nil
			}
		}
	})
	return again(err)
}

func (p *programme) waitFD(words []string) (string, error) {
	return "", again(limited(words[0], p.queue.Wait))
}

// again makes the end of the time what the dialogue calls it.
func again(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return criwatch.ErrAgain
	}
	return err
}

func (p *programme) drop([]string) (string, error) {
	err := p.queue.Close()
	p.queue = nil
	return "", err
}
