package criwatchreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/lifecycletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLifecycle(t *testing.T) {
	factory := NewFactory()
	lifecycletest.Check(t, factory, receivertest.NewNopSettings(Type), map[string]lifecycletest.Create[receiver.Settings]{
		"logs":    lifecycletest.Before(factory.CreateLogs),
		"metrics": lifecycletest.Before(factory.CreateMetrics),
	})
}

func TestSettings(t *testing.T) {
	config := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"endpoint": "unix:///run/crio/crio.sock", "collection_interval": "5s",
		"entities": map[string]any{"enabled": true, "interval": "1m"},
		"metrics":  map[string]any{"container.uptime": map[string]any{"enabled": true}},
	}).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	require.True(t, config.Metrics.Uptime.Enabled)
	require.True(t, config.Metrics.RestartCount.Enabled)
	require.Equal(t, "unix:///run/crio/crio.sock", config.Endpoint)
	for text, change := range map[string]func(*Config){
		"entities: interval: -1ns is negative":     func(c *Config) { c.Entities.Interval = -1 },
		"delivery: max_records: 0 is not positive": func(c *Config) { c.Delivery.MaxRecords = 0 },
		"retry_initial_interval (0s) has to be":    func(c *Config) { c.Delivery.RetryInitialInterval = 0 },
		"no.such.option":                           func(c *Config) { c.Options = map[string]string{"no.such.option": "1"} },
		`"collection_interval": requires positive`: func(c *Config) { c.CollectionInterval = 0 },
	} {
		config := createDefaultConfig()
		change(config)
		require.ErrorContains(t, confmap.Validate(config), text)
	}
}
