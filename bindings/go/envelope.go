package criwatch

import "encoding/json"

// metaJSON has the keys that every answer of the library begins with.
type metaJSON struct {
	Schema     string       `json:"schema"`
	Generation uint64       `json:"generation"`
	State      WatcherState `json:"state"`
	AsOf       *stamp       `json:"asOf,omitempty"`
	Engine     EngineInfo   `json:"engine"`
}

func (m *Meta) json() metaJSON {
	return metaJSON{Schema: m.Schema, Generation: m.Generation, State: m.State, AsOf: stampOf(m.AsOf), Engine: m.Engine}
}

// MarshalJSON gives the library's JSON of this list, as [Raw.List] has it.
func (l ContainerList) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		metaJSON
		Containers []*Container `json:"containers"`
	}{l.Meta.json(), l.Containers})
}

// MarshalJSON gives the library's JSON of this list, as [Raw.Pods] has it.
func (l PodList) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		metaJSON
		Pods []*PodContainers `json:"pods"`
	}{l.Meta.json(), l.Pods})
}

// MarshalJSON gives the library's JSON of this inspection, as [Raw.Inspect] has it.
func (i Inspection) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		metaJSON
		Container *Container      `json:"container"`
		Status    json.RawMessage `json:"status,omitempty"`
		Info      json.RawMessage `json:"info"`
	}{i.Meta.json(), i.Container, i.Status, i.Info})
}

// MarshalJSON gives the library's JSON of these numbers, as [Raw.Stats] has it, except for the order of the counts.
func (s Stats) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		metaJSON
		Counts       map[string]uint64       `json:"stats"`
		BucketMicros []uint64                `json:"bucketMicros"`
		Requests     map[string]RequestStats `json:"requests"`
		EventLag     *EventLag               `json:"eventLag,omitempty"`
	}{s.Meta.json(), s.Counts, s.BucketMicros, s.Requests, s.EventLag})
}
