package node

import (
	"maps"
	"slices"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// Config says which engine to follow. Components with equal ones share a watcher.
type Config struct {
	// Endpoint is the engine's socket, e.g. unix:///run/containerd/containerd.sock; empty: the best engine of the node.
	Endpoint string `mapstructure:"endpoint"`
	// HostRoot is where the host's file system is: in a container, where the host's /proc is mounted as HOST_ROOT/proc.
	HostRoot string `mapstructure:"host_root"`
	// Options are further options of the library, by their names in docs/options.md.
	Options map[string]string `mapstructure:"options"`
}

// Validate asks the library: making a watcher reads and connects nothing yet.
func (c *Config) Validate() error {
	watcher, err := c.newWatcher()
	if err != nil {
		return err
	}
	return watcher.Close()
}

func (c *Config) newWatcher() (*criwatch.Watcher, error) {
	options := []criwatch.Option{criwatch.WithAttributes(criwatch.AttributesOtel)}
	if c.HostRoot != "" {
		options = append(options, criwatch.WithHostRoot(c.HostRoot))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Options)) {
		options = append(options, criwatch.WithOption(key, c.Options[key]))
	}
	return criwatch.New(c.Endpoint, options...)
}

// key is the same for equal configurations.
func (c *Config) key() string {
	parts := []string{c.Endpoint, c.HostRoot}
	for _, key := range slices.Sorted(maps.Keys(c.Options)) {
		parts = append(parts, key, c.Options[key])
	}
	return strings.Join(parts, "\x00")
}
