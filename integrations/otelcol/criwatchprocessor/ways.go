package criwatchprocessor

import (
	"context"
	"net"
	"regexp"
	"strconv"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A whole id, or what engines and SDKs shorten it to. Anything else might be taken for a name.
var containerID = regexp.MustCompile(`^[0-9a-f]{12,64}$`)

// by tries one association.
func (f *finder) by(ctx context.Context, way string, resource pcommon.Map) (match, bool) {
	switch way {
	case byContainerID:
		return f.byContainerID(text(resource, "container.id"))
	case byProcess:
		return f.byProcess(resource)
	case byPID:
		return f.byPID(resource)
	case byCgroup:
		return f.byCgroup(text(resource, "process.linux.cgroup"))
	case byPodUID:
		return f.byPodUID(text(resource, "k8s.pod.uid"), text(resource, "k8s.container.name"))
	case byPodIP:
		return f.byAddress(text(resource, "k8s.pod.ip"))
	case byConnection:
		return f.byAddress(peer(ctx))
	}
	return match{}, false
}

func (f *finder) byContainerID(id string) (match, bool) {
	// Kubernetes writes containerd://ID.
	if _, rest, is := strings.Cut(id, "://"); is {
		id = rest
	}
	if !containerID.MatchString(id) {
		return match{}, false
	}
	return f.remembered(byContainerID, id, func() (match, bool) { return f.container(f.snapshot.Find(id)) })
}

// byProcess takes a pid only with the time at which its process began: the kernel gives a pid to another process later, and a
// process in a container knows the pid of its own namespace.
func (f *finder) byProcess(resource pcommon.Map) (match, bool) {
	pid, is := pidOf(resource)
	created := text(resource, "process.creation.time")
	if !is || created == "" {
		return match{}, false
	}
	ticks, is := startTicks(f.config.HostRoot, pid, created)
	if !is {
		return match{}, false
	}
	return f.container(f.snapshot.FindPID(pid, ticks))
}

func (f *finder) byPID(resource pcommon.Map) (match, bool) {
	pid, is := pidOf(resource)
	if !is {
		return match{}, false
	}
	return f.container(f.snapshot.FindPID(pid, 0))
}

func (f *finder) byCgroup(path string) (match, bool) {
	if path == "" {
		return match{}, false
	}
	return f.container(f.snapshot.FindCgroupPath(path))
}

// byPodUID finds the container by its name in the pod; without a name, the pod alone.
func (f *finder) byPodUID(uid, name string) (match, bool) {
	if uid == "" {
		return match{}, false
	}
	return f.remembered(byPodUID, uid+"/"+name, func() (match, bool) {
		selection, err := f.snapshot.Select(&criwatch.Query{UID: uid, All: true, Gone: true})
		if err != nil {
			return match{}, false
		}
		defer selection.Close()
		containers, err := selection.Containers()
		if err != nil || len(containers) == 0 {
			return match{}, false
		}
		if newest := newestOf(containers, name); newest != nil {
			return f.container(newest, nil)
		}
		return f.pod(containers[0], nil)
	})
}

// newestOf is the last attempt at a container: what is sent now is more likely its than an earlier one's.
func newestOf(containers []*criwatch.Container, name string) (newest *criwatch.Container) {
	if name == "" {
		return nil
	}
	for _, one := range containers {
		if one.Kind == criwatch.KindContainer && one.Name == name && (newest == nil || one.Attempt >= newest.Attempt) {
			newest = one
		}
	}
	return newest
}

func (f *finder) byAddress(address string) (match, bool) {
	id := f.addresses()[address]
	if address == "" || id == "" {
		return match{}, false
	}
	return f.remembered(byPodIP, address, func() (match, bool) { return f.pod(f.snapshot.Find(id)) })
}

// peer is the address of who sent this.
func peer(ctx context.Context) string {
	switch address := client.FromContext(ctx).Addr.(type) {
	case *net.TCPAddr:
		return address.IP.String()
	case *net.UDPAddr:
		return address.IP.String()
	case *net.IPAddr:
		return address.IP.String()
	}
	return ""
}

func pidOf(resource pcommon.Map) (int, bool) {
	value, is := resource.Get("process.pid")
	if !is {
		return 0, false
	}
	pid, err := strconv.Atoi(value.AsString())
	return pid, err == nil && pid > 0
}

func text(resource pcommon.Map, key string) string {
	if value, is := resource.Get(key); is {
		return value.AsString()
	}
	return ""
}
