//go:build linux && cgo

package criwatch

import (
	"encoding/json"
	"time"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

func newEvent(view capi.EventView, shown shown) *Event {
	event := &Event{
		Type:       EventType(view.Type()),
		Flags:      EventFlags(view.Flags()),
		Seq:        view.Seq(),
		Generation: view.Generation(),
		Lost:       view.Lost(),
		Changed:    Changed(view.Changed()),
		Time:       instant(view.Time()),
		Observed:   instant(view.Observed()),
		State:      WatcherState(view.WatcherState()),
		Message:    view.Message(),
		Level:      LogLevel(view.LogLevel()),
	}
	if container, is := view.Container(); is {
		event.Container = newContainer(container, shown, newPod)
	}
	return event
}

// newContainer copies a record. podOf lets the containers of a snapshot share their pods.
func newContainer(view capi.ContainerView, shown shown, podOf func(capi.PodView) *Pod) *Container {
	container := &Container{
		ID:            view.ID(),
		Name:          view.Name(),
		Kind:          Kind(view.Kind()),
		State:         State(view.State()),
		Flags:         ContainerFlags(view.Flags()),
		Attempt:       view.Attempt(),
		PID:           int(view.PID()),
		EnginePID:     int(view.EnginePID()),
		PIDStartTicks: view.PIDStartTicks(),
		Labels:        view.Labels(),
		Annotations:   view.Annotations(),
		Image:         newImage(view),
		CreatedAt:     instant(view.Created()),
		StartedAt:     instant(view.Started()),
		FinishedAt:    instant(view.Finished()),
		ExitCode:      int(view.ExitCode()),
		Reason:        view.Reason(),
		Message:       view.Message(),
		CgroupPath:    view.CgroupPath(),
		CgroupID:      view.CgroupID(),
		Namespaces:    Namespaces(view.Namespaces()),
		LogPath:       view.LogPath(),
		Command:       view.Command(),
		Args:          view.Args(),
		WorkingDir:    view.WorkingDir(),
		Missing:       Missing(view.Missing()),
		separate:      shown.separate,
	}
	addDetails(container, view)
	if schema := shown.attributes; schema != "" && schema != AttributesNone {
		// This fails only for unknown schemas, which no option or query can have.
		container.Attributes, _ = view.Attributes(string(schema))
	}
	if rucksack := view.Rucksack(); rucksack != "" {
		container.Rucksack = json.RawMessage(rucksack)
	}
	if pod, is := view.Pod(); is {
		container.Pod = podOf(pod)
	}
	return container
}

func newImage(view capi.ContainerView) Image {
	return Image{
		Name: view.Image(), Ref: view.ImageRef(), ID: view.ImageID(),
		Repository: view.ImageRepository(), Tag: view.ImageTag(), Digest: view.ImageDigest(),
	}
}

// addDetails copies the parts of a record that are behind pointers.
func addDetails(container *Container, view capi.ContainerView) {
	if user, is := view.User(); is {
		container.User = &User{UID: user.UID, GID: user.GID, Groups: user.Groups}
	}
	for _, mount := range view.Mounts() {
		container.Mounts = append(container.Mounts, Mount{mount.ContainerPath, mount.HostPath, MountFlags(mount.Flags)})
	}
	if resources, is := view.Resources(); is {
		limits := Resources(resources)
		container.Resources = &limits
	}
	if previous, is := view.Previous(); is {
		container.Previous = &Previous{int(previous.ExitCode), previous.Reason, instant(previous.Finished)}
	}
}

func newPod(view capi.PodView) *Pod {
	var ports []Port
	for _, port := range view.Ports() {
		ports = append(ports, Port(port))
	}
	return &Pod{
		ID:             view.ID(),
		Name:           view.Name(),
		Namespace:      view.Namespace(),
		UID:            view.UID(),
		Attempt:        view.Attempt(),
		State:          PodState(view.State()),
		Flags:          PodFlags(view.Flags()),
		RuntimeHandler: view.RuntimeHandler(),
		CreatedAt:      instant(view.Created()),
		IPs:            view.IPs(),
		Labels:         view.Labels(),
		Annotations:    view.Annotations(),
		CgroupPath:     view.CgroupPath(),
		NetNamespace:   view.NetNamespace(),
		Ports:          ports,
	}
}

// instant converts a time of the library: nanoseconds since 1970, 0 for none.
func instant(unixNano int64) time.Time {
	if unixNano == 0 {
		return time.Time{}
	}
	return time.Unix(0, unixNano).UTC()
}
