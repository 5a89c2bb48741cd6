package criwatch_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// How long anything on a slow, busy machine may take before a test gives up on it.
const patience = 60 * time.Second

// simulator is the path of the simulated engine's program (cri-sim).
var simulator = os.Getenv("CRI_SIM")

const noSimulator = "CRI_SIM is not set: it has to name the simulated engine's program, cri-sim"

func TestMain(m *testing.M) {
	flag.Parse()
	if simulator == "" {
		// An example cannot skip itself.
		fmt.Println("skipping all examples:", noSimulator)
		flag.Set("test.skip", "^Example")
	}
	code := m.Run()
	exampleEngine.stop()
	os.Exit(code)
}

// sim is a simulated engine of a test's own.
type sim struct {
	endpoint string
	folder   string
	command  *exec.Cmd
	stdin    io.WriteCloser
	lines    *bufio.Scanner
}

func startSim(t testing.TB, arguments ...string) *sim {
	t.Helper()
	if simulator == "" {
		t.Skip(noSimulator)
	}
	engine, err := newSim(arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.stop)
	return engine
}

func newSim(arguments ...string) (*sim, error) {
	folder, err := os.MkdirTemp("", "criwatch-go-")
	if err != nil {
		return nil, err
	}
	arguments = append([]string{"--socket", filepath.Join(folder, "cri.sock"), "--script", "-"}, arguments...)
	engine := &sim{folder: folder, command: exec.Command(simulator, arguments...)}
	engine.command.Stderr = os.Stderr
	if engine.stdin, err = engine.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := engine.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	engine.lines = bufio.NewScanner(stdout)
	if err := engine.command.Start(); err != nil {
		return nil, err
	}
	line, err := engine.line()
	if err != nil {
		return nil, err
	}
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "ready" {
		return nil, fmt.Errorf("the simulated engine is not ready: %q", line)
	}
	engine.endpoint = words[1]
	return engine, nil
}

func (s *sim) line() (string, error) {
	if !s.lines.Scan() {
		return "", fmt.Errorf("the simulated engine has ended: %v", s.lines.Err())
	}
	return s.lines.Text(), nil
}

// do has the engine do what one line of a script says; its answer.
func (s *sim) do(line string) (string, error) {
	fmt.Fprintln(s.stdin, line)
	answer, err := s.line()
	if err == nil && !strings.HasPrefix(answer, "ok ") {
		err = fmt.Errorf("%q: %s", line, answer)
	}
	return answer, err
}

func (s *sim) tell(t testing.TB, line string) string {
	t.Helper()
	answer, err := s.do(line)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// stop ends the engine: the end of its script is its own end.
func (s *sim) stop() {
	if s == nil || s.command == nil {
		return
	}
	s.stdin.Close()
	s.command.Wait()
	os.RemoveAll(s.folder)
	s.command = nil
}

// field is the value of key=value in an answer.
func field(answer, key string) string {
	for _, word := range strings.Fields(answer) {
		if value, is := strings.CutPrefix(word, key+"="); is {
			return value
		}
	}
	return ""
}

// within is a context that ends a test which hangs.
func within(t testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func newWatcher(t testing.TB, endpoint string, options ...criwatch.Option) *criwatch.Watcher {
	t.Helper()
	watcher, err := criwatch.New(endpoint, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watcher.Close() })
	return watcher
}

// follow starts a watcher, and waits until it is ready.
func follow(t testing.TB, endpoint string, options ...criwatch.Option) *criwatch.Watcher {
	t.Helper()
	watcher := newWatcher(t, endpoint, options...)
	must(t, watcher.Start())
	must(t, watcher.WaitReady(within(t, patience)))
	return watcher
}

func newQueue(t testing.TB, watcher *criwatch.Watcher, options *criwatch.QueueOptions) *criwatch.Queue {
	t.Helper()
	queue, err := watcher.NewQueue(options)
	must(t, err)
	t.Cleanup(func() { queue.Close() })
	return queue
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until takes events until one is of a type and about a container or sandbox of a name.
func until(t testing.TB, queue *criwatch.Queue, eventType criwatch.EventType, name string) *criwatch.Event {
	t.Helper()
	for ctx := within(t, patience); ; {
		event, err := queue.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for %v %s: %v", eventType, name, err)
		}
		if event.Type == eventType && (name == "" || event.Container != nil && event.Container.Name == name) {
			return event
		}
	}
}
