package criwatchnatsexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Type is the name of the exporter in configurations.
var Type = component.MustNewType("criwatch_nats")

// NewFactory makes the factory of the exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		Type,
		func() component.Config { return createDefaultConfig() },
		exporter.WithLogs(createLogs, component.StabilityLevelDevelopment),
	)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	config := cfg.(*Config)
	p := &publisher{config: config, logger: set.Logger}
	return exporterhelper.NewLogs(ctx, set, cfg, p.publish,
		exporterhelper.WithStart(p.start), exporterhelper.WithShutdown(p.shutdown), exporterhelper.WithTimeout(config.TimeoutConfig),
		exporterhelper.WithQueue(config.QueueConfig), exporterhelper.WithRetry(config.RetryConfig))
}
