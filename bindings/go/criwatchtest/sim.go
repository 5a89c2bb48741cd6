package criwatchtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Sim is a simulated engine: the program cri-sim, of whom the test is the script.
type Sim struct {
	endpoint string
	folder   string
	command  *exec.Cmd
	stdin    io.WriteCloser

	mutex   sync.Mutex
	lines   *bufio.Scanner
	stopped sync.Once
	end     error
}

// ErrNoSim is why there is no simulated engine.
var ErrNoSim = errors.New("the program cri-sim is neither named by CRI_SIM nor on PATH: " +
	"it is in criwatch's archive and Debian package criwatch-sim; docs/simulator.md has all ways to get it")

// StartSim starts a simulated engine for a test, and stops it at the end. Without the program, the test is skipped. Arguments
// are those of cri-sim --help, such as "--profile", "crio"; socket and script are given already.
func StartSim(t testing.TB, arguments ...string) *Sim {
	t.Helper()
	sim, err := NewSim(arguments...)
	if errors.Is(err, ErrNoSim) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Stop(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

// NewSim is StartSim for where there is no test, as in TestMain and in examples. ErrNoSim without the program.
func NewSim(arguments ...string) (*Sim, error) {
	program, err := simulator()
	if err != nil {
		return nil, err
	}
	// A socket's path may have 107 bytes only, so that not every folder of tests will do.
	folder, err := os.MkdirTemp("", "criwatch-")
	if err != nil {
		return nil, err
	}
	arguments = append([]string{"--socket", filepath.Join(folder, "cri.sock"), "--script", "-"}, arguments...)
	sim := &Sim{folder: folder, command: exec.Command(program, arguments...)}
	if err := sim.start(); err != nil {
		os.RemoveAll(folder)
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return sim, nil
}

// simulator is the program's path.
func simulator() (string, error) {
	if named := os.Getenv("CRI_SIM"); named != "" {
		return named, nil
	}
	if found, err := exec.LookPath("cri-sim"); err == nil {
		return found, nil
	}
	return "", ErrNoSim
}

func (s *Sim) start() (err error) {
	s.command.Stderr = os.Stderr
	if s.stdin, err = s.command.StdinPipe(); err != nil {
		return err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	s.lines = bufio.NewScanner(stdout)
	if err := s.command.Start(); err != nil {
		return err
	}
	line, err := s.line()
	words := strings.Fields(line)
	if err == nil && (len(words) < 2 || words[0] != "ready") {
		err = fmt.Errorf("it is not ready: %q", line)
	}
	if err != nil {
		s.stdin.Close()
		return errors.Join(err, s.command.Wait())
	}
	s.endpoint = words[1]
	return nil
}

func (s *Sim) line() (string, error) {
	if !s.lines.Scan() {
		return "", errors.Join(errors.New("the simulated engine has ended"), s.lines.Err())
	}
	return s.lines.Text(), nil
}

// Endpoint is where it listens, to be given to criwatch.New.
func (s *Sim) Endpoint() string { return s.endpoint }

// PID is its process.
func (s *Sim) PID() int { return s.command.Process.Pid }

// Answer is what the engine answers to a line of its script.
type Answer struct {
	// Text is the answer, e.g. "ok pod web id=...".
	Text string
	// Details are the lines before it: of the command "list", one for each sandbox and container.
	Details []string
}

// Field is the value of the first key=value in the answer; "" if there is none.
func (a Answer) Field(key string) string {
	if values := a.Fields(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Fields are the values of all key=value in the answer: "pod" gives the ids of the sandbox and of each container.
func (a Answer) Fields(key string) (values []string) {
	for _, word := range strings.Fields(a.Text) {
		if value, is := strings.CutPrefix(word, key+"="); is {
			values = append(values, value)
		}
	}
	return values
}

// Do has the engine do what one line of a script says ("pod web ns=shop nginx", "stop web/nginx"), and waits until that is
// done. cri-sim --help lists the commands.
func (s *Sim) Do(line string) (Answer, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, err := fmt.Fprintln(s.stdin, line); err != nil {
		return Answer{}, fmt.Errorf("%q: the simulated engine does not listen: %w", line, err)
	}
	var answer Answer
	for {
		text, err := s.line()
		switch {
		case err != nil:
			return answer, fmt.Errorf("%q: %w", line, err)
		case strings.HasPrefix(text, "ok "):
			answer.Text = text
			return answer, nil
		case !strings.HasPrefix(text, "- "):
			return answer, fmt.Errorf("%q: %s", line, text)
		}
		answer.Details = append(answer.Details, text)
	}
}

// Tell is Do that fails the test if the engine cannot do it.
func (s *Sim) Tell(t testing.TB, line string) Answer {
	t.Helper()
	answer, err := s.Do(line)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// Stop ends the engine and all that it runs. More than once is fine.
func (s *Sim) Stop() error {
	s.stopped.Do(func() {
		// The end of its script is its own end.
		s.stdin.Close()
		s.end = errors.Join(s.command.Wait(), os.RemoveAll(s.folder))
	})
	return s.end
}
