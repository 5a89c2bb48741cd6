package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// The chart and kustomize differ in what is listed here, and in nothing else.
var (
	// ofHelm are the labels and annotations by which Helm tells releases apart, and replaces pods whose configuration has changed.
	ofHelm = []string{
		"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart", "checksum/config",
	}
	// unlabelled are kinds that kustomize gives no labels: its base, which has labels, has none of them.
	unlabelled = []string{"ConfigMap", "Service", "SecurityContextConstraints"}
	// notInChart is made by `helm install --create-namespace`; NOTES.txt has its labels.
	notInChart = []string{"Namespace criwatch"}
	// hash is what kustomize adds to the names of ConfigMaps, so that pods are replaced.
	hash = regexp.MustCompile(`(criwatch-(?:collector|gateway))-[0-9a-z]{10}\b`)
)

// compare prints the differences between what kustomize and the chart have made, one a line.
func compare(kustomized, charted string) error {
	wanted, err := plain(kustomized)
	if err != nil {
		return err
	}
	is, err := plain(charted)
	if err != nil {
		return err
	}
	for _, line := range differences("", wanted, is) {
		fmt.Println(line)
	}
	return nil
}

// plain is a manifest without what is only kustomize's or Helm's.
func plain(file string) (map[string]any, error) {
	found, err := read(file)
	if err != nil {
		return nil, err
	}
	objects := map[string]any{}
	for name, object := range found.objects {
		if slices.Contains(notInChart, name) {
			continue
		}
		// By Kubernetes' own types: a default is no difference, nor is 1Gi to 1024Mi.
		text, err := json.Marshal(object)
		if err != nil {
			return nil, err
		}
		var value map[string]any
		if err := json.Unmarshal(hash.ReplaceAll(text, []byte("$1")), &value); err != nil {
			return nil, err
		}
		if kind, _, _ := strings.Cut(name, " "); slices.Contains(unlabelled, kind) {
			delete(value["metadata"].(map[string]any), "labels")
		}
		objects[hash.ReplaceAllString(name, "$1")] = simplified(value)
	}
	return objects, nil
}

// simplified removes Helm's labels, and turns lists of named things, whose order says nothing, into maps.
func simplified(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range ofHelm {
			delete(value, key)
		}
		for key := range value {
			value[key] = simplified(value[key])
		}
	case []any:
		named := map[string]any{}
		for at := range value {
			value[at] = simplified(value[at])
			if thing, is := value[at].(map[string]any); is && thing["name"] != nil {
				named[fmt.Sprint(thing["name"])] = thing
			}
		}
		if len(named) == len(value) && len(named) > 0 {
			return named
		}
	}
	return value
}

// differences says where two values are not the same, and what they are there.
func differences(path string, wanted, is any) (lines []string) {
	left, both := wanted.(map[string]any)
	right, are := is.(map[string]any)
	if !both || !are {
		if !reflect.DeepEqual(wanted, is) {
			lines = append(lines, fmt.Sprintf("%s: kustomize has %v, the chart %v", path, wanted, is))
		}
		return lines
	}
	keys := maps.Clone(left)
	maps.Copy(keys, right)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		lines = append(lines, differences(path+"/"+key, left[key], right[key])...)
	}
	return lines
}
