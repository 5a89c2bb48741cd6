// Package lifecycletest has the test that contrib demands of each component, and that mdatagen generates there.
package lifecycletest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// Create makes a component of a kind that has these settings.
type Create[Settings any] func(context.Context, Settings, component.Config) (component.Component, error)

// Last makes a Create of a factory's method for components that have nothing behind them.
func Last[Settings any, C component.Component](create func(context.Context, Settings, component.Config) (C, error)) Create[Settings] {
	return func(ctx context.Context, set Settings, cfg component.Config) (component.Component, error) {
		return create(ctx, set, cfg)
	}
}

// Before makes a Create of a factory's method for components that pass on what they have, here to nobody.
func Before[Settings, Next any, C component.Component](
	create func(context.Context, Settings, component.Config, Next) (C, error),
) Create[Settings] {
	return func(ctx context.Context, set Settings, cfg component.Config) (component.Component, error) {
		return create(ctx, set, cfg, consumertest.NewNop().(Next))
	}
}

// Check makes each component with what metadata.yaml has under tests::config, and starts and ends it, twice; and ends one that was
// not started. Nothing that a component talks to is there.
func Check[Settings any](t *testing.T, factory component.Factory, settings Settings, creates map[string]Create[Settings]) {
	t.Helper()
	require.NoError(t, componenttest.CheckConfigStruct(factory.CreateDefaultConfig()))
	metadata, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	wanted, err := metadata.Sub("tests::config")
	require.NoError(t, err)
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, wanted.Unmarshal(cfg))
	for name, create := range creates {
		t.Run(name, func(t *testing.T) {
			ctx, host := context.Background(), componenttest.NewNopHost()
			unstarted, err := create(ctx, settings, cfg)
			require.NoError(t, err)
			require.NoError(t, unstarted.Shutdown(ctx))
			for range 2 {
				one, err := create(ctx, settings, cfg)
				require.NoError(t, err)
				require.NoError(t, one.Start(ctx, host))
				require.NoError(t, one.Shutdown(ctx))
			}
		})
	}
}
