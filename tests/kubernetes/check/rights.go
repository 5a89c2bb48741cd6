package main

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// checkRights prints what the agent may do beyond what docs/kubernetes.md promises, where Pod Security has no rule for it; and what it
// lacks, because the manifest names it and does not have it.
func checkRights(file string) error {
	found, err := read(file)
	if err != nil {
		return err
	}
	spec := found.daemonSet.Spec.Template.Spec
	for _, name := range configMapsOf(&spec) {
		if _, err := found.configMap(name); err != nil {
			fmt.Println(err)
		}
	}
	promises := map[string]bool{
		"no token of the API server":       spec.AutomountServiceAccountToken != nil && !*spec.AutomountServiceAccountToken,
		"no variables of other services":   spec.EnableServiceLinks != nil && !*spec.EnableServiceLinks,
		"no namespace of the host":         !spec.HostPID && !spec.HostIPC && !spec.HostNetwork,
		"volumes of the host without type": all(spec.Volumes, hasNoType),
	}
	for _, container := range spec.Containers {
		rights := container.SecurityContext
		promises["a read-only root"] = rights.ReadOnlyRootFilesystem != nil && *rights.ReadOnlyRootFilesystem
		promises["no capability"] = len(rights.Capabilities.Add) == 0 && rights.Capabilities.Drop[0] == "ALL"
		promises["no CPU limit"] = container.Resources.Limits.Cpu().IsZero()
		promises["volumes of the host read-only"] = all(container.VolumeMounts, func(mount corev1.VolumeMount) bool {
			return mount.ReadOnly || !isOfHost(&spec, mount.Name)
		})
	}
	for promise, is := range promises {
		if !is {
			fmt.Println(promise)
		}
	}
	return nil
}

// configMapsOf are the names of those without which the pod does not start.
func configMapsOf(spec *corev1.PodSpec) (names []string) {
	for _, volume := range spec.Volumes {
		if volume.ConfigMap != nil {
			names = append(names, volume.ConfigMap.Name)
		}
	}
	for _, container := range spec.Containers {
		for _, source := range container.EnvFrom {
			if source.ConfigMapRef != nil {
				names = append(names, source.ConfigMapRef.Name)
			}
		}
	}
	return names
}

func hasNoType(volume corev1.Volume) bool {
	return volume.HostPath == nil || volume.HostPath.Type == nil
}

func isOfHost(spec *corev1.PodSpec, name string) bool {
	return !all(spec.Volumes, func(volume corev1.Volume) bool { return volume.Name != name || volume.HostPath == nil })
}

func all[T any](items []T, fits func(T) bool) bool {
	for _, item := range items {
		if !fits(item) {
			return false
		}
	}
	return true
}
