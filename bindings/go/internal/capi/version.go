// Package capi is the C ABI in Go's types, and nothing more: one function for each of the header, statuses and errors
// as values, records as views on the library's memory. What is idiomatic stands in the package above.
package capi

/*
#include <criwatch.h>

#if CRI_ABI_VERSION != 1
#error "criwatch.h is of another ABI version than this Go binding: install the header and the binding of one release"
#endif
*/
import "C"

import "fmt"

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

// CheckABI refuses a library of another ABI.
func CheckABI(loaded uint32) error {
	if loaded == ABIVersion {
		return nil
	}
	return fmt.Errorf("criwatch: the loaded libcriwatch has ABI version %d, this program needs %d: "+
		"install libcriwatch.so.%d", loaded, ABIVersion, ABIVersion)
}

// LoadedABIVersion is cri_abi_version.
func LoadedABIVersion() uint32 { return uint32(C.cri_abi_version()) }

// LoadedVersionNumber is cri_version_number.
func LoadedVersionNumber() uint32 { return uint32(C.cri_version_number()) }

// LoadedVersion is cri_version.
func LoadedVersion() string { return C.GoString(C.cri_version()) }
