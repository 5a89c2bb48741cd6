package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// uid is the pod's: an engine refuses a second pod of one uid.
var uid = fmt.Sprintf("check-%d", os.Getpid())

// What a kubelet makes of a pod for CRI. What it does not translate, it refuses, so that no right is lost on the way.

func (n *node) sandbox(found *manifest) *cri.PodSandboxConfig {
	spec := found.daemonSet.Spec.Template.Spec
	return &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: found.daemonSet.Name, Namespace: found.daemonSet.Namespace, Uid: uid},
		LogDirectory: n.folder,
		Labels: map[string]string{
			"io.kubernetes.pod.name": found.daemonSet.Name, "io.kubernetes.pod.namespace": found.daemonSet.Namespace,
			"io.kubernetes.pod.uid": uid,
		},
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent: n.parent,
			SecurityContext: &cri.LinuxSandboxSecurityContext{
				NamespaceOptions: namespaces(&spec), Seccomp: seccomp(spec.SecurityContext.SeccompProfile),
			},
		},
	}
}

func (n *node) container(found *manifest) (*cri.ContainerConfig, error) {
	spec := found.daemonSet.Spec.Template.Spec
	agent := spec.Containers[0]
	mounts, err := n.mounts(found, &agent)
	if err != nil {
		return nil, err
	}
	environment, err := environment(found, &agent)
	if err != nil {
		return nil, err
	}
	return &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: agent.Name},
		Image:    &cri.ImageSpec{Image: n.image, UserSpecifiedImage: n.image},
		Command:  agent.Command,
		Args:     agent.Args,
		Envs:     environment,
		Mounts:   mounts,
		Labels: map[string]string{
			"io.kubernetes.container.name": agent.Name, "io.kubernetes.pod.name": found.daemonSet.Name,
			"io.kubernetes.pod.namespace": found.daemonSet.Namespace, "io.kubernetes.pod.uid": uid,
		},
		LogPath: agent.Name + ".log",
		Linux: &cri.LinuxContainerConfig{
			Resources:       &cri.LinuxContainerResources{MemoryLimitInBytes: agent.Resources.Limits.Memory().Value()},
			SecurityContext: security(&spec, &agent),
		},
	}, nil
}

func namespaces(spec *corev1.PodSpec) *cri.NamespaceOption {
	pid := cri.NamespaceMode_CONTAINER
	if spec.HostPID {
		pid = cri.NamespaceMode_NODE
	}
	return &cri.NamespaceOption{Network: cri.NamespaceMode_NODE, Pid: pid}
}

func security(spec *corev1.PodSpec, agent *corev1.Container) *cri.LinuxContainerSecurityContext {
	wanted := agent.SecurityContext
	profile := wanted.SeccompProfile
	if profile == nil {
		profile = spec.SecurityContext.SeccompProfile
	}
	drop := []string{}
	for _, capability := range wanted.Capabilities.Drop {
		drop = append(drop, string(capability))
	}
	add := []string{}
	for _, capability := range wanted.Capabilities.Add {
		add = append(add, string(capability))
	}
	return &cri.LinuxContainerSecurityContext{
		Capabilities:     &cri.Capability{AddCapabilities: add, DropCapabilities: drop},
		Privileged:       *wanted.Privileged,
		NamespaceOptions: namespaces(spec),
		RunAsUser:        &cri.Int64Value{Value: *wanted.RunAsUser},
		RunAsGroup:       &cri.Int64Value{Value: *wanted.RunAsGroup},
		ReadonlyRootfs:   *wanted.ReadOnlyRootFilesystem,
		NoNewPrivs:       !*wanted.AllowPrivilegeEscalation,
		Seccomp:          seccomp(profile),
	}
}

func seccomp(profile *corev1.SeccompProfile) *cri.SecurityProfile {
	if profile != nil && profile.Type == corev1.SeccompProfileTypeRuntimeDefault {
		return &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault}
	}
	return &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined}
}

func (n *node) mounts(found *manifest, agent *corev1.Container) ([]*cri.Mount, error) {
	var mounts []*cri.Mount
	for _, mount := range agent.VolumeMounts {
		source, err := n.source(found, mount.Name)
		if err != nil {
			return nil, err
		}
		propagation := cri.MountPropagation_PROPAGATION_PRIVATE
		if mode := mount.MountPropagation; mode != nil && *mode == corev1.MountPropagationHostToContainer {
			propagation = cri.MountPropagation_PROPAGATION_HOST_TO_CONTAINER
		}
		mounts = append(mounts, &cri.Mount{
			ContainerPath: mount.MountPath, HostPath: source, Readonly: mount.ReadOnly, Propagation: propagation,
		})
	}
	return mounts, nil
}

// source is the folder of a volume on this node.
func (n *node) source(found *manifest, name string) (string, error) {
	for _, volume := range found.daemonSet.Spec.Template.Spec.Volumes {
		if volume.Name != name {
			continue
		}
		own := filepath.Join(n.folder, "volumes", name)
		switch {
		case volume.HostPath != nil:
			if stand, is := n.hosts[volume.HostPath.Path]; is {
				return filepath.EvalSymlinks(stand)
			}
			_, err := os.Stat(volume.HostPath.Path)
			return volume.HostPath.Path, err
		case volume.EmptyDir != nil:
			return own, os.MkdirAll(own, 0o755)
		case volume.ConfigMap != nil:
			return own, n.write(found, volume.ConfigMap.Name, own)
		}
		return "", fmt.Errorf("volume %s: of its kind, none can be mounted here", name)
	}
	return "", fmt.Errorf("volume %s: there is none", name)
}

// write writes the files of a ConfigMap, with the ports that the pod has here.
func (n *node) write(found *manifest, name, folder string) error {
	config, err := found.configMap(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for file, text := range config.Data {
		for port, here := range n.ports {
			wanted := fmt.Sprintf("endpoint: :%d\n", port)
			if !strings.Contains(text, wanted) {
				return fmt.Errorf("%s in ConfigMap %s: listens nowhere at port %d", file, name, port)
			}
			text = strings.ReplaceAll(text, wanted, fmt.Sprintf("endpoint: 127.0.0.1:%d\n", here))
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func environment(found *manifest, agent *corev1.Container) ([]*cri.KeyValue, error) {
	var values []*cri.KeyValue
	for _, from := range agent.EnvFrom {
		if from.ConfigMapRef == nil || from.Prefix != "" {
			return nil, fmt.Errorf("envFrom of %s: where it is from is not known here", agent.Name)
		}
		config, err := found.configMap(from.ConfigMapRef.Name)
		if err != nil {
			return nil, err
		}
		for name, value := range config.Data {
			values = append(values, &cri.KeyValue{Key: name, Value: []byte(value)})
		}
	}
	for _, variable := range agent.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			if from.FieldRef == nil || from.FieldRef.FieldPath != "spec.nodeName" {
				return nil, fmt.Errorf("variable %s: where it is from is not known here", variable.Name)
			}
			value = "node-1"
		}
		values = append(values, &cri.KeyValue{Key: variable.Name, Value: []byte(value)})
	}
	return values, nil
}
