package criwatchprocessor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/identity"
	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

// The ways to find the container of a resource.
const (
	byContainerID = "container_id"
	byProcess     = "process"
	byCgroup      = "cgroup"
	byPodUID      = "pod_uid"
	byPodIP       = "pod_ip"
	byConnection  = "connection"
	byPID         = "pid"
)

var associations = []string{byContainerID, byProcess, byCgroup, byPodUID, byPodIP, byConnection, byPID}

// Config is the configuration of the processor.
type Config struct {
	node.Config `mapstructure:",squash"`
	// Associations are the ways to find the container of a resource; the first that finds one wins.
	Associations []string `mapstructure:"associations"`
	// Extract says which attributes to write.
	Extract identity.Config `mapstructure:"extract"`
	// NodeName is written as k8s.node.name to resources whose container was found; empty: not written.
	NodeName string `mapstructure:"node_name"`
	// WaitReady is how long the start waits for the first lists of the engine, so that the first data finds its containers.
	WaitReady time.Duration `mapstructure:"wait_ready"`
}

func createDefaultConfig() *Config {
	return &Config{
		// Not by a bare pid: a process in a container knows the pid of its own namespace, which is another's on the node.
		Associations: []string{byContainerID, byProcess, byCgroup, byPodUID, byPodIP, byConnection},
		Extract:      identity.DefaultConfig(),
		WaitReady:    2 * time.Second,
	}
}

// Validate refuses unknown associations. The collector validates the other parts by themselves.
func (c *Config) Validate() error {
	var errs []error
	for _, name := range c.Associations {
		if !slices.Contains(associations, name) {
			errs = append(errs, fmt.Errorf("associations: %q is none of %v", name, associations))
		}
	}
	if len(c.Associations) == 0 {
		errs = append(errs, fmt.Errorf("associations: at least one of %v is needed", associations))
	}
	if c.WaitReady < 0 {
		errs = append(errs, fmt.Errorf("wait_ready: %v is negative", c.WaitReady))
	}
	return errors.Join(errs...)
}
