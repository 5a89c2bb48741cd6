package criwatchtest

import (
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// find finds one entry by what Watcher.Get takes: the first way of naming that finds anything counts.
func find(entries []*criwatch.Container, idOrName string) (*criwatch.Container, *capi.Failure) {
	if idOrName == "" {
		return nil, refused(criwatch.ErrInvalidArgument, "the id or name is empty")
	}
	for _, is := range []func(*criwatch.Container) bool{
		func(entry *criwatch.Container) bool { return entry.ID == idOrName },
		func(entry *criwatch.Container) bool { return entry.Pod != nil && entry.Path() == idOrName },
		func(entry *criwatch.Container) bool {
			return entry.Kind == criwatch.KindContainer && entry.Name == idOrName
		},
		func(entry *criwatch.Container) bool {
			return entry.Kind == criwatch.KindSandbox && entry.Name == idOrName
		},
		func(entry *criwatch.Container) bool { return isPrefix(idOrName, entry.ID) },
	} {
		var found []*criwatch.Container
		for _, entry := range entries {
			if is(entry) {
				found = append(found, entry)
			}
		}
		if len(found) > 0 {
			return only(found, idOrName)
		}
	}
	return nil, refused(criwatch.ErrNotFound, "no container or pod %q", idOrName)
}

// isPrefix is whether an id begins with at least 6 hex digits.
func isPrefix(digits, id string) bool {
	return len(digits) >= 6 && strings.Trim(digits, "0123456789abcdef") == "" && strings.HasPrefix(id, digits)
}

// only is the one of them that runs, or else the newest, if all are attempts of one.
func only(found []*criwatch.Container, idOrName string) (*criwatch.Container, *capi.Failure) {
	best := found[0]
	for _, entry := range found {
		if entry.Path() != best.Path() || entry.Kind != best.Kind {
			return nil, refused(criwatch.ErrAmbiguous, "%q is ambiguous: %s", idOrName, strings.Join(paths(found), ", "))
		}
		if better(entry, best) {
			best = entry
		}
	}
	return best, nil
}

func better(one, than *criwatch.Container) bool {
	runs, ran := one.State == criwatch.StateRunning, than.State == criwatch.StateRunning
	return runs && !ran || runs == ran && one.CreatedAt.After(than.CreatedAt)
}

func paths(entries []*criwatch.Container) []string {
	paths := make([]string, len(entries))
	for i, entry := range entries {
		paths[i] = entry.Path()
	}
	return paths
}
