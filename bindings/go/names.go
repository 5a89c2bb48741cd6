package criwatch

import (
	"encoding/json"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Unrecognized is the value for a name in the library's JSON that this binding is too old to know, where it stands for
// an EventType, a Kind, a State, a PodState, a WatcherState or a LogLevel.
const Unrecognized = math.MaxUint32

// words are the names of numbers in the library's JSON: the name of n is words[n].
type words []string

var (
	eventTypeWords = words{1: "started", "exited", "updated", "state", "replayBegin", "replayEnd", "overflow",
		"created", "removed", "log"}
	kindWords         = words{1: "container", "sandbox"}
	stateWords        = words{"unknown", "created", "running", "exited"}
	podStateWords     = words{"unknown", "ready", "notReady"}
	watcherStateWords = words{"new", "connecting", "syncing", "watching", "polling", "backoff", "stopped"}
	logLevelWords     = words{1: "error", "warn", "info", "debug"}
	engineNewsWords   = words{1: "found", "changed", "lost"}
	namespaceWords    = words{1: "cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}

	// In these sets, the name of the bit 1<<n is words[n].
	eventFlagWords = words{"synthetic", "initial", "reappeared", "neverStarted", "provisional", "witnessed", "confirmed"}
	missingWords   = words{"pid", "pod", "startedAt", "exitCode"}
	changedWords   = words{"pid", "pod", "startedAt", "exit", "state", "labels", "rucksack", "image", "details"}
	podFlagWords   = words{"hostNetwork", "ownNetwork", "hostPid", "ownPid", "hostIpc", "ownIpc", "static", "notStatic"}
	// The last words are those that JSON shows as keys of their own.
	containerFlagWords = words{"textRepaired", "labelsCut", "unreadable", "privileged", "unprivileged"}
	mountFlagWords     = words{"readOnly"}
)

func (w words) of(number uint32) string {
	if int64(number) < int64(len(w)) && w[number] != "" {
		return w[number]
	}
	return strconv.FormatUint(uint64(number), 10)
}

func (w words) number(word []byte) uint32 {
	for number, known := range w {
		if known != "" && known == string(word) {
			return uint32(number)
		}
	}
	return Unrecognized
}

func (w words) list(set uint64) []string {
	list := []string{}
	for ; set != 0; set &= set - 1 {
		if bit := bits.TrailingZeros64(set); bit < len(w) {
			list = append(list, w[bit])
		} else {
			list = append(list, strconv.FormatUint(1<<bit, 10))
		}
	}
	return list
}

// set reads a list of names. Unknown names are ignored.
func (w words) set(data []byte) (set uint64, err error) {
	var list []string
	if err := json.Unmarshal(data, &list); err != nil {
		return 0, err
	}
	for _, word := range list {
		if bit := w.number([]byte(word)); bit != Unrecognized {
			set |= 1 << bit
		}
	}
	return set, nil
}

// String is the type's name in the library's JSON; its number if this binding does not know it.
func (t EventType) String() string { return eventTypeWords.of(uint32(t)) }

// MarshalText gives what String does.
func (t EventType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the type's name in the library's JSON.
func (t *EventType) UnmarshalText(word []byte) error {
	*t = EventType(eventTypeWords.number(word))
	return nil
}

// String is the kind's name in the library's JSON; its number if this binding does not know it.
func (k Kind) String() string { return kindWords.of(uint32(k)) }

// MarshalText gives what String does.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's name in the library's JSON.
func (k *Kind) UnmarshalText(word []byte) error {
	*k = Kind(kindWords.number(word))
	return nil
}

// String is the state's name in the library's JSON; its number if this binding does not know it.
func (s State) String() string { return stateWords.of(uint32(s)) }

// MarshalText gives what String does.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's name in the library's JSON.
func (s *State) UnmarshalText(word []byte) error {
	*s = State(stateWords.number(word))
	return nil
}

// String is the state's name in the library's JSON; its number if this binding does not know it.
func (s PodState) String() string { return podStateWords.of(uint32(s)) }

// MarshalText gives what String does.
func (s PodState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's name in the library's JSON.
func (s *PodState) UnmarshalText(word []byte) error {
	*s = PodState(podStateWords.number(word))
	return nil
}

// String is the state's name in the library's JSON; its number if this binding does not know it.
func (s WatcherState) String() string { return watcherStateWords.of(uint32(s)) }

// MarshalText gives what String does.
func (s WatcherState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's name in the library's JSON.
func (s *WatcherState) UnmarshalText(word []byte) error {
	*s = WatcherState(watcherStateWords.number(word))
	return nil
}

// String is the type's word in the library's JSON; its number if this binding does not know it.
func (t EngineNewsType) String() string { return engineNewsWords.of(uint32(t)) }

// MarshalText gives what String does.
func (t EngineNewsType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the type's word in the library's JSON.
func (t *EngineNewsType) UnmarshalText(word []byte) error {
	*t = EngineNewsType(engineNewsWords.number(word))
	return nil
}

// String is the level's word in the library's JSON; its number if this binding does not know it.
func (l LogLevel) String() string { return logLevelWords.of(uint32(l)) }

// MarshalText gives what String does.
func (l LogLevel) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the level's name in the library's JSON.
func (l *LogLevel) UnmarshalText(word []byte) error {
	*l = LogLevel(logLevelWords.number(word))
	return nil
}

// String is the kind's name in /proc/PID/ns; its number if this binding does not know it.
func (k NamespaceKind) String() string { return namespaceWords.of(uint32(k)) }

// String joins the names of the library's JSON with "|".
func (f EventFlags) String() string { return strings.Join(eventFlagWords.list(uint64(f)), "|") }

// MarshalJSON gives a list of names.
func (f EventFlags) MarshalJSON() ([]byte, error) {
	return json.Marshal(eventFlagWords.list(uint64(f)))
}

// UnmarshalJSON reads a list of names.
func (f *EventFlags) UnmarshalJSON(data []byte) error {
	set, err := eventFlagWords.set(data)
	*f = EventFlags(set)
	return err
}

// String joins the flags' words with "|".
func (f PodFlags) String() string { return strings.Join(podFlagWords.list(uint64(f)), "|") }

// String joins the flags' words with "|".
func (f MountFlags) String() string { return strings.Join(mountFlagWords.list(uint64(f)), "|") }

// String joins the flags' words with "|".
func (f ContainerFlags) String() string { return strings.Join(containerFlagWords.list(uint64(f)), "|") }

// MarshalJSON gives a list of words.
func (f ContainerFlags) MarshalJSON() ([]byte, error) {
	return json.Marshal(containerFlagWords.list(uint64(f)))
}

// UnmarshalJSON reads a list of words.
func (f *ContainerFlags) UnmarshalJSON(data []byte) error {
	set, err := containerFlagWords.set(data)
	*f = ContainerFlags(set)
	return err
}

// String joins the words of the library's JSON with "|".
func (m Missing) String() string { return strings.Join(missingWords.list(uint64(m)), "|") }

// MarshalJSON gives a list of names.
func (m Missing) MarshalJSON() ([]byte, error) { return json.Marshal(missingWords.list(uint64(m))) }

// UnmarshalJSON reads a list of names.
func (m *Missing) UnmarshalJSON(data []byte) error {
	set, err := missingWords.set(data)
	*m = Missing(set)
	return err
}

// String joins the names of the library's JSON with "|".
func (c Changed) String() string { return strings.Join(changedWords.list(uint64(c)), "|") }

// MarshalJSON gives a list of names.
func (c Changed) MarshalJSON() ([]byte, error) { return json.Marshal(changedWords.list(uint64(c))) }

// UnmarshalJSON reads a list of names.
func (c *Changed) UnmarshalJSON(data []byte) error {
	set, err := changedWords.set(data)
	*c = Changed(set)
	return err
}
