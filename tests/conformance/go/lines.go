package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// lastLine is the end of every answer.
func lastLine(said string, err error) string {
	var failure *criwatch.Error
	var status criwatch.Status
	switch {
	case err == nil && said == "":
		return "ok"
	case err == nil:
		return "ok " + said
	case errors.Is(err, unsupported):
		return "unsupported"
	case errors.As(err, &status) && status > 0:
		return strings.TrimPrefix(status.String(), "CRI_")
	case errors.As(err, &failure):
		retriable := 0
		if failure.Retriable {
			retriable = 1
		}
		return fmt.Sprintf("%s grpc=%d os=%d retriable=%d %s",
			failure.Status, failure.GRPCCode, int(failure.Errno), retriable, quoted(failure.Message))
	default:
		return "unexpected " + quoted(err.Error())
	}
}

func (p *programme) line(format string, arguments ...any) {
	fmt.Fprintf(p.out, format+"\n", arguments...)
}

func (p *programme) json(text []byte, err error) (string, error) {
	if err == nil {
		p.line("  %s", text)
	}
	return "", err
}

func (p *programme) event(e *criwatch.Event) {
	seq := "grows"
	if e.Seq <= p.seq {
		seq = fmt.Sprintf("%d after %d", e.Seq, p.seq)
	}
	p.seq = e.Seq
	p.line("  event type=%s flags=%s changed=%s lost=%d state=%s level=%d time=%s seq=%s message=%s",
		e.Type, set(e.Flags), set(e.Changed), e.Lost, e.State,
		uint32(e.Level), yes(!e.Time.IsZero()), seq, quoted(e.Message))
	if e.Container != nil {
		p.container(e.Container)
		if e.Container.Pod != nil {
			p.pod(e.Container.Pod)
		}
	}
}

func (p *programme) container(c *criwatch.Container) {
	pod := "-"
	if c.Pod != nil {
		pod = quoted(c.Pod.ID)
	}
	p.line("  container kind=%s state=%s flags=%s attempt=%d id=%s name=%s pod=%s pid=%d ticks=%s exit=%d missing=%s "+
		"image=%s image_ref=%s image_id=%s reason=%s message=%s cgroup=%s created=%d started=%d finished=%d "+
		"labels=%s annotations=%s rucksack=%s engine_pid=%d cgroup_id=%d namespaces=%s %s",
		c.Kind, c.State, set(c.Flags), c.Attempt, quoted(c.ID), quoted(c.Name), pod, c.PID, yes(c.PIDStartTicks != 0),
		c.ExitCode, set(c.Missing), quoted(c.Image.Name), quoted(c.Image.Ref), quoted(c.Image.ID),
		quoted(c.Reason), quoted(c.Message), quoted(c.CgroupPath), nanos(c.CreatedAt), nanos(c.StartedAt),
		nanos(c.FinishedAt), labels(c.Labels), labels(c.Annotations), quoted(string(c.Rucksack)),
		c.EnginePID, c.CgroupID, namespaces(c.Namespaces), details(c))
}

func (p *programme) pod(pod *criwatch.Pod) {
	p.line("  pod id=%s name=%s namespace=%s uid=%s attempt=%d state=%s flags=%s ips=%s labels=%s annotations=%s cgroup=%s "+
		"created=%d handler=%s net=%d ports=%s",
		quoted(pod.ID), quoted(pod.Name), quoted(pod.Namespace), quoted(pod.UID), pod.Attempt,
		pod.State, set(pod.Flags), texts(pod.IPs), labels(pod.Labels),
		labels(pod.Annotations), quoted(pod.CgroupPath), nanos(pod.CreatedAt), quoted(pod.RuntimeHandler), pod.NetNamespace,
		listed(pod.Ports, port))
}

// set shows the library's words joined by commas; "-" for the empty set.
func set(members fmt.Stringer) string {
	if members.String() == "" {
		return "-"
	}
	return strings.ReplaceAll(members.String(), "|", ",")
}

func quoted(text string) string {
	var quoted strings.Builder
	quoted.WriteByte('"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			quoted.WriteByte('\\')
			quoted.WriteByte(c)
		case c < 0x20:
			fmt.Fprintf(&quoted, `\x%02x`, c)
		default:
			quoted.WriteByte(c)
		}
	}
	quoted.WriteByte('"')
	return quoted.String()
}

// labels are in the order of their keys, as a record's are.
func labels(labels map[string]string) string {
	pairs := make([]string, 0, len(labels))
	keys := make([]string, 0, len(labels))
	for key := range labels {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		pairs = append(pairs, quoted(key)+"="+quoted(labels[key]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
