//go:build linux

package capi

// #include <criwatch.h>
import "C"

import (
	"math"
	"unsafe"
)

// User is a copy of cri_user.
type User struct {
	UID, GID int64
	Groups   []int64
}

// Mount is a copy of cri_mount.
type Mount struct {
	ContainerPath, HostPath string
	Flags                   uint32
}

// Resources is a copy of cri_resources.
type Resources struct {
	CPUShares   int64
	CPUQuota    int64
	CPUPeriod   int64
	CpusetCPUs  string
	CpusetMems  string
	MemoryLimit int64
	SwapLimit   int64
	OOMScoreAdj *int32
}

// Previous is a copy of cri_previous.
type Previous struct {
	ExitCode int32
	Reason   string
	Finished int64
}

// Namespaces is a copy of cri_namespaces.
type Namespaces struct{ Net, Mnt, PID, IPC, UTS, User, Cgroup uint64 }

// Port is a copy of cri_port.
type Port struct {
	Container     string
	Name          string
	ContainerPort uint32
	HostPort      uint32
	Protocol      string
}

// Command and Args are the words of the command line; nil for none.
func (v ContainerView) Command() []string { return texts(v.c.command, v.c.command_len) }

// Args are the arguments; nil for none.
func (v ContainerView) Args() []string { return texts(v.c.args, v.c.args_len) }

// User is the user of the first process, if it is known.
func (v ContainerView) User() (User, bool) {
	user := v.c.user
	if user == nil {
		return User{}, false
	}
	var groups []int64
	for _, group := range unsafe.Slice(user.groups, int(user.groups_len)) {
		groups = append(groups, int64(group))
	}
	return User{UID: int64(user.uid), GID: int64(user.gid), Groups: groups}, true
}

// Mounts are what is mounted.
func (v ContainerView) Mounts() []Mount {
	mounts := make([]Mount, int(v.c.mounts_len))
	for i, mount := range unsafe.Slice(v.c.mounts, int(v.c.mounts_len)) {
		mounts[i] = Mount{C.GoString(mount.container_path), C.GoString(mount.host_path), uint32(mount.flags)}
	}
	return mounts
}

// Resources are the limits, if they are known.
func (v ContainerView) Resources() (Resources, bool) {
	limits := v.c.resources
	if limits == nil {
		return Resources{}, false
	}
	resources := Resources{
		CPUShares:   int64(limits.cpu_shares),
		CPUQuota:    int64(limits.cpu_quota),
		CPUPeriod:   int64(limits.cpu_period),
		CpusetCPUs:  C.GoString(limits.cpuset_cpus),
		CpusetMems:  C.GoString(limits.cpuset_mems),
		MemoryLimit: int64(limits.memory_limit),
		SwapLimit:   int64(limits.swap_limit),
	}
	if score := int32(limits.oom_score_adj); score != math.MinInt32 {
		resources.OOMScoreAdj = &score
	}
	return resources, true
}

// Previous is how the previous run ended, if that is known.
func (v ContainerView) Previous() (Previous, bool) {
	previous := v.c.previous
	if previous == nil {
		return Previous{}, false
	}
	return Previous{int32(previous.exit_code), C.GoString(previous.reason), int64(previous.finished_unix_nano)}, true
}

// Namespaces are those of the first process; 0 where unknown.
func (v ContainerView) Namespaces() Namespaces {
	n := v.c.namespaces
	if n == nil {
		return Namespaces{}
	}
	return Namespaces{
		Net: uint64(n.net), Mnt: uint64(n.mnt), PID: uint64(n.pid), IPC: uint64(n.ipc), UTS: uint64(n.uts),
		User: uint64(n.user), Cgroup: uint64(n.cgroup),
	}
}

// Ports are those that the pod's containers declare.
func (v PodView) Ports() []Port {
	ports := make([]Port, int(v.c.ports_len))
	for i, port := range unsafe.Slice(v.c.ports, int(v.c.ports_len)) {
		ports[i] = Port{
			Container: C.GoString(port.container), Name: C.GoString(port.name), Protocol: C.GoString(port.protocol),
			ContainerPort: uint32(port.container_port), HostPort: uint32(port.host_port),
		}
	}
	return ports
}

// texts copies an array of strings; nil for none.
func texts(array **C.char, length C.size_t) []string {
	if length == 0 {
		return nil
	}
	copied := make([]string, int(length))
	for i, text := range unsafe.Slice(array, int(length)) {
		copied[i] = C.GoString(text)
	}
	return copied
}
