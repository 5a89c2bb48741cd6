package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is a collector that can be killed and started again in its folder.
type program struct {
	name, folder string
	// Once per start: a socket of the last one, for example, has to go.
	prepare     func() error
	path        string
	environment []string

	mutex   sync.Mutex
	command *exec.Cmd
	// Of all processes so far.
	peakKiB int
	cpu     time.Duration
	starts  int
}

func (p *program) start() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := os.MkdirAll(p.disk(), 0o700); err != nil {
		return err
	}
	if p.prepare != nil {
		if err := p.prepare(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(p.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(p.path, "--config", filepath.Join(p.folder, "config.yaml"))
	command.Env = append(os.Environ(), p.environment...)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.command = command
	p.starts++
	return nil
}

// kill ends it without a warning; losesDisk: its queue is gone, too.
func (p *program) kill(losesDisk bool) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.command == nil {
		return nil
	}
	p.sampleLocked()
	if err := p.command.Process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("%s has ended by itself: %w\n%s", p.name, err, p.lastLines())
	}
	p.command.Wait()
	p.cpu += p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
	if status, is := p.command.ProcessState.Sys().(syscall.WaitStatus); is && status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("%s has ended by itself: %v\n%s", p.name, p.command.ProcessState, p.lastLines())
	}
	p.command = nil
	if losesDisk {
		return os.RemoveAll(p.disk())
	}
	return nil
}

func (p *program) disk() string { return filepath.Join(p.folder, "queue") }
func (p *program) log() string  { return filepath.Join(p.folder, "log") }

// sample notes the most memory that the process has had.
func (p *program) sample() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.sampleLocked()
}

func (p *program) sampleLocked() {
	if p.command == nil {
		return
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		if rest, is := strings.CutPrefix(line, "VmHWM:"); is {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			p.peakKiB = max(p.peakKiB, kib)
		}
	}
}

func (p *program) lastLines() string {
	text, err := os.ReadFile(p.log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
