package criwatch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// threads counts the OS threads of this process.
func threads(t testing.TB) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	must(t, err)
	return len(tasks)
}

// named counts the OS threads of this process that have a name.
func named(name string) (count int) {
	files, _ := filepath.Glob("/proc/self/task/*/comm")
	for _, file := range files {
		// The thread may have ended meanwhile.
		if comm, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(comm)) == name {
			count++
		}
	}
	return count
}
