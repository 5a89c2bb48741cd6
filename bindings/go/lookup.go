package criwatch

import (
	"context"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Process is a process to look up.
type Process struct {
	// PID is the pid, of any process or thread.
	PID int
	// StartTicks is when it began, in clock ticks since boot (field 22 of /proc/PID/stat). A process that began at another
	// time is then not found. 0 means the process that has the pid now.
	StartTicks uint64
}

// Found is the result of one lookup of a batch.
type Found struct {
	// Container is the container or sandbox; nil unless Status is OK. Equal ones share it.
	Container *Container
	// Status is the status of the single lookup.
	Status Status
}

// FindPID finds the container to which a process or thread belongs: by the pid and, unless it is 0, its start time in
// clock ticks since boot. For a process of a pod that is in no container, it returns the pod's sandbox. Errors: ErrNone
// if it is proven to belong to the host, that is to no container of this engine (where that cannot be proven, the error
// is ErrUnsupported, ErrPermission or ErrOS); ErrAgain if it is in a container that this snapshot does not have, see
// [Watcher.LookupPID]; ErrNotFound if there is no such process. docs/lookups.md says which key to use when.
func (s *Snapshot) FindPID(pid int, startTicks uint64) (*Container, error) {
	return s.findBy("find pid", func(c snapshotBackend) (*Container, *capi.Failure) {
		return c.FindPID(pid32(pid), startTicks)
	})
}

// FindCgroup finds the container to which a cgroup belongs, by its id in cgroup v2, as eBPF programs see it. It also
// finds one that has ended and is still remembered. Errors: as for FindPID.
func (s *Snapshot) FindCgroup(id uint64) (*Container, error) {
	return s.findBy("find cgroup", func(c snapshotBackend) (*Container, *capi.Failure) { return c.FindCgroup(id) })
}

// FindCgroupPath finds the container to which a cgroup belongs, by its path, as /proc/PID/cgroup or the cgroup file
// system shows it. Errors: as for FindPID.
func (s *Snapshot) FindCgroupPath(path string) (*Container, error) {
	return s.findBy("find cgroup path", func(c snapshotBackend) (*Container, *capi.Failure) {
		return c.FindCgroupPath(path)
	})
}

// FindNamespace finds the running container, or the sandbox of the pod, to which a namespace belongs, by the number in
// the link /proc/PID/ns/KIND; and how many containers and sandboxes share it. Errors: ErrNone if it is the host's own;
// ErrNotFound if no container is known to be in it.
func (s *Snapshot) FindNamespace(kind NamespaceKind, inode uint64) (container *Container, sharing int, err error) {
	container, err = s.findBy("find namespace", func(c snapshotBackend) (*Container, *capi.Failure) {
		found, number, failure := c.FindNamespace(uint32(kind), inode)
		sharing = int(number)
		return found, failure
	})
	return container, sharing, err
}

// FindPIDs is FindPID for many processes, with one call into C. The results are in the same order. The error is never
// that of a single lookup.
func (s *Snapshot) FindPIDs(processes []Process) ([]Found, error) {
	pids, startTicks := make([]int32, len(processes)), make([]uint64, len(processes))
	for i, process := range processes {
		pids[i], startTicks[i] = pid32(process.PID), process.StartTicks
	}
	return s.findMany("find pids", func(c snapshotBackend) ([]*Container, []int32, *capi.Failure) {
		return c.FindPIDs(pids, startTicks)
	})
}

// FindCgroups is FindCgroup for many ids, with one call into C. The results are in the same order. The error is never
// that of a single lookup.
func (s *Snapshot) FindCgroups(ids []uint64) ([]Found, error) {
	return s.findMany("find cgroups", func(c snapshotBackend) ([]*Container, []int32, *capi.Failure) {
		return c.FindCgroups(ids)
	})
}

// LookupPID is [Snapshot.FindPID] in the newest snapshot. If that returns ErrAgain, LookupPID waits, as long as the
// context allows, until the engine reports the container, and finds it even if the process has ended meanwhile. Give
// the context a deadline, because a container of another engine never comes. After the deadline, the error is both
// ErrAgain and context.DeadlineExceeded.
func (w *Watcher) LookupPID(ctx context.Context, pid int, startTicks uint64) (*Container, error) {
	return w.lookup(ctx, "lookup pid", func(c watcherBackend, timeoutMS int64) (*Container, *capi.Failure) {
		return c.LookupPID(pid32(pid), startTicks, timeoutMS)
	})
}

// LookupCgroup is [Snapshot.FindCgroup] in the newest snapshot, and waits as LookupPID does.
func (w *Watcher) LookupCgroup(ctx context.Context, id uint64) (*Container, error) {
	return w.lookup(ctx, "lookup cgroup", func(c watcherBackend, timeoutMS int64) (*Container, *capi.Failure) {
		return c.LookupCgroup(id, timeoutMS)
	})
}

func (w *Watcher) lookup(
	ctx context.Context, op string, call func(watcherBackend, int64) (*Container, *capi.Failure),
) (*Container, error) {
	if w == nil {
		return nil, closed(op, "the watcher", true)
	}
	return await(ctx, op, w.lookups, func(timeoutMS int64) (*Container, error) {
		return w.owned(op, func(c watcherBackend) (*Container, *capi.Failure) {
			found, failure := call(c, timeoutMS)
			return found, inWords(failure)
		})
	})
}

// owned is the record that a call of the watcher finds.
func (w *Watcher) owned(op string, call func(watcherBackend) (*Container, *capi.Failure)) (*Container, error) {
	var container *Container
	err := w.do(op, func(c watcherBackend) (failure *capi.Failure) {
		container, failure = call(c)
		return failure
	})
	return container, err
}

// findBy is the record that a call of the snapshot finds.
func (s *Snapshot) findBy(op string, call func(snapshotBackend) (*Container, *capi.Failure)) (*Container, error) {
	var container *Container
	err := s.do(op, func(c snapshotBackend) (failure *capi.Failure) {
		container, failure = call(c)
		return inWords(failure)
	})
	return container, err
}

// inWords gives a note of the library its meaning for a lookup, because the library has no messages for notes.
func inWords(failure *capi.Failure) *capi.Failure {
	if failure != nil && failure.Message == "" {
		switch Status(failure.Status) {
		case ErrNone:
			failure.Message = "it belongs to the host: to no container of this engine"
		case ErrAgain:
			failure.Message = "it is in a container or pod that this engine does not have, or not yet; another engine may have it"
		}
	}
	return failure
}

func (s *Snapshot) findMany(
	op string, call func(snapshotBackend) ([]*Container, []int32, *capi.Failure),
) ([]Found, error) {
	var found []Found
	err := s.do(op, func(c snapshotBackend) *capi.Failure {
		containers, statuses, failure := call(c)
		if failure != nil {
			return failure
		}
		found = make([]Found, len(containers))
		for i, container := range containers {
			found[i] = Found{Container: container, Status: Status(statuses[i])}
		}
		return nil
	})
	return found, err
}

// pid32 converts a pid for C. A number that cannot be a pid becomes -1, which no process has.
func pid32(pid int) int32 {
	if pid != int(int32(pid)) {
		return -1
	}
	return int32(pid)
}
