package main

import (
	"fmt"
	"strconv"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// details is how a container was made.
func details(c *criwatch.Container) string {
	return fmt.Sprintf("repository=%s tag=%s digest=%s log_path=%s command=%s args=%s working_dir=%s user=%s mounts=%s "+
		"resources=%s previous=%s", quoted(c.Image.Repository), quoted(c.Image.Tag), quoted(c.Image.Digest), quoted(c.LogPath),
		texts(c.Command), texts(c.Args), quoted(c.WorkingDir), user(c.User), listed(c.Mounts, mount),
		resources(c.Resources), previous(c.Previous))
}

// listed is `[A,B]`, with what show makes of each.
func listed[T any](all []T, show func(T) string) string {
	shown := make([]string, len(all))
	for i, one := range all {
		shown[i] = show(one)
	}
	return "[" + strings.Join(shown, ",") + "]"
}

func texts(texts []string) string { return listed(texts, quoted) }

func mount(m criwatch.Mount) string {
	return quoted(m.ContainerPath) + "=" + quoted(m.HostPath) + ":" + set(m.Flags)
}

func port(p criwatch.Port) string {
	return fmt.Sprintf("%s/%s:%d:%d/%s", quoted(p.Container), quoted(p.Name), p.ContainerPort, p.HostPort, quoted(p.Protocol))
}

func user(u *criwatch.User) string {
	if u == nil {
		return "-"
	}
	group := func(group int64) string { return strconv.FormatInt(group, 10) }
	return fmt.Sprintf("%d:%d:%s", u.UID, u.GID, listed(u.Groups, group))
}

func resources(r *criwatch.Resources) string {
	if r == nil {
		return "-"
	}
	oom := "-"
	if r.OOMScoreAdj != nil {
		oom = strconv.Itoa(int(*r.OOMScoreAdj))
	}
	return fmt.Sprintf("{shares=%d quota=%d period=%d cpus=%s mems=%s memory=%d swap=%d oom=%s}", r.CPUShares, r.CPUQuota,
		r.CPUPeriod, quoted(r.CpusetCPUs), quoted(r.CpusetMems), r.MemoryLimit, r.SwapLimit, oom)
}

func previous(p *criwatch.Previous) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprintf("{exit=%d reason=%s finished=%d}", p.ExitCode, quoted(p.Reason), nanos(p.FinishedAt))
}

func namespaces(n criwatch.Namespaces) string {
	if n == (criwatch.Namespaces{}) {
		return "-"
	}
	return fmt.Sprintf("{net=%d mnt=%d pid=%d ipc=%d uts=%d user=%d cgroup=%d}", n.Net, n.Mnt, n.PID, n.IPC, n.UTS, n.User,
		n.Cgroup)
}
