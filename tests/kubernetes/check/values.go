package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// property is what the schema of a chart's values says of one of them.
type property struct {
	Properties map[string]property `yaml:"properties"`
}

// checkValues prints the values of a chart's schema that values.yaml does not have, or has no comment for.
func checkValues(folder string) error {
	var schema property
	if err := readYAML(filepath.Join(folder, "values.schema.json"), &schema); err != nil {
		return err
	}
	var values yaml.Node
	if err := readYAML(filepath.Join(folder, "values.yaml"), &values); err != nil {
		return err
	}
	// Helm's own, for charts that have this one as a part.
	delete(schema.Properties, "global")
	schema.check("", values.Content[0])
	return nil
}

func (p property) check(path string, values *yaml.Node) {
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		key, value := entry(values, name)
		if key == nil || key.HeadComment == "" {
			fmt.Printf("%s%s: values.yaml has no comment for it\n", path, name)
			continue
		}
		p.Properties[name].check(path+name+".", value)
	}
}

// entry is a key of a mapping with its value.
func entry(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	// Keys and values take turns.
	for at := 0; at+1 < len(mapping.Content); at += 2 {
		if mapping.Content[at].Value == name {
			return mapping.Content[at], mapping.Content[at+1]
		}
	}
	return nil, nil
}

// readYAML reads a file of YAML, or of JSON, which is YAML.
func readYAML(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
