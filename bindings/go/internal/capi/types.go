// Package capi is the C ABI in Go's types, and nothing more: one function for each of the header, statuses and errors
// as values, records as views on the library's memory. What is idiomatic stands in the package above.
//
// Without cgo, or on another system than Linux, there is only what needs no library.
package capi

import "fmt"

// Failure is a status other than CRI_OK, with the parts of the error object, if there was one.
type Failure struct {
	Status    int32
	Message   string
	GRPCCode  int32
	OSCode    int32
	Retriable bool
}

// Option is a key and its value.
type Option struct{ Key, Value string }

// EventMask is CRI_EVENT_MASK.
func EventMask(eventType uint32) uint32 { return 1 << eventType }

// CheckABI refuses a library of another ABI.
func CheckABI(loaded uint32) error {
	if loaded == ABIVersion {
		return nil
	}
	return fmt.Errorf("criwatch: the loaded libcriwatch has ABI version %d, this program needs %d: "+
		"install libcriwatch.so.%d", loaded, ABIVersion, ABIVersion)
}
