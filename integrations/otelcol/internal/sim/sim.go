// Package sim runs the simulated engine of the repository (sim/).
package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Engine is a simulated engine. It is for one goroutine.
type Engine struct {
	// Endpoint is its socket.
	Endpoint string

	command *exec.Cmd
	folder  string
	stdin   io.WriteCloser
	stdout  *bufio.Scanner
}

// Start starts an engine. The program is that of cri-sim.
func Start(program string, arguments ...string) (*Engine, error) {
	// Paths of sockets have to be short.
	folder, err := os.MkdirTemp("", "criwatch-otel-")
	if err != nil {
		return nil, err
	}
	arguments = append([]string{"--socket", filepath.Join(folder, "cri.sock"), "--script", "-"}, arguments...)
	engine := &Engine{command: exec.Command(program, arguments...), folder: folder}
	if err := engine.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return engine, nil
}

func (e *Engine) start() error {
	e.command.Stderr = os.Stderr
	stdin, err := e.command.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := e.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := e.command.Start(); err != nil {
		return err
	}
	e.stdin, e.stdout = stdin, bufio.NewScanner(stdout)
	ready, err := e.line()
	words := strings.Fields(ready)
	if err != nil || len(words) < 2 || words[0] != "ready" {
		stdin.Close()
		e.command.Wait()
		return fmt.Errorf("the simulated engine is not ready: %q, %w", ready, err)
	}
	e.Endpoint = words[1]
	return nil
}

// Close ends the engine: the end of its script is its own end.
func (e *Engine) Close() error {
	e.stdin.Close()
	return errors.Join(e.command.Wait(), os.RemoveAll(e.folder))
}

// Tell has the engine do what one line of a script says; its answer.
func (e *Engine) Tell(format string, arguments ...any) (string, error) {
	line := fmt.Sprintf(format, arguments...)
	if _, err := fmt.Fprintln(e.stdin, line); err != nil {
		return "", fmt.Errorf("%q: %w", line, err)
	}
	answer, err := e.line()
	if err == nil && !strings.HasPrefix(answer, "ok ") {
		err = errors.New(answer)
	}
	if err != nil {
		return "", fmt.Errorf("%q: %w", line, err)
	}
	return answer, nil
}

func (e *Engine) line() (string, error) {
	if !e.stdout.Scan() {
		return "", fmt.Errorf("the simulated engine has ended: %w", errors.Join(e.stdout.Err(), io.EOF))
	}
	return e.stdout.Text(), nil
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
