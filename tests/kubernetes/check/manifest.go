package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	securityv1 "github.com/openshift/api/security/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// kinds are those that the manifests may have.
var kinds = map[string]func() any{
	"v1/ConfigMap":                       func() any { return new(corev1.ConfigMap) },
	"v1/Namespace":                       func() any { return new(corev1.Namespace) },
	"v1/Service":                         func() any { return new(corev1.Service) },
	"v1/ServiceAccount":                  func() any { return new(corev1.ServiceAccount) },
	"apps/v1/DaemonSet":                  func() any { return new(appsv1.DaemonSet) },
	"scheduling.k8s.io/v1/PriorityClass": func() any { return new(schedulingv1.PriorityClass) },
	"security.openshift.io/v1/SecurityContextConstraints": func() any { return new(constraints) },
}

// constraints are OpenShift's, with the fields that came after the version of its API that is published as a module.
type constraints struct {
	securityv1.SecurityContextConstraints `json:",inline"`

	AllowPrivilegeEscalation        *bool `json:"allowPrivilegeEscalation"`
	DefaultAllowPrivilegeEscalation *bool `json:"defaultAllowPrivilegeEscalation"`
}

// manifest is what was rendered.
type manifest struct {
	// objects are all of them, by kind and name.
	objects    map[string]any
	daemonSet  *appsv1.DaemonSet
	configMaps []*corev1.ConfigMap
}

func read(file string) (*manifest, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found := &manifest{objects: map[string]any{}}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		if err := found.add(document); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if found.daemonSet == nil {
		return nil, errors.New(file + ": there is no DaemonSet")
	}
	return found, nil
}

func (m *manifest) add(document []byte) error {
	object, err := decode(document)
	if err != nil {
		return err
	}
	switch object := object.(type) {
	case *appsv1.DaemonSet:
		m.daemonSet = object
	case *corev1.ConfigMap:
		m.configMaps = append(m.configMaps, object)
	}
	kind := object.(runtime.Object).GetObjectKind().GroupVersionKind().Kind
	m.objects[kind+" "+object.(metav1.Object).GetName()] = object
	return nil
}

// configMap is one that the pod names.
func (m *manifest) configMap(name string) (*corev1.ConfigMap, error) {
	for _, one := range m.configMaps {
		if one.Name == name && one.Namespace == m.daemonSet.Namespace {
			return one, nil
		}
	}
	return nil, fmt.Errorf("ConfigMap %s/%s: there is none", m.daemonSet.Namespace, name)
}

func decode(document []byte) (any, error) {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return nil, err
	}
	name := kind.APIVersion + "/" + kind.Kind
	make := kinds[name]
	if make == nil {
		return nil, fmt.Errorf("%s: no manifest here has a reason to have one", name)
	}
	object := make()
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Not Go's own: that takes hostPid for hostPID.
	faults, err := json.UnmarshalStrict(text, object)
	if err := errors.Join(append(faults, err)...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return object, nil
}
