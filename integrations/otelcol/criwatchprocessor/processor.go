package criwatchprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/identity"
	"github.com/criwatch/criwatch/integrations/otelcol/internal/node"
)

// enricher is the processor of one signal.
type enricher struct {
	config *Config
	logger *zap.Logger
	link   *node.Link
	finder *finder
}

func newProcessor(set processor.Settings, config *Config) *enricher {
	return &enricher{config: config, logger: set.Logger}
}

func (e *enricher) start(ctx context.Context, host component.Host) error {
	link, err := node.Join(e.config.Config, host, e.logger)
	if err != nil {
		return err
	}
	e.link = link
	e.finder = newFinder(link.Watcher, e.config)
	if e.config.WaitReady > 0 {
		ctx, cancel := context.WithTimeout(ctx, e.config.WaitReady)
		defer cancel()
		// The engine may come later: the data passes as it is until then.
		if err := link.WaitReady(ctx); err != nil {
			e.logger.Warn("the engine has not answered yet; data passes without its attributes meanwhile", zap.Error(err))
		}
	}
	return nil
}

func (e *enricher) shutdown(context.Context) error {
	if e.finder != nil {
		e.finder.close()
	}
	return e.link.Leave()
}

func (e *enricher) processTraces(ctx context.Context, traces ptrace.Traces) (ptrace.Traces, error) {
	for _, of := range traces.ResourceSpans().All() {
		e.enrich(ctx, of.Resource())
	}
	return traces, nil
}

func (e *enricher) processMetrics(ctx context.Context, metrics pmetric.Metrics) (pmetric.Metrics, error) {
	for _, of := range metrics.ResourceMetrics().All() {
		e.enrich(ctx, of.Resource())
	}
	return metrics, nil
}

func (e *enricher) processLogs(ctx context.Context, logs plog.Logs) (plog.Logs, error) {
	for _, of := range logs.ResourceLogs().All() {
		e.enrich(ctx, of.Resource())
	}
	return logs, nil
}

func (e *enricher) processProfiles(ctx context.Context, profiles pprofile.Profiles) (pprofile.Profiles, error) {
	for _, of := range profiles.ResourceProfiles().All() {
		e.enrich(ctx, of.Resource())
	}
	return profiles, nil
}

func (e *enricher) enrich(ctx context.Context, resource pcommon.Resource) {
	attributes := resource.Attributes()
	found, is := e.finder.find(ctx, attributes)
	if !is || contradicts(attributes, found) {
		return
	}
	identity.AddMissing(attributes, found.written)
	if e.config.NodeName != "" {
		if _, is := attributes.Get("k8s.node.name"); !is {
			attributes.PutStr("k8s.node.name", e.config.NodeName)
		}
	}
}

// contradicts tells whether the resource says that it is another's: an address, for example, may be a proxy's. Half of one and
// half of another would be wrong twice.
func contradicts(attributes pcommon.Map, found match) bool {
	if uid, is := attributes.Get("k8s.pod.uid"); is && uid.AsString() != "" && uid.AsString() != found.podUID {
		return true
	}
	name, is := attributes.Get("k8s.pod.name")
	return is && name.AsString() != "" && name.AsString() != found.podName
}
