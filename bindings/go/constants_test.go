package criwatch_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// The families of the header's constants, and the prefixes of their names in Go.
var families = []struct{ c, goes string }{
	{"CRI_E_", "Err"},
	{"CRI_EVENT_FLAG_", "EventFlag"},
	{"CRI_EVENT_", "Event"},
	{"CRI_SUBSCRIBE_", "Subscribe"},
	{"CRI_INSPECT_", "Inspect"},
	{"CRI_KIND_", "Kind"},
	{"CRI_CONTAINER_FLAG_", "ContainerFlag"},
	{"CRI_MOUNT_FLAG_", "MountFlag"},
	{"CRI_STATE_", "State"},
	{"CRI_POD_FLAG_", "PodFlag"},
	{"CRI_POD_", "Pod"},
	{"CRI_MISSING_", "Missing"},
	{"CRI_CHANGED_", "Changed"},
	{"CRI_NAMESPACE_", "Namespace"},
	{"CRI_WATCHER_", "Watcher"},
	{"CRI_LOG_", "Log"},
	{"CRI_LABEL_", "Label"},
	{"CRI_ANNOTATION_", "Annotation"},
	{"CRI_ENGINE_", "Engine"},
}

var special = map[string]string{"CRI_OK": "OK", "CRI_AGAIN": "ErrAgain", "CRI_CLOSED": "ErrClosed", "CRI_NONE": "ErrNone"}

// Every constant of the header exists in Go, with its value.
func TestConstantsAreThoseOfTheHeader(t *testing.T) {
	header, err := os.ReadFile(headerPath(t))
	must(t, err)
	defined := regexp.MustCompile(`(?m)^#define (CRI_[A-Z_]+) \(?("[^"]*"|-?\d+)\)?$`).FindAllStringSubmatch(string(header), -1)
	if len(defined) < 80 {
		t.Fatalf("the header defines %d constants only", len(defined))
	}
	values := exportedConstants(t)
	for _, match := range defined {
		if strings.HasPrefix(match[1], "CRI_VERSION_") || match[1] == "CRI_ABI_VERSION" {
			continue // These are the header's own: internal/capi.
		}
		name := goName(match[1])
		if got, is := values[strings.ToLower(name)]; !is || got != match[2] {
			t.Errorf("%s is %s, and %s is %q", match[1], match[2], name, got)
		}
	}
}

func headerPath(t *testing.T) string {
	t.Helper()
	output, err := exec.Command("pkg-config", "--variable=includedir", "criwatch").Output()
	if err != nil {
		t.Skip("pkg-config does not say where criwatch.h is")
	}
	return filepath.Join(strings.TrimSpace(string(output)), "criwatch.h")
}

func goName(c string) string {
	if name, is := special[c]; is {
		return name
	}
	for _, family := range families {
		if rest, is := strings.CutPrefix(c, family.c); is {
			return family.goes + strings.ReplaceAll(rest, "_", "")
		}
	}
	return c
}

// exportedConstants are the package's, by their names in lower case, as their source has them.
func exportedConstants(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, name := range []string{"constants.go", "errors.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		must(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			spec, is := node.(*ast.ValueSpec)
			if is && len(spec.Values) == 1 {
				if value := literal(spec.Values[0]); value != nil {
					values[strings.ToLower(spec.Names[0].Name)] = value.ExactString()
				}
			}
			return true
		})
	}
	return values
}

func literal(expression ast.Expr) constant.Value {
	switch expression := expression.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(expression.Value, expression.Kind, 0)
	case *ast.UnaryExpr:
		return constant.UnaryOp(expression.Op, literal(expression.X), 0)
	}
	return nil
}

// The status names in this binding are the library's.
func TestStatusNames(t *testing.T) {
	for status := criwatch.Status(-120); status < 20; status++ {
		if status.String() != capi.StatusName(int32(status)) {
			t.Errorf("%d is %s, and the library says %s", int(status), status, capi.StatusName(int32(status)))
		}
	}
	for status, name := range map[criwatch.Status]string{
		criwatch.OK: "CRI_OK", criwatch.ErrClosed: "CRI_CLOSED", criwatch.ErrTimeout: "CRI_E_TIMEOUT", 77: "CRI_E_UNKNOWN_STATUS",
	} {
		if status.String() != name || status.Error() != name {
			t.Errorf("%d is %s", int(status), status)
		}
	}
}

// The names of numbers are those of the library's JSON, in both directions. An unknown name is no error.
func TestWords(t *testing.T) {
	var state criwatch.State
	for _, is := range []struct {
		value fmt.Stringer
		word  string
	}{
		{criwatch.EventReplayBegin, "replayBegin"},
		{criwatch.KindSandbox, "sandbox"},
		{criwatch.StateUnknown, "unknown"},
		{criwatch.PodNotReady, "notReady"},
		{criwatch.WatcherStopped, "stopped"},
		{criwatch.LogDebug, "debug"},
		{criwatch.EventType(99), "99"},
		{criwatch.EventFlagSynthetic | criwatch.EventFlagProvisional, "synthetic|provisional"},
		{criwatch.MissingExit | criwatch.MissingPID, "pid|exitCode"},
		{criwatch.ChangedRucksack | criwatch.ChangedDetails, "rucksack|details"},
		{criwatch.PodFlagHostPID | criwatch.PodFlagNotStatic, "hostPid|notStatic"},
		{criwatch.ContainerFlagLabelsCut | criwatch.ContainerFlagUnprivileged, "labelsCut|unprivileged"},
		{criwatch.MountFlagReadOnly, "readOnly"},
	} {
		if is.value.String() != is.word {
			t.Errorf("%s is not %s", is.value, is.word)
		}
	}
	must(t, state.UnmarshalText([]byte("running")))
	if state != criwatch.StateRunning {
		t.Errorf("running is %v", state)
	}
	must(t, state.UnmarshalText([]byte("dreaming")))
	if state != criwatch.Unrecognized {
		t.Errorf("a state of the future is %v", state)
	}
	var missing criwatch.Missing
	must(t, missing.UnmarshalJSON([]byte(`["pid","dreams","exitCode"]`)))
	if missing != criwatch.MissingPID|criwatch.MissingExit {
		t.Errorf("missing: %v", missing)
	}
}

func TestVersions(t *testing.T) {
	if criwatch.LibraryABIVersion() != criwatch.ABIVersion {
		t.Errorf("ABI %d", criwatch.LibraryABIVersion())
	}
	parts := strings.Split(criwatch.LibraryVersion(), ".")
	number := 0
	for _, part := range parts {
		digits, err := strconv.Atoi(part)
		must(t, err)
		number = number*1000 + digits
	}
	if int(criwatch.LibraryVersionNumber()) != number {
		t.Errorf("%s is not %d", criwatch.LibraryVersion(), criwatch.LibraryVersionNumber())
	}
	must(t, capi.CheckABI(criwatch.ABIVersion))
	if err := capi.CheckABI(criwatch.ABIVersion + 1); err == nil {
		t.Error("a library of another ABI is taken")
	}
}
