package criwatch

import (
	"log/slog"
	"syscall"
)

// The attributes of records and errors have the keys of the library's JSON. Unknown values are left out.

// LogValue returns attributes of a container for log/slog: its identity and its state.
func (c *Container) LogValue() slog.Value {
	if c == nil {
		return slog.Value{}
	}
	attributes := []slog.Attr{
		slog.String("id", c.ID), slog.String("kind", c.Kind.String()), slog.String("name", c.Name),
	}
	if c.Pod != nil {
		attributes = append(attributes, slog.String("namespace", c.Pod.Namespace), slog.String("pod", c.Pod.Name))
	}
	attributes = append(attributes, slog.String("state", c.State.String()))
	if c.PID != 0 {
		attributes = append(attributes, slog.Int("pid", c.PID))
	}
	if c.ExitCode != -1 {
		attributes = append(attributes, slog.Int("exitCode", c.ExitCode))
	}
	return slog.GroupValue(withTexts(attributes, "reason", c.Reason, "image", c.Image.String())...)
}

// LogValue returns attributes of a pod for log/slog.
func (p *Pod) LogValue() slog.Value {
	if p == nil {
		return slog.Value{}
	}
	return slog.GroupValue(slog.String("id", p.ID), slog.String("namespace", p.Namespace), slog.String("name", p.Name),
		slog.String("uid", p.UID), slog.String("state", p.State.String()))
}

// LogValue returns attributes of an event for log/slog, including those of its container.
func (e *Event) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	attributes := []slog.Attr{slog.String("type", e.Type.String()), slog.Time("time", e.Time)}
	attributes = withTexts(attributes, "flags", e.Flags.String(), "changed", e.Changed.String())
	switch {
	case e.Container != nil:
		attributes = append(attributes, slog.Any("container", e.Container))
	case e.Type == EventState:
		attributes = append(attributes, slog.String("state", e.State.String()))
	case e.Type == EventOverflow:
		attributes = append(attributes, slog.Uint64("lost", e.Lost))
	}
	return slog.GroupValue(withTexts(attributes, "message", e.Message)...)
}

// LogValue returns attributes of an error for log/slog.
func (e *Error) LogValue() slog.Value {
	if e == nil {
		return slog.Value{}
	}
	attributes := []slog.Attr{slog.String("op", e.Op), slog.String("status", e.Status.String())}
	attributes = withTexts(attributes, "message", e.Message)
	if e.GRPCCode != -1 {
		attributes = append(attributes, slog.Int("grpcCode", e.GRPCCode))
	}
	if e.Errno != syscall.Errno(0) {
		attributes = append(attributes, slog.String("errno", e.Errno.Error()))
	}
	return slog.GroupValue(append(attributes, slog.Bool("retriable", e.Retriable))...)
}

// withTexts adds keys and texts, without those whose text is empty.
func withTexts(attributes []slog.Attr, keysAndTexts ...string) []slog.Attr {
	for i := 0; i < len(keysAndTexts); i += 2 {
		if keysAndTexts[i+1] != "" {
			attributes = append(attributes, slog.String(keysAndTexts[i], keysAndTexts[i+1]))
		}
	}
	return attributes
}
