package criwatchtest

import (
	"maps"
	"slices"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// cloned is a record of its reader's own.
func cloned(container *criwatch.Container) *criwatch.Container {
	if container == nil {
		return nil
	}
	own := *container
	own.Pod = clonedPod(container.Pod)
	own.Labels, own.Annotations = maps.Clone(own.Labels), maps.Clone(own.Annotations)
	own.Attributes, own.Rucksack = maps.Clone(own.Attributes), slices.Clone(own.Rucksack)
	own.Command, own.Args, own.Mounts = slices.Clone(own.Command), slices.Clone(own.Args), slices.Clone(own.Mounts)
	own.Previous, own.User, own.Resources = pointed(own.Previous), pointed(own.User), pointed(own.Resources)
	if own.User != nil {
		own.User.Groups = slices.Clone(own.User.Groups)
	}
	if own.Resources != nil {
		own.Resources.OOMScoreAdj = pointed(own.Resources.OOMScoreAdj)
	}
	return &own
}

func clonedPod(pod *criwatch.Pod) *criwatch.Pod {
	if pod == nil {
		return nil
	}
	own := *pod
	own.Labels, own.Annotations = maps.Clone(own.Labels), maps.Clone(own.Annotations)
	own.IPs, own.Ports = slices.Clone(own.IPs), slices.Clone(own.Ports)
	return &own
}

func pointed[T any](value *T) *T {
	if value == nil {
		return nil
	}
	own := *value
	return &own
}

// clonedTogether are records of their reader's own; those of one pod share it.
func clonedTogether(containers []*criwatch.Container) []*criwatch.Container {
	own, pods := make([]*criwatch.Container, len(containers)), map[string]*criwatch.Pod{}
	for i, container := range containers {
		own[i] = cloned(container)
		if pod := own[i].Pod; pod != nil {
			if pods[pod.ID] == nil {
				pods[pod.ID] = pod
			}
			own[i].Pod = pods[pod.ID]
		}
	}
	return own
}
