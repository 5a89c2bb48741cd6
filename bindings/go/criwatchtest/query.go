package criwatchtest

import (
	"encoding/json"
	"slices"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// query is a criwatch.Query whose selector is understood.
type query struct {
	criwatch.Query
	requirements []requirement
}

// parseQuery reads a query's JSON; "" is everything that runs.
func parseQuery(text string) (*query, *capi.Failure) {
	parsed := &query{}
	if text == "" {
		return parsed, nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&parsed.Query); err != nil {
		return nil, refused(criwatch.ErrQuery, "the query %s: %v", text, err)
	}
	if slices.Contains(parsed.States, criwatch.Unrecognized) || parsed.Kind == criwatch.Unrecognized {
		return nil, refused(criwatch.ErrQuery, "the query %s: there is no such state or kind", text)
	}
	requirements, failure := parseSelector(parsed.Selector)
	parsed.requirements = requirements
	return parsed, failure
}

// selects is whether all holds that the query says.
func (q *query) selects(entry *criwatch.Container) bool {
	return q.hasState(entry) && (q.Kind == 0 || q.Kind == entry.Kind) && q.isInPod(entry) &&
		(q.Name == "" || q.Name == entry.Name) &&
		!slices.ContainsFunc(q.requirements, func(needed requirement) bool { return !needed.holds(entry) })
}

func (q *query) hasState(entry *criwatch.Container) bool {
	switch {
	case q.All:
		return true
	case len(q.States) == 0:
		return entry.State == criwatch.StateRunning
	}
	return slices.Contains(q.States, entry.State)
}

func (q *query) isInPod(entry *criwatch.Container) bool {
	pod := entry.Pod
	if pod == nil {
		return q.Namespace == "" && q.Pod == "" && q.UID == ""
	}
	named := q.Pod == "" || q.Pod == pod.Name || q.Pod == pod.Path() || q.Pod == pod.ID || isPrefix(q.Pod, pod.ID)
	return named && (q.Namespace == "" || q.Namespace == pod.Namespace) && (q.UID == "" || q.UID == pod.UID)
}
