package criwatch

import (
	"encoding/json"
	"time"
)

// Namespaces are those of a container's first process: the inode numbers of /proc/PID/ns, 0 if unknown. The kernel
// reuses a number as soon as its namespace is gone.
type Namespaces struct {
	// Net is the network namespace.
	Net uint64 `json:"net,omitempty"`
	// Mnt is the mount namespace.
	Mnt uint64 `json:"mnt,omitempty"`
	// PID is the pid namespace.
	PID uint64 `json:"pid,omitempty"`
	// IPC is the IPC namespace.
	IPC uint64 `json:"ipc,omitempty"`
	// UTS is the namespace of the host name.
	UTS uint64 `json:"uts,omitempty"`
	// User is the user namespace.
	User uint64 `json:"user,omitempty"`
	// Cgroup is the cgroup namespace.
	Cgroup uint64 `json:"cgroup,omitempty"`
}

// User is the user of a container's first process.
type User struct {
	// UID is the user id, inside the container's user namespace.
	UID int64 `json:"uid"`
	// GID is the group id.
	GID int64 `json:"gid"`
	// Groups are the supplementary groups.
	Groups []int64 `json:"groups,omitempty"`
}

// Mount is a mount that the pod's author or the kubelet asked for.
type Mount struct {
	// ContainerPath is where it is inside the container.
	ContainerPath string
	// HostPath is the path on the host that is mounted; "" for an image volume.
	HostPath string
	// Flags say what is special about it. JSON shows MountFlagReadOnly as "readonly".
	Flags MountFlags
}

type mountJSON struct {
	ContainerPath string `json:"containerPath"`
	HostPath      string `json:"hostPath,omitempty"`
	ReadOnly      bool   `json:"readonly"`
}

// MarshalJSON gives the library's JSON of this mount.
func (m Mount) MarshalJSON() ([]byte, error) {
	return marshal(mountJSON{m.ContainerPath, m.HostPath, m.Flags&MountFlagReadOnly != 0})
}

// UnmarshalJSON reads a mount of the library's JSON.
func (m *Mount) UnmarshalJSON(data []byte) error {
	var fields mountJSON
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*m = Mount{ContainerPath: fields.ContainerPath, HostPath: fields.HostPath}
	if fields.ReadOnly {
		m.Flags = MountFlagReadOnly
	}
	return nil
}

// Resources are a container's limits. 0 and "" mean that there is none.
type Resources struct {
	// CPUShares is the CPU weight, in cgroup v1 shares: 1024 for one CPU.
	CPUShares int64 `json:"cpuShares,omitempty"`
	// CPUQuota is the CPU time in each period, in microseconds.
	CPUQuota int64 `json:"cpuQuota,omitempty"`
	// CPUPeriod is the period, in microseconds.
	CPUPeriod int64 `json:"cpuPeriod,omitempty"`
	// CpusetCPUs are the CPUs it may use, e.g. "0-3,7"; "" for all.
	CpusetCPUs string `json:"cpusetCpus,omitempty"`
	// CpusetMems are the memory nodes it may use; "" for all.
	CpusetMems string `json:"cpusetMems,omitempty"`
	// MemoryLimit is the memory limit, in bytes.
	MemoryLimit int64 `json:"memoryLimit,omitempty"`
	// SwapLimit is the limit of memory and swap together, in bytes.
	SwapLimit int64 `json:"swapLimit,omitempty"`
	// OOMScoreAdj is how readily the kernel kills it when memory is short: -1000 to 1000; nil: unknown.
	OOMScoreAdj *int32 `json:"oomScoreAdj,omitempty"`
}

// Previous is how the previous run ended: that of the last attempt with the same name in the same pod.
type Previous struct {
	// ExitCode is the exit code; -1: unknown.
	ExitCode int
	// Reason is how it ended, in one word, e.g. "OOMKilled".
	Reason string
	// FinishedAt is when it ended.
	FinishedAt time.Time
}

type previousJSON struct {
	ExitCode   *int   `json:"exitCode,omitempty"`
	Reason     string `json:"reason,omitempty"`
	FinishedAt *stamp `json:"finishedAt,omitempty"`
}

// MarshalJSON gives the library's JSON of the previous run.
func (p Previous) MarshalJSON() ([]byte, error) {
	fields := previousJSON{Reason: p.Reason, FinishedAt: stampOf(p.FinishedAt)}
	if p.ExitCode != -1 {
		fields.ExitCode = &p.ExitCode
	}
	return marshal(fields)
}

// UnmarshalJSON reads a previous run of the library's JSON.
func (p *Previous) UnmarshalJSON(data []byte) error {
	var fields previousJSON
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	*p = Previous{ExitCode: -1, Reason: fields.Reason, FinishedAt: fields.FinishedAt.time()}
	if fields.ExitCode != nil {
		p.ExitCode = *fields.ExitCode
	}
	return nil
}

// Port is a port that a container of a pod declares. Declaring opens nothing.
type Port struct {
	// Container is the container's name.
	Container string `json:"container"`
	// Name is the port's name; often "".
	Name string `json:"name,omitempty"`
	// ContainerPort is the port inside the pod.
	ContainerPort uint32 `json:"containerPort"`
	// HostPort is the port on the node; 0: none.
	HostPort uint32 `json:"hostPort,omitempty"`
	// Protocol is "TCP", "UDP" or "SCTP".
	Protocol string `json:"protocol"`
}

// fact turns two flags into true, false or nil.
func fact[F PodFlags | ContainerFlags](flags, is, isNot F) *bool {
	if flags&(is|isNot) == 0 {
		return nil
	}
	value := flags&is != 0
	return &value
}

// flag is the inverse of fact.
func flag[F PodFlags | ContainerFlags](fact *bool, is, isNot F) F {
	switch {
	case fact == nil:
		return 0
	case *fact:
		return is
	}
	return isNot
}
