package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// release is the name, and the namespace, that kustomize's objects have.
const release = "criwatch"

// renderChart does what `helm template criwatch CHART --namespace criwatch --values FILE` does.
func renderChart(folder, file string) error {
	rendered, err := templates(folder, file)
	if err != nil {
		return err
	}
	var documents []string
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		text := strings.TrimSpace(rendered[name])
		if text != "" && filepath.Ext(name) == ".yaml" {
			documents = append(documents, text)
		}
	}
	_, err = fmt.Println(strings.Join(documents, "\n---\n"))
	return err
}

// renderNotes prints what Helm says after an installation.
func renderNotes(folder, file string) error {
	rendered, err := templates(folder, file)
	if err != nil {
		return err
	}
	_, err = fmt.Print(rendered[release+"/templates/NOTES.txt"])
	return err
}

// templates are the texts that a chart's templates make, by their names.
func templates(folder, file string) (map[string]string, error) {
	chart, err := loader.Load(folder)
	if err != nil {
		return nil, err
	}
	given, err := common.ReadValuesFile(file)
	if err != nil {
		return nil, err
	}
	options := common.ReleaseOptions{Name: release, Namespace: release, IsInstall: true, Revision: 1}
	// Asks the schema of the values, too.
	values, err := util.ToRenderValues(chart, given, options, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{}.RenderWithContext(context.Background(), chart, values)
}

// lintChart prints what `helm lint CHART --values FILE` complains of.
func lintChart(folder, file string) error {
	given, err := common.ReadValuesFile(file)
	if err != nil {
		return err
	}
	for _, message := range lint.RunAll(folder, given, release).Messages {
		// A picture for catalogues: the project has none.
		if !strings.Contains(message.Error(), "icon is recommended") {
			fmt.Println(message)
		}
	}
	return nil
}
