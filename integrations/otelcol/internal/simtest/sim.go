// Package simtest runs the simulated engine of the repository (sim/) for tests.
package simtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Patience is how long anything may take on a slow, busy machine before a test gives up on it.
const Patience = 60 * time.Second

// Engine is a simulated engine of a test's own.
type Engine struct {
	// Endpoint is its socket.
	Endpoint string

	t      testing.TB
	stdin  io.WriteCloser
	stdout *bufio.Scanner
}

// Start starts an engine, which ends with the test. Without CRI_SIM, the path of cri-sim, the test is skipped.
func Start(t testing.TB, arguments ...string) *Engine {
	t.Helper()
	program := os.Getenv("CRI_SIM")
	if program == "" {
		t.Skip("CRI_SIM is not set: it has to name the simulated engine's program, cri-sim")
	}
	// t.TempDir's name is too long for a socket.
	folder, err := os.MkdirTemp("", "criwatch-otel-")
	must(t, err)
	arguments = append([]string{"--socket", filepath.Join(folder, "cri.sock"), "--script", "-"}, arguments...)
	command := exec.Command(program, arguments...)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	engine := &Engine{t: t, stdin: stdin, stdout: bufio.NewScanner(stdout)}
	t.Cleanup(func() {
		// The end of its script is its own end.
		stdin.Close()
		command.Wait()
		os.RemoveAll(folder)
	})
	words := strings.Fields(engine.line())
	if len(words) < 2 || words[0] != "ready" {
		t.Fatalf("the simulated engine is not ready: %q", words)
	}
	engine.Endpoint = words[1]
	return engine
}

// Tell has the engine do what one line of a script says; its answer.
func (e *Engine) Tell(format string, arguments ...any) string {
	e.t.Helper()
	line := fmt.Sprintf(format, arguments...)
	fmt.Fprintln(e.stdin, line)
	answer := e.line()
	if !strings.HasPrefix(answer, "ok ") {
		e.t.Fatalf("%q: %s", line, answer)
	}
	return answer
}

func (e *Engine) line() string {
	e.t.Helper()
	if !e.stdout.Scan() {
		e.t.Fatalf("the simulated engine has ended: %v", e.stdout.Err())
	}
	return e.stdout.Text()
}

// Field is the value of KEY=VALUE in an answer: the nth, from 0.
func Field(answer, key string, nth int) string {
	for _, word := range strings.Fields(answer) {
		if value, is := strings.CutPrefix(word, key+"="); is {
			if nth == 0 {
				return value
			}
			nth--
		}
	}
	return ""
}

// Until waits until a condition holds.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", Patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
