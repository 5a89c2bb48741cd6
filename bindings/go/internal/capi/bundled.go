//go:build linux && criwatch_bundled

package capi

// #cgo CFLAGS: -include ${SRCDIR}/bundled.h
import "C"
