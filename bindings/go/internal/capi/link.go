//go:build linux && !criwatch_static

package capi

// #cgo pkg-config: criwatch
import "C"
