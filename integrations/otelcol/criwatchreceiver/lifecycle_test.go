package criwatchreceiver

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What mdatagen generates for contrib's components: a component can be made, started and ended, twice, without an engine.
func TestLifecycle(t *testing.T) {
	factory := NewFactory()
	require.NoError(t, componenttest.CheckConfigStruct(factory.CreateDefaultConfig()))
	metadata, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	settings, err := metadata.Sub("tests::config")
	require.NoError(t, err)
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, settings.Unmarshal(cfg))

	type create func(context.Context, receiver.Settings, component.Config) (component.Component, error)
	for signal, create := range map[string]create{
		"logs": func(ctx context.Context, set receiver.Settings, cfg component.Config) (component.Component, error) {
			return factory.CreateLogs(ctx, set, cfg, consumertest.NewNop())
		},
		"metrics": func(ctx context.Context, set receiver.Settings, cfg component.Config) (component.Component, error) {
			return factory.CreateMetrics(ctx, set, cfg, consumertest.NewNop())
		},
	} {
		t.Run(signal, func(t *testing.T) {
			ctx, host := context.Background(), componenttest.NewNopHost()
			unstarted, err := create(ctx, receivertest.NewNopSettings(Type), cfg)
			require.NoError(t, err)
			require.NoError(t, unstarted.Shutdown(ctx))
			for range 2 {
				one, err := create(ctx, receivertest.NewNopSettings(Type), cfg)
				require.NoError(t, err)
				require.NoError(t, one.Start(ctx, host))
				require.NoError(t, one.Shutdown(ctx))
			}
		})
	}
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
