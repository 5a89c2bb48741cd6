//go:build !linux || !cgo

package capi

// Without the library there is no version of it.
const (
	ABIVersion    = 0
	VersionMajor  = 0
	VersionMinor  = 0
	VersionPatch  = 0
	VersionNumber = 0
)

// The rest answers as documented for the other build.

func LoadedABIVersion() uint32    { return 0 }
func LoadedVersionNumber() uint32 { return 0 }
func LoadedVersion() string       { return "" }
func StatusName(int32) string     { return "CRI_E_UNKNOWN_STATUS" }
