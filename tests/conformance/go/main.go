// The conformance programme in Go: see ../README.md. It reads commands from stdin, and answers them on stdout.
package main

import (
	"bufio"
	"os"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

// programme is what commands work on: at most one of each.
type programme struct {
	out      *bufio.Writer
	watcher  *criwatch.Watcher
	queue    *criwatch.Queue
	snapshot *criwatch.Snapshot
	kept     *criwatch.Container
	// The seq of the event that was printed last.
	seq uint64
}

func main() {
	p := &programme{out: bufio.NewWriter(os.Stdout)}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			line = "quit"
		}
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		p.answer(name, rest)
		p.out.Flush()
		if name == "quit" {
			return
		}
	}
}

// answer does one command, and writes its last line.
func (p *programme) answer(name, rest string) {
	command, is := commands[name]
	if !is {
		p.line("%s", lastLine("", misuse("no such command: "+name)))
		return
	}
	said, err := command.do(p, split(rest, command.words))
	p.line("%s", lastLine(said, err))
}

// split cuts a line into so many words, the last of which takes the rest. Missing ones are "-".
func split(line string, words int) []string {
	parts := strings.SplitN(line, " ", words)
	if line == "" {
		parts = nil
	}
	for len(parts) < words {
		parts = append(parts, "-")
	}
	return parts
}

// given is a parameter's text, "" for "-".
func given(parameter string) string {
	if parameter == "-" {
		return ""
	}
	return parameter
}
