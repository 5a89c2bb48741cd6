//go:build linux

package capi

// #include <criwatch.h>
import "C"

import "unsafe"

// EventView shows an event that TryNext gave, until Free.
type EventView struct{ c *C.cri_event }

// Type, Flags and so on are the fields of cri_event.
func (e EventView) Type() uint32         { return uint32(e.c._type) }
func (e EventView) Flags() uint32        { return uint32(e.c.flags) }
func (e EventView) Seq() uint64          { return uint64(e.c.seq) }
func (e EventView) Generation() uint64   { return uint64(e.c.generation) }
func (e EventView) Lost() uint64         { return uint64(e.c.lost) }
func (e EventView) Changed() uint64      { return uint64(e.c.changed) }
func (e EventView) Time() int64          { return int64(e.c.time_unix_nano) }
func (e EventView) Observed() int64      { return int64(e.c.observed_unix_nano) }
func (e EventView) WatcherState() uint32 { return uint32(e.c.watcher_state) }
func (e EventView) Message() string      { return C.GoString(e.c.message) }
func (e EventView) LogLevel() uint32     { return uint32(e.c.log_level) }

// Container is the container that the event is about, if there is one.
func (e EventView) Container() (ContainerView, bool) {
	return ContainerView{e.c.container}, e.c.container != nil
}

// JSON is cri_event_json.
func (e EventView) JSON() ([]byte, *Failure) {
	var out C.cri_buffer
	var err *C.cri_error
	return answer(C.cri_event_json(e.c, &out, &err), &out, err)
}

// Free is cri_event_free.
func (e EventView) Free() { C.cri_event_free(e.c) }

// ContainerView shows a record for as long as its snapshot or event is there.
type ContainerView struct{ c *C.cri_container }

// Kind, State and so on are the fields of cri_container.
func (v ContainerView) Kind() uint32            { return uint32(v.c.kind) }
func (v ContainerView) State() uint32           { return uint32(v.c.state) }
func (v ContainerView) Flags() uint32           { return uint32(v.c.flags) }
func (v ContainerView) Attempt() uint32         { return uint32(v.c.attempt) }
func (v ContainerView) ID() string              { return C.GoString(v.c.id) }
func (v ContainerView) Name() string            { return C.GoString(v.c.name) }
func (v ContainerView) PID() int32              { return int32(v.c.pid) }
func (v ContainerView) ExitCode() int32         { return int32(v.c.exit_code) }
func (v ContainerView) EnginePID() int32        { return int32(v.c.engine_pid) }
func (v ContainerView) PIDStartTicks() uint64   { return uint64(v.c.pid_start_ticks) }
func (v ContainerView) Missing() uint64         { return uint64(v.c.missing) }
func (v ContainerView) Image() string           { return C.GoString(v.c.image) }
func (v ContainerView) ImageRef() string        { return C.GoString(v.c.image_ref) }
func (v ContainerView) ImageID() string         { return C.GoString(v.c.image_id) }
func (v ContainerView) Reason() string          { return C.GoString(v.c.reason) }
func (v ContainerView) Message() string         { return C.GoString(v.c.message) }
func (v ContainerView) CgroupPath() string      { return C.GoString(v.c.cgroup_path) }
func (v ContainerView) Created() int64          { return int64(v.c.created_unix_nano) }
func (v ContainerView) Started() int64          { return int64(v.c.started_unix_nano) }
func (v ContainerView) Finished() int64         { return int64(v.c.finished_unix_nano) }
func (v ContainerView) Rucksack() string        { return C.GoString(v.c.rucksack) }
func (v ContainerView) CgroupID() uint64        { return uint64(v.c.cgroup_id) }
func (v ContainerView) LogPath() string         { return C.GoString(v.c.log_path) }
func (v ContainerView) WorkingDir() string      { return C.GoString(v.c.working_dir) }
func (v ContainerView) ImageRepository() string { return C.GoString(v.c.image_repository) }
func (v ContainerView) ImageTag() string        { return C.GoString(v.c.image_tag) }
func (v ContainerView) ImageDigest() string     { return C.GoString(v.c.image_digest) }

// Labels are the container's own.
func (v ContainerView) Labels() map[string]string { return labels(v.c.labels, v.c.labels_len) }

// Annotations are the container's own.
func (v ContainerView) Annotations() map[string]string {
	return labels(v.c.annotations, v.c.annotations_len)
}

// Attributes is cri_container_attributes.
func (v ContainerView) Attributes(schema string) (map[string]string, *Failure) {
	if f := noNUL("schema", schema); f != nil {
		return nil, f
	}
	name := cstring(schema, false)
	defer free(name)
	var out *C.cri_label
	var length C.size_t
	var err *C.cri_error
	if f := failure(C.cri_container_attributes(v.c, name, &out, &length, &err), err); f != nil {
		return nil, f
	}
	return labels(out, length), nil
}

// Pod is the container's pod, if it is known.
func (v ContainerView) Pod() (PodView, bool) { return PodView{v.c.pod}, v.c.pod != nil }

// PodView shows a record for as long as its snapshot or event is there. Views of one record are equal.
type PodView struct{ c *C.cri_pod }

// ID, Name and so on are the fields of cri_pod.
func (v PodView) ID() string             { return C.GoString(v.c.id) }
func (v PodView) Name() string           { return C.GoString(v.c.name) }
func (v PodView) Namespace() string      { return C.GoString(v.c.pod_namespace) }
func (v PodView) UID() string            { return C.GoString(v.c.uid) }
func (v PodView) Attempt() uint32        { return uint32(v.c.attempt) }
func (v PodView) State() uint32          { return uint32(v.c.state) }
func (v PodView) Flags() uint32          { return uint32(v.c.flags) }
func (v PodView) CgroupPath() string     { return C.GoString(v.c.cgroup_path) }
func (v PodView) Created() int64         { return int64(v.c.created_unix_nano) }
func (v PodView) RuntimeHandler() string { return C.GoString(v.c.runtime_handler) }
func (v PodView) NetNamespace() uint64   { return uint64(v.c.net_namespace) }

// IPs are the pod's addresses; nil for none.
func (v PodView) IPs() []string { return texts(v.c.ips, v.c.ips_len) }

// Labels are the pod's labels.
func (v PodView) Labels() map[string]string { return labels(v.c.labels, v.c.labels_len) }

// Annotations are the pod's annotations.
func (v PodView) Annotations() map[string]string { return labels(v.c.annotations, v.c.annotations_len) }

func labels(array *C.cri_label, length C.size_t) map[string]string {
	pairs := make(map[string]string, int(length))
	for _, label := range unsafe.Slice(array, int(length)) {
		pairs[C.GoString(label.key)] = C.GoString(label.value)
	}
	return pairs
}
