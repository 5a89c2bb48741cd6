//go:build linux && criwatch_bundled

package capi

/*
#error "criwatch_bundled is for the published module, which comes with the library (scripts/go-modules); in the source tree use criwatch_static"
*/
import "C"

// The name of this file is first in its folder: without it the compiler would only miss criwatch.h, in another file.
