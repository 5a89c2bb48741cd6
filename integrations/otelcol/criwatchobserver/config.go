package criwatchobserver

import (
	"errors"
	"fmt"
	"time"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

// Config is the configuration of the observer.
type Config struct {
	node.Config `mapstructure:",squash"`
	// ObservePods, ObserveContainers and ObservePorts say which endpoints there are.
	ObservePods       bool `mapstructure:"observe_pods"`
	ObserveContainers bool `mapstructure:"observe_containers"`
	ObservePorts      bool `mapstructure:"observe_ports"`
	// NodeAddress is the address of pods in the node's network; empty: they and their ports are no endpoints.
	NodeAddress string `mapstructure:"node_address"`
	// TerminatedTTL is how long the endpoint of a container stays after its end, so that the logs of one that ran shortly can
	// still be read. Its ports go at once.
	TerminatedTTL time.Duration `mapstructure:"terminated_ttl"`
}

func createDefaultConfig() *Config {
	return &Config{ObservePods: true, ObserveContainers: true, ObservePorts: true, TerminatedTTL: 15 * time.Second}
}

// Validate refuses what makes no sense. The collector validates the other parts by themselves.
func (c *Config) Validate() error {
	var errs []error
	if !c.ObservePods && !c.ObserveContainers && !c.ObservePorts {
		errs = append(errs, errors.New("one of observe_pods, observe_containers and observe_ports has to be true"))
	}
	if c.TerminatedTTL < 0 {
		errs = append(errs, fmt.Errorf("terminated_ttl: %v is negative", c.TerminatedTTL))
	}
	return errors.Join(errs...)
}
