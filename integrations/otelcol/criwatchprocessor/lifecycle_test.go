package criwatchprocessor

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/processor/xprocessor"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What mdatagen generates for contrib's components: a component can be made, started and ended, twice, without an engine.
func TestLifecycle(t *testing.T) {
	factory := NewFactory().(xprocessor.Factory)
	require.NoError(t, componenttest.CheckConfigStruct(factory.CreateDefaultConfig()))
	metadata, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	settings, err := metadata.Sub("tests::config")
	require.NoError(t, err)
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, settings.Unmarshal(cfg))

	type create func(context.Context, processor.Settings, component.Config) (component.Component, error)
	for signal, create := range map[string]create{
		"traces": func(ctx context.Context, set processor.Settings, cfg component.Config) (component.Component, error) {
			return factory.CreateTraces(ctx, set, cfg, consumertest.NewNop())
		},
		"metrics": func(ctx context.Context, set processor.Settings, cfg component.Config) (component.Component, error) {
			return factory.CreateMetrics(ctx, set, cfg, consumertest.NewNop())
		},
		"logs": func(ctx context.Context, set processor.Settings, cfg component.Config) (component.Component, error) {
			return factory.CreateLogs(ctx, set, cfg, consumertest.NewNop())
		},
		"profiles": func(ctx context.Context, set processor.Settings, cfg component.Config) (component.Component, error) {
			return factory.CreateProfiles(ctx, set, cfg, consumertest.NewNop())
		},
	} {
		t.Run(signal, func(t *testing.T) {
			ctx, host := context.Background(), componenttest.NewNopHost()
			unstarted, err := create(ctx, processortest.NewNopSettings(Type), cfg)
			require.NoError(t, err)
			require.NoError(t, unstarted.Shutdown(ctx))
			for range 2 {
				one, err := create(ctx, processortest.NewNopSettings(Type), cfg)
				require.NoError(t, err)
				require.NoError(t, one.Start(ctx, host))
				require.NoError(t, one.Shutdown(ctx))
			}
		})
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	for text, change := range map[string]func(*Config){
		`associations: "name" is none of`: func(c *Config) { c.Associations = []string{"name"} },
		"at least one of":                 func(c *Config) { c.Associations = nil },
		"wait_ready: -1ns is negative":    func(c *Config) { c.WaitReady = -1 },
		"no.such.option":                  func(c *Config) { c.Options = map[string]string{"no.such.option": "1"} },
	} {
		config := createDefaultConfig()
		change(config)
		require.ErrorContains(t, confmap.Validate(config), text)
	}
	config := createDefaultConfig()
	require.NoError(t, confmap.Validate(config))
	config.Extract.Attributes = []string{"k8s.deployment.name"}
	require.ErrorContains(t, confmap.Validate(config), `"k8s.deployment.name" is none of`)
}
