package main

import (
	"fmt"
	"slices"
	"time"
)

// report prints what was measured. docs/fleet.md calculates with these figures.
func (f *fleet) report(took time.Duration, toGateway, toStream outcome) error {
	messages, bytes, disk, err := f.stream.size()
	if err != nil {
		return err
	}
	dropped, err := f.stream.dropped()
	if err != nil {
		return err
	}
	print := func(format string, arguments ...any) { fmt.Printf(format+"\n", arguments...) }
	events := f.count()
	print("%d nodes, %d events in %.0f s: %.0f/s", len(f.nodes), events, took.Seconds(), float64(events)/took.Seconds())
	starts := 0
	for _, one := range f.nodes {
		starts += one.agent.starts
	}
	print("killed: agents %d times, the gateway %d times", starts-len(f.nodes), f.gateway.starts-1)
	reportOutcome(print, "gateway", toGateway, f.sink.holes)
	reportOutcome(print, "jetstream", toStream, f.stream.holes)
	f.reportTraffic(print)
	perEvent := func(size float64) float64 { return size / float64(max(1, f.stream.records)) }
	print("jetstream: %d messages, %d records, %.0f bytes a record, %.0f on the disk; dropped by message id %d",
		messages, f.stream.records, perEvent(float64(bytes)), perEvent(float64(disk)), dropped)
	f.reportPrograms(print, events)
	return nil
}

func reportOutcome(print func(string, ...any), name string, of outcome, h *holes) {
	print("%s: %d events once, by %d records; of pods removed at once %d, of which %d were lost; ends with a copy without code %d",
		name, of.events, of.copies, of.hasty, of.hastyLost, of.codeless)
	print("%s: instances %d; batches missed %d: late %d, replaced by a replay %d; batches that came again %d",
		name, len(h.instances), h.missed, h.late, h.replaced, h.repeated)
}

func (f *fleet) reportTraffic(print func(string, ...any)) {
	for name, one := range map[string]traffic{"live": f.sink.live, "replay": f.sink.replay} {
		records := float64(max(1, one.Records))
		print("otlp, %s: %d requests, %d records, %.0f bytes a record, %.0f compressed, %.1f records a request",
			name, one.Requests, one.Records, float64(one.Bytes)/records, float64(one.Compressed)/records, records/float64(max(1, one.Requests)))
	}
}

func (f *fleet) reportPrograms(print func(string, ...any), events int) {
	var peaks []int
	var cpu time.Duration
	for _, one := range f.nodes {
		peaks = append(peaks, one.agent.peakKiB)
		cpu += one.agent.cpu
	}
	slices.Sort(peaks)
	print("memory: agents %d to %d MiB (limit %d), gateway %d MiB (limit %d)",
		peaks[0]>>10, peaks[len(peaks)-1]>>10, f.options.agentMemory, f.gateway.peakKiB>>10, f.options.gatewayMemory)
	print("cpu: agents %.2f ms an event, gateway %.2f ms an event",
		cpu.Seconds()*1000/float64(events), f.gateway.cpu.Seconds()*1000/float64(events))
}
