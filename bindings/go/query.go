package criwatch

import "encoding/json"

// Query says which containers and sandboxes to show. What is given has to hold all together; the zero value, and nil, is
// everything that runs.
type Query struct {
	// States are the states to show.
	States []State `json:"states,omitempty"`
	// All shows what the engine has in any state; it stands in for States.
	All bool `json:"all,omitempty"`
	// Gone shows, besides, remembered containers that the engine no longer has.
	Gone bool `json:"gone,omitempty"`
	// Kind is the kind to show; 0: both.
	Kind Kind `json:"kind,omitempty"`
	// Namespace is exactly the pod's namespace.
	Namespace string `json:"namespace,omitempty"`
	// Pod is the pod's name, "namespace/name", its id, or at least 6 hex digits that the id begins with.
	Pod string `json:"pod,omitempty"`
	// UID is exactly the pod's uid.
	UID string `json:"uid,omitempty"`
	// Name is exactly the container's name. A sandbox has its pod's.
	Name string `json:"name,omitempty"`
	// Selector is a Kubernetes label selector: app=web, tier!=db, env in (a, b), env notin (a), app, !app, weight>5, joined by
	// commas. It looks at the container's labels in the merged view, and where these lack a key, at the labels of its pod.
	Selector string `json:"selector,omitempty"`
	// Attributes fills [Container.Attributes], and overrides the option attributes.
	Attributes AttributesOption `json:"attributes,omitempty"`
	// IfGeneration makes the answer ErrNone if that is still the generation; 0: never.
	IfGeneration uint64 `json:"ifGeneration,omitempty"`
}

// attributes are in whose names it wants them; "" where it does not say.
func (q *Query) attributes() string {
	if q == nil {
		return ""
	}
	return string(q.Attributes)
}

// text is the query's JSON; "" where it asks for nothing special.
func (q *Query) text() ([]byte, error) {
	if q == nil {
		return nil, nil
	}
	return json.Marshal(q)
}
