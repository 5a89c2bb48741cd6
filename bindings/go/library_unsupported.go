//go:build !linux || !cgo

package criwatch

import (
	"github.com/criwatch/criwatch/bindings/go/internal/backend"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// There is no library: every constructor returns an error that says what to do.

const absent = "this program was built without libcriwatch, which needs Linux and cgo: build it for Linux with CGO_ENABLED=1, " +
	"a C compiler, and either the build tag criwatch_bundled or a libcriwatch that pkg-config finds; " +
	"unit tests need neither: see the package criwatchtest"

func unsupported() *capi.Failure {
	return &capi.Failure{Status: int32(ErrUnsupported), Message: absent, GRPCCode: -1}
}

func openWatcher(string, []capi.Option, shown) (watcherBackend, *capi.Failure) {
	return nil, unsupported()
}

func openFinder([]capi.Option) (backend.Finder, *capi.Failure) { return nil, unsupported() }

func discover([]capi.Option, int64) ([]byte, *capi.Failure) { return nil, unsupported() }

func describeOptions() ([]byte, *capi.Failure) { return nil, unsupported() }
