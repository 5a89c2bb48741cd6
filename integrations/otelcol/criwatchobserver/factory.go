package criwatchobserver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
)

// Type is the name of the observer in configurations.
var Type = component.MustNewType("criwatch_observer")

// NewFactory makes the factory of the observer.
func NewFactory() extension.Factory {
	return extension.NewFactory(
		Type,
		func() component.Config { return createDefaultConfig() },
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return newObserver(set, cfg.(*Config)), nil
		},
		component.StabilityLevelAlpha,
	)
}
