package criwatchprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/xconsumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/collector/processor/processorhelper/xprocessorhelper"
	"go.opentelemetry.io/collector/processor/xprocessor"
)

// Type is the name of the processor in configurations.
var Type = component.MustNewType("criwatch")

var capabilities = consumer.Capabilities{MutatesData: true}

// NewFactory makes the factory of the processor.
func NewFactory() processor.Factory {
	return xprocessor.NewFactory(
		Type,
		func() component.Config { return createDefaultConfig() },
		xprocessor.WithTraces(createTraces, component.StabilityLevelAlpha),
		xprocessor.WithMetrics(createMetrics, component.StabilityLevelAlpha),
		xprocessor.WithLogs(createLogs, component.StabilityLevelAlpha),
		xprocessor.WithProfiles(createProfiles, component.StabilityLevelDevelopment),
	)
}

func createTraces(
	ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces,
) (processor.Traces, error) {
	p := newProcessor(set, cfg.(*Config))
	return processorhelper.NewTraces(ctx, set, cfg, next, p.processTraces, processorhelper.WithCapabilities(capabilities),
		processorhelper.WithStart(p.start), processorhelper.WithShutdown(p.shutdown))
}

func createMetrics(
	ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics,
) (processor.Metrics, error) {
	p := newProcessor(set, cfg.(*Config))
	return processorhelper.NewMetrics(ctx, set, cfg, next, p.processMetrics, processorhelper.WithCapabilities(capabilities),
		processorhelper.WithStart(p.start), processorhelper.WithShutdown(p.shutdown))
}

func createLogs(
	ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs,
) (processor.Logs, error) {
	p := newProcessor(set, cfg.(*Config))
	return processorhelper.NewLogs(ctx, set, cfg, next, p.processLogs, processorhelper.WithCapabilities(capabilities),
		processorhelper.WithStart(p.start), processorhelper.WithShutdown(p.shutdown))
}

func createProfiles(
	ctx context.Context, set processor.Settings, cfg component.Config, next xconsumer.Profiles,
) (xprocessor.Profiles, error) {
	p := newProcessor(set, cfg.(*Config))
	return xprocessorhelper.NewProfiles(ctx, set, cfg, next, p.processProfiles, xprocessorhelper.WithCapabilities(capabilities),
		xprocessorhelper.WithStart(p.start), xprocessorhelper.WithShutdown(p.shutdown))
}
