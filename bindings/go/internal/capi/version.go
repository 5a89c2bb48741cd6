//go:build linux

package capi

/*
#include <criwatch.h>

#if CRI_ABI_VERSION != 1
#error "criwatch.h is of another ABI version than this Go binding: install the header and the binding of one release"
#endif
*/
import "C"

// What the program is compiled against.
const (
	ABIVersion    = C.CRI_ABI_VERSION
	VersionMajor  = C.CRI_VERSION_MAJOR
	VersionMinor  = C.CRI_VERSION_MINOR
	VersionPatch  = C.CRI_VERSION_PATCH
	VersionNumber = C.CRI_VERSION_NUMBER
)

// The compiler has seen a header; which library the loader found is only known now.
func init() {
	if err := CheckABI(LoadedABIVersion()); err != nil {
		panic(err)
	}
}

// LoadedABIVersion is cri_abi_version.
func LoadedABIVersion() uint32 { return uint32(C.cri_abi_version()) }

// LoadedVersionNumber is cri_version_number.
func LoadedVersionNumber() uint32 { return uint32(C.cri_version_number()) }

// LoadedVersion is cri_version.
func LoadedVersion() string { return C.GoString(C.cri_version()) }
