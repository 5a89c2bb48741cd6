package criwatchtest

import (
	"slices"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// snapshot is the fake at one moment.
type snapshot struct {
	all        []*criwatch.Container
	generation uint64
	// What a query selected; nil: what runs.
	query *query
}

// shown are the entries of Containers; of a selection, Find finds nothing else.
func (s *snapshot) shown() []*criwatch.Container {
	if s.query == nil {
		return selected(s.all, &query{})
	}
	return selected(s.all, s.query)
}

func (s *snapshot) known() []*criwatch.Container {
	if s.query == nil {
		return s.all
	}
	return s.shown()
}

func selected(entries []*criwatch.Container, query *query) []*criwatch.Container {
	return slices.DeleteFunc(slices.Clone(entries), func(entry *criwatch.Container) bool { return !query.selects(entry) })
}

func (s *snapshot) Select(text, _ string) (snapshotBackend, *capi.Failure) { return s.selection(text) }

func (s *snapshot) selection(text string) (*snapshot, *capi.Failure) {
	query, failure := parseQuery(text)
	switch {
	case failure != nil:
		return nil, failure
	case query.IfGeneration != 0 && query.IfGeneration == s.generation:
		return nil, note(criwatch.ErrNone)
	}
	return &snapshot{all: s.known(), generation: s.generation, query: query}, nil
}

func (s *snapshot) Generation() uint64 { return s.generation }

func (s *snapshot) Free() {}

func (s *snapshot) Containers() ([]*criwatch.Container, *capi.Failure) {
	return clonedTogether(s.shown()), nil
}

func (s *snapshot) Pods() ([]*criwatch.Pod, *capi.Failure) {
	pods, seen := []*criwatch.Pod{}, map[string]bool{}
	for _, entry := range s.shown() {
		if entry.Pod != nil && !seen[entry.Pod.ID] {
			seen[entry.Pod.ID] = true
			pods = append(pods, clonedPod(entry.Pod))
		}
	}
	return pods, nil
}

func (s *snapshot) Find(idOrName string) (*criwatch.Container, *capi.Failure) {
	entry, failure := find(s.known(), idOrName)
	return cloned(entry), failure
}

// Attributes are what the test has put into the record: a fake has no tables of third parties.
func (s *snapshot) Attributes(idOrName, schema string) (map[string]string, *capi.Failure) {
	entry, failure := s.Find(idOrName)
	switch {
	case failure != nil:
		return nil, failure
	case entry.Attributes == nil:
		return nil, refused(criwatch.ErrUnsupported, "the fake has no attributes %q of %s: set Container.Attributes", schema, entry)
	}
	return entry.Attributes, nil
}

// first is the first entry of which something is true. All processes and cgroups that are no container's are the host's.
func (s *snapshot) first(is func(*criwatch.Container) bool) (*criwatch.Container, *capi.Failure) {
	for _, entry := range s.known() {
		if is(entry) {
			return cloned(entry), nil
		}
	}
	return nil, note(criwatch.ErrNone)
}

func (s *snapshot) FindPID(pid int32, startTicks uint64) (*criwatch.Container, *capi.Failure) {
	return s.first(func(entry *criwatch.Container) bool {
		return pid > 0 && entry.PID == int(pid) && entry.State == criwatch.StateRunning &&
			(startTicks == 0 || entry.PIDStartTicks == 0 || entry.PIDStartTicks == startTicks)
	})
}

func (s *snapshot) FindCgroup(id uint64) (*criwatch.Container, *capi.Failure) {
	return s.first(func(entry *criwatch.Container) bool { return id != 0 && entry.CgroupID == id })
}

func (s *snapshot) FindCgroupPath(path string) (*criwatch.Container, *capi.Failure) {
	return s.first(func(entry *criwatch.Container) bool {
		return entry.CgroupPath != "" && (path == entry.CgroupPath || strings.HasPrefix(path, entry.CgroupPath+"/"))
	})
}

func (s *snapshot) FindNamespace(kind uint32, inode uint64) (*criwatch.Container, uint, *capi.Failure) {
	var inside []*criwatch.Container
	for _, entry := range s.known() {
		if inode != 0 && entry.State == criwatch.StateRunning && namespace(entry, criwatch.NamespaceKind(kind)) == inode {
			inside = append(inside, entry)
		}
	}
	if len(inside) == 0 {
		return nil, 0, refused(criwatch.ErrNotFound, "nobody is known to be in namespace %d", inode)
	}
	// The sandbox comes first in its pod.
	return cloned(inside[0]), uint(len(inside)), nil
}

func namespace(entry *criwatch.Container, kind criwatch.NamespaceKind) uint64 {
	n := entry.Namespaces
	return map[criwatch.NamespaceKind]uint64{
		criwatch.NamespaceCgroup: n.Cgroup, criwatch.NamespaceIPC: n.IPC, criwatch.NamespaceMnt: n.Mnt,
		criwatch.NamespaceNet: n.Net, criwatch.NamespacePID: n.PID, criwatch.NamespaceUser: n.User,
		criwatch.NamespaceUTS: n.UTS,
	}[kind]
}

func (s *snapshot) FindPIDs(pids []int32, startTicks []uint64) ([]*criwatch.Container, []int32, *capi.Failure) {
	return each(pids, func(i int) (*criwatch.Container, *capi.Failure) { return s.FindPID(pids[i], startTicks[i]) })
}

func (s *snapshot) FindCgroups(ids []uint64) ([]*criwatch.Container, []int32, *capi.Failure) {
	return each(ids, func(i int) (*criwatch.Container, *capi.Failure) { return s.FindCgroup(ids[i]) })
}

func each[T any](
	keys []T, find func(int) (*criwatch.Container, *capi.Failure),
) ([]*criwatch.Container, []int32, *capi.Failure) {
	containers, statuses := make([]*criwatch.Container, len(keys)), make([]int32, len(keys))
	for i := range keys {
		container, failure := find(i)
		if failure != nil {
			statuses[i] = failure.Status
			continue
		}
		containers[i] = container
	}
	return containers, statuses, nil
}

// sortByPath sorts as the library does: by namespace, pod and name, a sandbox before the containers of its pod.
func sortByPath(entries []*criwatch.Container) {
	slices.SortStableFunc(entries, func(a, b *criwatch.Container) int { return slices.Compare(place(a), place(b)) })
}

func place(entry *criwatch.Container) []string {
	if entry.Pod == nil {
		return []string{"", "", "", entry.Name}
	}
	behindSandbox := "1"
	if entry.Kind == criwatch.KindSandbox {
		behindSandbox = "0"
	}
	return []string{entry.Pod.Namespace, entry.Pod.Name, behindSandbox, entry.Name}
}
