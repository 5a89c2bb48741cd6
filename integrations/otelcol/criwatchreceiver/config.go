package criwatchreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/identity"
	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

// Config is the configuration of the receiver.
type Config struct {
	node.Config `mapstructure:",squash"`
	// Extract says which attributes the resources have.
	Extract identity.Config `mapstructure:"extract"`
	// NodeName becomes k8s.node.name of every resource; empty: none.
	NodeName string `mapstructure:"node_name"`

	// Events are the log records.
	Events EventsConfig `mapstructure:"events"`
	// Entities are the events of entities, log records, too.
	Entities EntitiesConfig `mapstructure:"entities"`
	// Delivery says how log records are handed on.
	Delivery DeliveryConfig `mapstructure:"delivery"`

	// ControllerConfig says when metrics are collected.
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	// Metrics says which metrics there are.
	Metrics MetricsConfig `mapstructure:"metrics"`
}

// EventsConfig says which records of events there are.
type EventsConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Sandboxes reports the sandboxes of pods, too.
	Sandboxes bool `mapstructure:"sandboxes"`
	// ReplayEnded has a replay also report what has ended and is still known: what ended while nobody listened is not lost.
	ReplayEnded bool `mapstructure:"replay_ended"`
	// ReplayInterval is how often everything that is known is replayed, so that what was lost on the way is told again; 0: never.
	ReplayInterval time.Duration `mapstructure:"replay_interval"`
}

// EntitiesConfig says whether there are events of entities.
type EntitiesConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Interval is how often the state of everything that runs is repeated; 0: never.
	Interval time.Duration `mapstructure:"interval"`
}

// DeliveryConfig says how log records are handed on.
type DeliveryConfig struct {
	// MaxRecords is how many records a batch has at most.
	MaxRecords int `mapstructure:"max_records"`
	// MaxDelay is how long a record waits for others.
	MaxDelay time.Duration `mapstructure:"max_delay"`
	// RetryInitialInterval and RetryMaxInterval bound the pause before a batch that was refused is offered again.
	RetryInitialInterval time.Duration `mapstructure:"retry_initial_interval"`
	RetryMaxInterval     time.Duration `mapstructure:"retry_max_interval"`
}

// MetricConfig switches a metric.
type MetricConfig struct {
	Enabled bool `mapstructure:"enabled"`
}

// MetricsConfig switches metrics by their names.
type MetricsConfig struct {
	RestartCount MetricConfig `mapstructure:"k8s.container.restart.count"`
	State        MetricConfig `mapstructure:"k8s.container.status.state"`
	Uptime       MetricConfig `mapstructure:"container.uptime"`
	Containers   MetricConfig `mapstructure:"criwatch.containers"`
	Pods         MetricConfig `mapstructure:"criwatch.pods"`
	// Statistics is what the library measures of itself and of the engine.
	Statistics MetricConfig `mapstructure:"criwatch.statistics"`
}

func createDefaultConfig() *Config {
	enabled := MetricConfig{Enabled: true}
	return &Config{
		Extract:  identity.DefaultConfig(),
		Events:   EventsConfig{Enabled: true, Sandboxes: true, ReplayEnded: true},
		Entities: EntitiesConfig{Interval: 5 * time.Minute},
		Delivery: DeliveryConfig{
			MaxRecords: 512, MaxDelay: 200 * time.Millisecond,
			RetryInitialInterval: 100 * time.Millisecond, RetryMaxInterval: 10 * time.Second,
		},
		ControllerConfig: scraperhelper.NewDefaultControllerConfig(),
		// State and uptime make a series of each container.
		Metrics: MetricsConfig{RestartCount: enabled, Containers: enabled, Pods: enabled, Statistics: enabled},
	}
}

// Validate refuses what makes no sense. The collector validates the other parts by themselves.
func (c *Config) Validate() error {
	var errs []error
	if c.Events.ReplayInterval < 0 {
		errs = append(errs, fmt.Errorf("events: replay_interval: %v is negative", c.Events.ReplayInterval))
	}
	if c.Entities.Interval < 0 {
		errs = append(errs, fmt.Errorf("entities: interval: %v is negative", c.Entities.Interval))
	}
	if c.Delivery.MaxRecords <= 0 {
		errs = append(errs, fmt.Errorf("delivery: max_records: %d is not positive", c.Delivery.MaxRecords))
	}
	if c.Delivery.RetryInitialInterval <= 0 || c.Delivery.RetryMaxInterval < c.Delivery.RetryInitialInterval {
		errs = append(errs, fmt.Errorf("delivery: retry_initial_interval (%v) has to be positive, and not above retry_max_interval (%v)",
			c.Delivery.RetryInitialInterval, c.Delivery.RetryMaxInterval))
	}
	return errors.Join(errs...)
}
