package criwatchprocessor

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/processor/xprocessor"
	"go.uber.org/goleak"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/lifecycletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLifecycle(t *testing.T) {
	factory := NewFactory().(xprocessor.Factory)
	lifecycletest.Check(t, factory, processortest.NewNopSettings(Type), map[string]lifecycletest.Create[processor.Settings]{
		"traces":   lifecycletest.Before(factory.CreateTraces),
		"metrics":  lifecycletest.Before(factory.CreateMetrics),
		"logs":     lifecycletest.Before(factory.CreateLogs),
		"profiles": lifecycletest.Before(factory.CreateProfiles),
	})
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
