package criwatchobserver

import (
	"fmt"
	"math"
	"net"
	"strconv"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/observer"
)

// of are the endpoints of a container or sandbox. Types, ids and fields are k8s_observer's: rules work with both. Pods and ports
// need an address; a container does not: its logs are files.
func (e *endpoints) of(container *criwatch.Container) []observer.Endpoint {
	if container.Pod == nil {
		return nil
	}
	details, address := podOf(container.Pod), e.address(container.Pod)
	podID := observer.EndpointID(fmt.Sprintf("%s/%s", e.prefix, container.Pod.UID))
	if container.Kind == criwatch.KindSandbox {
		if !e.config.ObservePods || address == "" {
			return nil
		}
		return []observer.Endpoint{{ID: podID, Target: address, Details: &details}}
	}
	var made []observer.Endpoint
	if e.config.ObserveContainers {
		made = append(made, observer.Endpoint{
			ID: observer.EndpointID(fmt.Sprintf("%s/%s", podID, container.Name)), Target: address,
			Details: &observer.PodContainer{
				Name: container.Name, Image: container.Image.Name, ContainerID: container.ID, Pod: details,
			},
		})
	}
	if e.config.ObservePorts && address != "" {
		made = append(made, portsOf(container, podID, address, details)...)
	}
	return made
}

// address is the pod's. A pod in the node's network has the node's, which only the user knows.
func (e *endpoints) address(pod *criwatch.Pod) string {
	switch {
	case len(pod.IPs) > 0:
		return pod.IPs[0]
	case pod.Flags&criwatch.PodFlagHostNetwork != 0:
		return e.config.NodeAddress
	}
	return ""
}

// portsOf are the ports that the pod's author has declared for a container.
func portsOf(container *criwatch.Container, podID observer.EndpointID, address string, pod observer.Pod) (made []observer.Endpoint) {
	for _, port := range container.Pod.Ports {
		if port.Container != container.Name || port.ContainerPort == 0 || port.ContainerPort > math.MaxUint16 {
			continue
		}
		made = append(made, observer.Endpoint{
			ID:     observer.EndpointID(fmt.Sprintf("%s/%s(%d)", podID, port.Name, port.ContainerPort)),
			Target: net.JoinHostPort(address, strconv.Itoa(int(port.ContainerPort))),
			Details: &observer.Port{
				Name: port.Name, Pod: pod, Port: uint16(port.ContainerPort), Transport: transportOf(port.Protocol),
				ContainerName: container.Name, ContainerID: container.ID, ContainerImage: container.Image.Name,
			},
		})
	}
	return made
}

func transportOf(protocol string) observer.Transport {
	switch protocol {
	case "TCP":
		return observer.ProtocolTCP
	case "UDP":
		return observer.ProtocolUDP
	}
	return observer.ProtocolUnknown
}

func podOf(pod *criwatch.Pod) observer.Pod {
	return observer.Pod{
		Name: pod.Name, UID: pod.UID, Namespace: pod.Namespace, Labels: pod.Labels, Annotations: pod.Annotations,
	}
}
