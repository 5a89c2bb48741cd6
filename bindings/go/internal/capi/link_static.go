//go:build linux && criwatch_static && !criwatch_bundled

package capi

// #cgo pkg-config: --static criwatch
// #cgo LDFLAGS: -l:libcriwatch.a -Wl,--as-needed
import "C"

// The archive comes before the libraries of pkg-config and has everything, so that the shared library, which pkg-config names and which
// may lie in the same folder, is not needed any more.
