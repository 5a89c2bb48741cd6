//go:build !linux || !cgo

package criwatch

import "github.com/criwatch/criwatch/bindings/go/internal/capi"

// There is nothing to copy: there are no views.

func newEvent(capi.EventView, shown) *Event { return nil }

func newContainer(capi.ContainerView, shown, func(capi.PodView) *Pod) *Container { return nil }

func newPod(capi.PodView) *Pod { return nil }
