package criwatch

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// The JSON of the records is the library's, with the same keys in the same order: docs/json.md. Unknown values are
// absent.

type containerJSON struct {
	ID            string             `json:"id"`
	Name          string             `json:"name"`
	Kind          Kind               `json:"kind"`
	State         State              `json:"state"`
	PID           int                `json:"pid,omitempty"`
	EnginePID     int                `json:"enginePid,omitempty"`
	PIDStartTicks uint64             `json:"pidStartTicks,omitempty"`
	Attempt       uint32             `json:"attempt"`
	Pod           *podJSON           `json:"pod,omitempty"`
	Labels        map[string]string  `json:"labels"`
	Annotations   *map[string]string `json:"annotations,omitempty"`
	Image         *Image             `json:"image,omitempty"`
	CreatedAt     *stamp             `json:"createdAt,omitempty"`
	StartedAt     *stamp             `json:"startedAt,omitempty"`
	FinishedAt    *stamp             `json:"finishedAt,omitempty"`
	ExitCode      *int               `json:"exitCode,omitempty"`
	Reason        string             `json:"reason,omitempty"`
	Message       string             `json:"message,omitempty"`
	Previous      *Previous          `json:"previous,omitempty"`
	CgroupPath    string             `json:"cgroupPath,omitempty"`
	CgroupID      uint64             `json:"cgroupId,omitempty"`
	Namespaces    *Namespaces        `json:"namespaces,omitempty"`
	LogPath       string             `json:"logPath,omitempty"`
	Command       []string           `json:"command,omitempty"`
	Args          []string           `json:"args,omitempty"`
	WorkingDir    string             `json:"workingDir,omitempty"`
	User          *User              `json:"user,omitempty"`
	Privileged    *bool              `json:"privileged,omitempty"`
	Mounts        []Mount            `json:"mounts,omitempty"`
	Resources     *Resources         `json:"resources,omitempty"`
	Rucksack      json.RawMessage    `json:"rucksack,omitempty"`
	Flags         ContainerFlags     `json:"flags,omitempty"`
	Missing       Missing            `json:"missing,omitempty"`
	Attributes    map[string]string  `json:"attributes,omitempty"`
}

// MarshalJSON gives the library's JSON of this container, as [Raw.Get] has it.
func (c Container) MarshalJSON() ([]byte, error) { return marshal(c.json()) }

// UnmarshalJSON reads a container of the library's JSON. It takes the annotations out of the merged view of labels. The
// names of pod and container stay among the labels, because the view does not show whose they are.
func (c *Container) UnmarshalJSON(data []byte) error {
	var fields containerJSON
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*c = fields.record()
	return nil
}

func (c *Container) json() containerJSON {
	fields := containerJSON{
		ID: c.ID, Name: c.Name, Kind: c.Kind, State: c.State,
		PID: c.PID, EnginePID: c.EnginePID, PIDStartTicks: c.PIDStartTicks, Attempt: c.Attempt,
		CreatedAt: stampOf(c.CreatedAt), StartedAt: stampOf(c.StartedAt), FinishedAt: stampOf(c.FinishedAt),
		Reason: c.Reason, Message: c.Message, Previous: c.Previous, CgroupPath: c.CgroupPath, CgroupID: c.CgroupID,
		LogPath: c.LogPath, Command: c.Command, Args: c.Args, WorkingDir: c.WorkingDir, User: c.User, Mounts: c.Mounts,
		Privileged: fact(c.Flags, ContainerFlagPrivileged, ContainerFlagUnprivileged), Resources: c.Resources,
		Rucksack: c.Rucksack, Flags: c.Flags &^ (ContainerFlagPrivileged | ContainerFlagUnprivileged), Missing: c.Missing,
		Attributes: c.Attributes,
	}
	if c.Namespaces != (Namespaces{}) {
		namespaces := c.Namespaces
		fields.Namespaces = &namespaces
	}
	if c.Pod != nil {
		pod := c.Pod.json()
		fields.Pod = &pod
	}
	if c.separate {
		annotations := present(c.Annotations)
		fields.Labels, fields.Annotations = present(c.Labels), &annotations
	} else {
		fields.Labels = c.merged()
	}
	if c.Kind == KindContainer {
		image := c.Image
		fields.Image = &image
	}
	if c.ExitCode != -1 {
		code := c.ExitCode
		fields.ExitCode = &code
	}
	return fields
}

func (fields *containerJSON) record() Container {
	c := Container{
		ID: fields.ID, Name: fields.Name, Kind: fields.Kind, State: fields.State,
		PID: fields.PID, EnginePID: fields.EnginePID, PIDStartTicks: fields.PIDStartTicks, Attempt: fields.Attempt,
		CreatedAt: fields.CreatedAt.time(), StartedAt: fields.StartedAt.time(), FinishedAt: fields.FinishedAt.time(),
		ExitCode: -1, Reason: fields.Reason, Message: fields.Message, Previous: fields.Previous, CgroupPath: fields.CgroupPath,
		CgroupID: fields.CgroupID, LogPath: fields.LogPath, Command: fields.Command, Args: fields.Args, WorkingDir: fields.WorkingDir,
		User: fields.User, Mounts: fields.Mounts, Resources: fields.Resources, Rucksack: fields.Rucksack, Missing: fields.Missing,
		Flags:      fields.Flags | flag(fields.Privileged, ContainerFlagPrivileged, ContainerFlagUnprivileged),
		Attributes: fields.Attributes,
	}
	if fields.Namespaces != nil {
		c.Namespaces = *fields.Namespaces
	}
	if fields.Pod != nil {
		pod := fields.Pod.record()
		c.Pod = &pod
	}
	if fields.Annotations != nil {
		c.Labels, c.Annotations, c.separate = present(fields.Labels), *fields.Annotations, true
	} else {
		c.Labels, c.Annotations = apart(fields.Labels)
	}
	if fields.Image != nil {
		c.Image = *fields.Image
	}
	if fields.ExitCode != nil {
		c.ExitCode = *fields.ExitCode
	}
	return c
}

// merged is the library's merged view of labels and annotations.
func (c *Container) merged() map[string]string {
	all := make(map[string]string, len(c.Labels)+len(c.Annotations)+4)
	for key, value := range c.Annotations {
		all[AnnotationKeyPrefix+key] = value
	}
	for key, value := range c.Labels {
		all[key] = value
	}
	if c.Pod != nil {
		all[LabelPodName], all[LabelPodNamespace], all[LabelPodUID] = c.Pod.Name, c.Pod.Namespace, c.Pod.UID
	}
	switch c.Kind {
	case KindContainer:
		all[LabelContainerName] = c.Name
	case KindSandbox:
		all[LabelSandbox] = ""
	}
	return all
}

// apart splits the merged view into labels and annotations.
func apart(merged map[string]string) (labels, annotations map[string]string) {
	labels, annotations = map[string]string{}, map[string]string{}
	for key, value := range merged {
		if rest, is := strings.CutPrefix(key, AnnotationKeyPrefix); is {
			annotations[rest] = value
		} else if key != LabelSandbox {
			labels[key] = value
		}
	}
	return labels, annotations
}

type podJSON struct {
	ID             string            `json:"id"`
	Name           string            `json:"name"`
	Namespace      string            `json:"namespace"`
	UID            string            `json:"uid"`
	Attempt        uint32            `json:"attempt"`
	State          PodState          `json:"state"`
	Labels         map[string]string `json:"labels"`
	Annotations    map[string]string `json:"annotations"`
	IPs            []string          `json:"ips,omitempty"`
	HostNetwork    *bool             `json:"hostNetwork,omitempty"`
	HostPID        *bool             `json:"hostPid,omitempty"`
	HostIPC        *bool             `json:"hostIpc,omitempty"`
	NetNamespace   uint64            `json:"netNamespace,omitempty"`
	CgroupPath     string            `json:"cgroupPath,omitempty"`
	Ports          []Port            `json:"ports,omitempty"`
	StaticPod      *bool             `json:"staticPod,omitempty"`
	RuntimeHandler string            `json:"runtimeHandler,omitempty"`
	CreatedAt      *stamp            `json:"createdAt,omitempty"`
}

// MarshalJSON gives the library's JSON of this pod.
func (p Pod) MarshalJSON() ([]byte, error) { return marshal(p.json()) }

// UnmarshalJSON reads a pod of the library's JSON.
func (p *Pod) UnmarshalJSON(data []byte) error {
	var fields podJSON
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*p = fields.record()
	return nil
}

func (p *Pod) json() podJSON {
	return podJSON{
		ID: p.ID, Name: p.Name, Namespace: p.Namespace, UID: p.UID, Attempt: p.Attempt, State: p.State,
		Labels: present(p.Labels), Annotations: present(p.Annotations), IPs: p.IPs,
		HostNetwork: fact(p.Flags, PodFlagHostNetwork, PodFlagOwnNetwork), HostPID: fact(p.Flags, PodFlagHostPID, PodFlagOwnPID),
		HostIPC: fact(p.Flags, PodFlagHostIPC, PodFlagOwnIPC), StaticPod: fact(p.Flags, PodFlagStatic, PodFlagNotStatic),
		NetNamespace: p.NetNamespace, CgroupPath: p.CgroupPath, Ports: p.Ports, RuntimeHandler: p.RuntimeHandler,
		CreatedAt: stampOf(p.CreatedAt),
	}
}

func (fields *podJSON) record() Pod {
	return Pod{
		ID: fields.ID, Name: fields.Name, Namespace: fields.Namespace, UID: fields.UID, Attempt: fields.Attempt, State: fields.State,
		Labels: present(fields.Labels), Annotations: present(fields.Annotations), IPs: fields.IPs,
		Flags: flag(fields.HostNetwork, PodFlagHostNetwork, PodFlagOwnNetwork) | flag(fields.HostPID, PodFlagHostPID, PodFlagOwnPID) |
			flag(fields.HostIPC, PodFlagHostIPC, PodFlagOwnIPC) | flag(fields.StaticPod, PodFlagStatic, PodFlagNotStatic),
		NetNamespace: fields.NetNamespace, CgroupPath: fields.CgroupPath, Ports: fields.Ports, RuntimeHandler: fields.RuntimeHandler,
		CreatedAt: fields.CreatedAt.time(),
	}
}

// podContainersJSON is a pod with its containers, which do not repeat the pod.
type podContainersJSON struct {
	podJSON
	Containers []containerJSON `json:"containers"`
}

// MarshalJSON gives the library's JSON, as in a list of pods.
func (p PodContainers) MarshalJSON() ([]byte, error) {
	fields := podContainersJSON{podJSON: p.Pod.json(), Containers: make([]containerJSON, len(p.Containers))}
	for i, container := range p.Containers {
		fields.Containers[i] = container.json()
		fields.Containers[i].Pod = nil
	}
	return marshal(fields)
}

// UnmarshalJSON reads what MarshalJSON gives.
func (p *PodContainers) UnmarshalJSON(data []byte) error {
	var fields podContainersJSON
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*p = PodContainers{Pod: fields.podJSON.record(), Containers: make([]*Container, len(fields.Containers))}
	for i := range fields.Containers {
		container := fields.Containers[i].record()
		container.Pod = &p.Pod
		p.Containers[i] = &container
	}
	return nil
}

type eventJSON struct {
	Schema     string       `json:"schema"`
	Type       EventType    `json:"type"`
	Flags      EventFlags   `json:"flags,omitempty"`
	Seq        uint64       `json:"seq"`
	Generation uint64       `json:"generation"`
	Time       *stamp       `json:"time"`
	Observed   *stamp       `json:"observed"`
	State      WatcherState `json:"state"`
	Lost       *uint64      `json:"lost,omitempty"`
	Changed    Changed      `json:"changed,omitempty"`
	Level      LogLevel     `json:"level,omitempty"`
	Message    string       `json:"message,omitempty"`
	Container  *Container   `json:"container,omitempty"`
}

// MarshalJSON gives the library's JSON of this event, as [Queue.NextJSON] has it.
func (e Event) MarshalJSON() ([]byte, error) {
	fields := eventJSON{
		Schema: "criwatch.event/1", Type: e.Type, Flags: e.Flags, Seq: e.Seq, Generation: e.Generation,
		Time: stampOf(e.Time), Observed: stampOf(e.Observed), State: e.State, Changed: e.Changed, Level: e.Level,
		Message: e.Message, Container: e.Container,
	}
	if e.Type == EventOverflow {
		fields.Lost = &e.Lost
	}
	return marshal(fields)
}

// UnmarshalJSON reads an event of the library's JSON.
func (e *Event) UnmarshalJSON(data []byte) error {
	var fields eventJSON
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*e = Event{
		Type: fields.Type, Flags: fields.Flags, Seq: fields.Seq, Generation: fields.Generation,
		Time: fields.Time.time(), Observed: fields.Observed.time(), State: fields.State, Changed: fields.Changed,
		Level: fields.Level, Message: fields.Message, Container: fields.Container,
	}
	if fields.Lost != nil {
		e.Lost = *fields.Lost
	}
	return nil
}

// marshal is json.Marshal without escapes for HTML, as in the library. json.Marshal of the whole value adds them.
func marshal(fields any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(fields)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// stamp is a time as the library writes it: RFC 3339 with 0, 3, 6 or 9 digits of the fraction.
type stamp time.Time

func stampOf(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

func (s *stamp) time() time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Time(*s)
}

func (s *stamp) MarshalText() ([]byte, error) {
	t := time.Time(*s).UTC()
	layout := "2006-01-02T15:04:05.000000000Z"
	switch nanos := t.Nanosecond(); {
	case nanos == 0:
		layout = "2006-01-02T15:04:05Z"
	case nanos%1_000_000 == 0:
		layout = "2006-01-02T15:04:05.000Z"
	case nanos%1_000 == 0:
		layout = "2006-01-02T15:04:05.000000Z"
	}
	return []byte(t.Format(layout)), nil
}

func (s *stamp) UnmarshalText(text []byte) error { return (*time.Time)(s).UnmarshalText(text) }

// present turns a nil map into an empty one.
func present(labels map[string]string) map[string]string {
	if labels == nil {
		return map[string]string{}
	}
	return labels
}
