//go:build !linux || !cgo

package capi

import "errors"

// Without the library there is no version of it.
const (
	ABIVersion    = 0
	VersionMajor  = 0
	VersionMinor  = 0
	VersionPatch  = 0
	VersionNumber = 0
)

// What to do about it. Every constructor answers this.
const absent = "this program was built without libcriwatch, which needs Linux and cgo: build it there with CGO_ENABLED=1, " +
	"a C compiler, and a libcriwatch that pkg-config finds"

// CRI_E_UNSUPPORTED
const unsupportedStatus = -9

func unsupported() *Failure {
	return &Failure{Status: unsupportedStatus, Message: absent, GRPCCode: -1}
}

// Watcher, Snapshot, Queue, Finder and the views exist as types only: nobody can get one.
type (
	Watcher       struct{}
	Snapshot      struct{}
	Queue         struct{}
	Finder        struct{}
	EventView     struct{}
	ContainerView struct{}
	PodView       struct{}
)

// The rest answers as documented for the other build.

func LoadedABIVersion() uint32    { return 0 }
func LoadedVersionNumber() uint32 { return 0 }
func LoadedVersion() string       { return "" }
func StatusName(int32) string     { return "CRI_E_UNKNOWN_STATUS" }
func Readable(int) bool           { return false }

func DescribeOptions() ([]byte, *Failure)             { return nil, unsupported() }
func NewWatcher(string, []Option) (Watcher, *Failure) { return Watcher{}, unsupported() }
func Discover([]Option, int64) ([]byte, *Failure)     { return nil, unsupported() }
func NewFinder([]Option) (Finder, *Failure)           { return Finder{}, unsupported() }

func (Watcher) Start() *Failure                                  { return unsupported() }
func (Watcher) WaitReady(int64) *Failure                         { return unsupported() }
func (Watcher) Resync(int64) *Failure                            { return unsupported() }
func (Watcher) State() uint32                                    { return 0 }
func (Watcher) Generation() uint64                               { return 0 }
func (Watcher) Stop() *Failure                                   { return unsupported() }
func (Watcher) Free()                                            {}
func (Watcher) List(string) ([]byte, *Failure)                   { return nil, unsupported() }
func (Watcher) Pods(string) ([]byte, *Failure)                   { return nil, unsupported() }
func (Watcher) Get(string) ([]byte, *Failure)                    { return nil, unsupported() }
func (Watcher) EngineInfo() ([]byte, *Failure)                   { return nil, unsupported() }
func (Watcher) Stats() ([]byte, *Failure)                        { return nil, unsupported() }
func (Watcher) Metrics() ([]byte, *Failure)                      { return nil, unsupported() }
func (Watcher) Inspect(string, uint32, int64) ([]byte, *Failure) { return nil, unsupported() }
func (Watcher) Call(string, string, int64) ([]byte, *Failure)    { return nil, unsupported() }
func (Watcher) Attach(string, []byte) *Failure                   { return unsupported() }
func (Watcher) Snapshot() (Snapshot, *Failure)                   { return Snapshot{}, unsupported() }
func (Watcher) NewQueue(uint32, uint32, uint) (Queue, *Failure)  { return Queue{}, unsupported() }
func (Snapshot) Select(string) (Snapshot, *Failure)              { return Snapshot{}, unsupported() }
func (Snapshot) Generation() uint64                              { return 0 }
func (Snapshot) Containers() ([]ContainerView, *Failure)         { return nil, unsupported() }
func (Snapshot) Pods() ([]PodView, *Failure)                     { return nil, unsupported() }
func (Snapshot) Find(string) (ContainerView, *Failure)           { return ContainerView{}, unsupported() }
func (Snapshot) FindPID(int32, uint64) (ContainerView, *Failure) {
	return ContainerView{}, unsupported()
}
func (Snapshot) FindCgroup(uint64) (ContainerView, *Failure) { return ContainerView{}, unsupported() }
func (Snapshot) FindCgroupPath(string) (ContainerView, *Failure) {
	return ContainerView{}, unsupported()
}
func (Snapshot) FindNamespace(uint32, uint64) (ContainerView, uint, *Failure) {
	return ContainerView{}, 0, unsupported()
}
func (Snapshot) FindPIDs([]int32, []uint64) ([]ContainerView, []int32, *Failure) {
	return nil, nil, unsupported()
}
func (Snapshot) FindCgroups([]uint64) ([]ContainerView, []int32, *Failure) {
	return nil, nil, unsupported()
}
func (Watcher) LookupPID(int32, uint64, int64) (ContainerView, *Failure) {
	return ContainerView{}, unsupported()
}
func (Watcher) LookupCgroup(uint64, int64) (ContainerView, *Failure) {
	return ContainerView{}, unsupported()
}
func (Watcher) Find(string) (ContainerView, *Failure) { return ContainerView{}, unsupported() }
func (ContainerView) Attributes(string) (map[string]string, *Failure) {
	return nil, unsupported()
}
func (ContainerView) Unref()                 {}
func (Snapshot) Free()                       {}
func (Queue) DupFD() (uintptr, error)        { return 0, errors.New(absent) }
func (Queue) TryNext() (EventView, *Failure) { return EventView{}, unsupported() }
func (Queue) Free()                          {}
func (EventView) JSON() ([]byte, *Failure)   { return nil, unsupported() }
func (EventView) Free()                      {}
func (Finder) DupFD() (uintptr, error)       { return 0, errors.New(absent) }
func (Finder) TryNext() ([]byte, *Failure)   { return nil, unsupported() }
func (Finder) Free()                         {}
