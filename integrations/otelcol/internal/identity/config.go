// Package identity writes who a container is into resources, in the words of OpenTelemetry's semantic conventions.
package identity

import (
	"fmt"
	"slices"
)

// The attributes that may be asked for. What changes while a container runs (its state, for example) is not among them: each
// change would begin a new series.
var known = []string{
	"container.id", "container.image.id", "container.image.name", "container.image.repo_digests", "container.image.tags",
	"k8s.container.name", "k8s.container.restart_count", "k8s.namespace.name", "k8s.pod.ip", "k8s.pod.name", "k8s.pod.uid",
}

// Config says which attributes to write.
type Config struct {
	// Attributes are names of the semantic conventions.
	Attributes []string `mapstructure:"attributes"`
	// PodLabels are keys of labels that become k8s.pod.label.KEY; "*": all.
	PodLabels []string `mapstructure:"pod_labels"`
	// PodAnnotations are keys of annotations that become k8s.pod.annotation.KEY; "*": all.
	PodAnnotations []string `mapstructure:"pod_annotations"`
	// ContainerLabels are keys of labels that become container.label.KEY; "*": all.
	ContainerLabels []string `mapstructure:"container_labels"`
}

// DefaultConfig has what k8sattributes writes by default, as far as a node knows it.
func DefaultConfig() Config {
	return Config{Attributes: []string{
		"container.id", "container.image.name", "container.image.tags",
		"k8s.container.name", "k8s.container.restart_count", "k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid",
	}}
}

// Validate refuses unknown names.
func (c *Config) Validate() error {
	for _, name := range c.Attributes {
		if !slices.Contains(known, name) {
			return fmt.Errorf("attributes: %q is none of %v", name, known)
		}
	}
	return nil
}

// selects tells whether an attribute of the library is to be written.
func (c *Config) selects(name string) bool {
	for _, family := range []struct {
		prefix string
		keys   []string
	}{
		{"k8s.pod.label.", c.PodLabels},
		{"k8s.pod.annotation.", c.PodAnnotations},
		{"container.label.", c.ContainerLabels},
	} {
		if len(name) > len(family.prefix) && name[:len(family.prefix)] == family.prefix {
			return slices.Contains(family.keys, "*") || slices.Contains(family.keys, name[len(family.prefix):])
		}
	}
	return slices.Contains(c.Attributes, name)
}
