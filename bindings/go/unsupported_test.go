//go:build !linux || !cgo

package criwatch_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// Every constructor returns an error that says what is missing, and what to do.
func TestWithoutTheLibrary(t *testing.T) {
	_, ofNew := criwatch.New("")
	_, ofLogged := criwatch.New("unix:///x", criwatch.WithEvents(criwatch.EventsPoll), criwatch.WithLogger(nil))
	_, ofOptions := criwatch.DescribeOptions()
	_, ofDiscover := criwatch.Discover(context.Background())
	_, ofFinder := criwatch.NewFinder()
	for _, err := range []error{ofNew, ofLogged, ofOptions, ofDiscover, ofFinder} {
		if !errors.Is(err, criwatch.ErrUnsupported) || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
			t.Errorf("without the library: %v", err)
		}
	}
	if criwatch.ErrUnsupported.String() != "CRI_E_UNSUPPORTED" || criwatch.LibraryVersion() != "" {
		t.Error("a library is there")
	}
}
