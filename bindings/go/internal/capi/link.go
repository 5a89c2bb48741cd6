//go:build linux && !criwatch_static && !criwatch_bundled

package capi

// #cgo pkg-config: criwatch
import "C"
