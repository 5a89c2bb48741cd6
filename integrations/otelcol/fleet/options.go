package main

import (
	"errors"
	"flag"
	"math/rand/v2"
	"time"
)

// options say how large the fleet is and what happens to it.
type options struct {
	collector     string
	nodes         int
	events        int
	pace          time.Duration
	keep          time.Duration
	replay        time.Duration
	agentKills    int
	gatewayKills  int
	seed          uint64
	agentMemory   int
	gatewayMemory int
	patience      time.Duration
	verbose       bool
}

func parseOptions() (*options, error) {
	o := &options{}
	flag.StringVar(&o.collector, "collector", "", "the program criwatch-collector")
	flag.IntVar(&o.nodes, "nodes", 3, "how many nodes, each with an agent")
	flag.IntVar(&o.events, "events", 2000, "how many events of all nodes together have to arrive")
	flag.DurationVar(&o.pace, "pace", 100*time.Millisecond, "each node does something every so often on average")
	flag.DurationVar(&o.keep, "keep", 10*time.Second, "how long a node keeps what has ended at least, as a kubelet does")
	flag.DurationVar(&o.replay, "replay", 5*time.Second, "events.replay_interval of the agents")
	flag.IntVar(&o.agentKills, "agent-kills", 2, "how often agents are killed; every second one loses its disk, too")
	flag.IntVar(&o.gatewayKills, "gateway-kills", 2, "how often the gateway is killed; every second time it loses its disk, too")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64(), "repeats the decisions of an earlier run")
	flag.IntVar(&o.agentMemory, "agent-memory", 256, "how much memory an agent may have at most, in MiB")
	flag.IntVar(&o.gatewayMemory, "gateway-memory", 512, "the same for the gateway")
	flag.DurationVar(&o.patience, "patience", 3*time.Minute, "how long any step may take")
	flag.BoolVar(&o.verbose, "verbose", false, "tell what happens")
	flag.Parse()
	if o.collector == "" {
		return nil, errors.New("-collector is needed: the program criwatch-collector")
	}
	if o.nodes < 1 || o.events < 1 {
		return nil, errors.New("-nodes and -events have to be at least 1")
	}
	return o, nil
}
