package identity

import (
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func container(kind criwatch.Kind) *criwatch.Container {
	return &criwatch.Container{Kind: kind, Attributes: map[string]string{
		"container.id": "ab", "container.image.tags": "1.27", "container.image.id": "sha256:cd", "k8s.container.name": "nginx",
		"k8s.container.restart_count": "3", "k8s.container.status.state": "running", "process.pid": "70",
		"k8s.namespace.name": "shop", "k8s.pod.name": "web", "k8s.pod.uid": "u-1", "k8s.pod.label.app": "web",
		"k8s.pod.label.hash": "x", "k8s.pod.annotation.note": "y", "container.label.tier": "front",
	}}
}

func TestTypesAreTheSemanticConventions(t *testing.T) {
	config := DefaultConfig()
	require.Equal(t, map[string]any{
		"container.id": "ab", "container.image.tags": []any{"1.27"}, "k8s.container.name": "nginx",
		"k8s.container.restart_count": int64(3), "k8s.namespace.name": "shop", "k8s.pod.name": "web", "k8s.pod.uid": "u-1",
	}, config.Of(container(criwatch.KindContainer)).AsRaw())
	require.Equal(t, map[string]any{"k8s.namespace.name": "shop", "k8s.pod.name": "web", "k8s.pod.uid": "u-1"},
		config.Of(container(criwatch.KindSandbox)).AsRaw())
}

func TestLabelsAreChosenByTheirKeys(t *testing.T) {
	config := Config{PodLabels: []string{"app"}, PodAnnotations: []string{"*"}, ContainerLabels: []string{"other"}}
	require.NoError(t, config.Validate())
	require.Equal(t, map[string]any{"k8s.pod.label.app": "web", "k8s.pod.annotation.note": "y"},
		config.Of(container(criwatch.KindContainer)).AsRaw())
	// What changes while a container runs is no part of who it is.
	config.Attributes = []string{"k8s.container.status.state"}
	require.ErrorContains(t, config.Validate(), `"k8s.container.status.state" is none of`)
}

func TestOnlyWhatIsMissingIsAdded(t *testing.T) {
	to, attributes := pcommon.NewMap(), pcommon.NewMap()
	require.NoError(t, to.FromRaw(map[string]any{"there": "mine", "empty": "", "zero": 0}))
	require.NoError(t, attributes.FromRaw(map[string]any{"there": "x", "empty": "x", "zero": "x", "new": "x"}))
	AddMissing(to, attributes)
	require.Equal(t, map[string]any{"there": "mine", "empty": "x", "zero": int64(0), "new": "x"}, to.AsRaw())
}
