package criwatch

import "encoding/json"

// Query says which containers and sandboxes to show. All given conditions have to hold. The zero value, and nil, select
// everything that runs.
type Query struct {
	// States are the states to show.
	States []State `json:"states,omitempty"`
	// All shows everything that the engine has, in any state, and replaces States.
	All bool `json:"all,omitempty"`
	// Gone also shows remembered containers that the engine no longer has.
	Gone bool `json:"gone,omitempty"`
	// Kind is the kind to show; 0: both.
	Kind Kind `json:"kind,omitempty"`
	// Namespace is the pod's whole namespace.
	Namespace string `json:"namespace,omitempty"`
	// Pod is the pod's name, "namespace/name", its id, or at least the first 6 hex digits of the id.
	Pod string `json:"pod,omitempty"`
	// UID is the pod's whole uid.
	UID string `json:"uid,omitempty"`
	// Name is the container's whole name. A sandbox has its pod's name.
	Name string `json:"name,omitempty"`
	// Selector is a Kubernetes label selector: app=web, tier!=db, env in (a, b), env notin (a), app, !app, weight>5,
	// joined by commas. It uses the container's labels in the merged view and, for keys that these lack, the labels of its
	// pod.
	Selector string `json:"selector,omitempty"`
	// Attributes fills [Container.Attributes], and overrides the option attributes.
	Attributes AttributesOption `json:"attributes,omitempty"`
	// IfGeneration makes the answer ErrNone if the cache still has this generation; 0: never.
	IfGeneration uint64 `json:"ifGeneration,omitempty"`
}

// attributes is the schema of the attributes that the query asks for; "" if it does not say.
func (q *Query) attributes() string {
	if q == nil {
		return ""
	}
	return string(q.Attributes)
}

// text is the query's JSON; "" for the default query.
func (q *Query) text() ([]byte, error) {
	if q == nil {
		return nil, nil
	}
	return json.Marshal(q)
}
