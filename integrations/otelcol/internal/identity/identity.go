package identity

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Of has the attributes of a container; of a sandbox, those of its pod: it is no container that anybody asks for.
func (c *Config) Of(container *criwatch.Container) pcommon.Map {
	if container.Kind == criwatch.KindSandbox {
		return c.OfPod(container)
	}
	return c.collect(container, func(string) bool { return true })
}

// OfPod has the attributes of the pod of a container or sandbox.
func (c *Config) OfPod(container *criwatch.Container) pcommon.Map {
	return c.collect(container, func(name string) bool {
		return strings.HasPrefix(name, "k8s.pod.") || strings.HasPrefix(name, "k8s.namespace.")
	})
}

func (c *Config) collect(container *criwatch.Container, fits func(name string) bool) pcommon.Map {
	attributes := pcommon.NewMap()
	for _, name := range slices.Sorted(maps.Keys(container.Attributes)) {
		if fits(name) && c.selects(name) {
			put(attributes, name, container.Attributes[name])
		}
	}
	return attributes
}

// put gives a value the type that the semantic conventions say: the library has texts only.
func put(to pcommon.Map, name, value string) {
	switch name {
	case "container.image.tags", "container.image.repo_digests":
		to.PutEmptySlice(name).AppendEmpty().SetStr(value)
	case "k8s.container.restart_count":
		if count, err := strconv.ParseInt(value, 10, 64); err == nil {
			to.PutInt(name, count)
		}
	default:
		to.PutStr(name, value)
	}
}

// AddMissing writes those attributes that are not there. What somebody else has written stays.
func AddMissing(to, attributes pcommon.Map) {
	for name, value := range attributes.All() {
		if present, is := to.Get(name); !is || present.Type() == pcommon.ValueTypeStr && present.Str() == "" {
			value.CopyTo(to.PutEmpty(name))
		}
	}
}
