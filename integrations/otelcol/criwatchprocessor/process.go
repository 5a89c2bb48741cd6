package criwatchprocessor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// USER_HZ: the kernel shows times to programs in this unit on every architecture that Go runs on.
	ticksPerSecond = 100
	// Clients compute the time from a boot time in whole seconds, and some round it.
	tolerance = 2 * time.Second
)

// startTicks is when the process that has the pid now began, in ticks since boot, if that is the time that the sender says.
func startTicks(hostRoot string, pid int, created string) (uint64, bool) {
	said, err := time.Parse(time.RFC3339Nano, created)
	if err != nil {
		return 0, false
	}
	stat, err := os.ReadFile(filepath.Join("/", hostRoot, "proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, false
	}
	ticks, is := ticksOf(string(stat))
	if !is {
		return 0, false
	}
	began := bootTime().Add(time.Duration(ticks) * (time.Second / ticksPerSecond))
	return ticks, began.Sub(said).Abs() <= tolerance
}

// ticksOf is field 22. The name in field 2 may have spaces and parentheses in it.
func ticksOf(stat string) (uint64, bool) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, false
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	return ticks, err == nil
}

func bootTime() time.Time {
	var since unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &since) != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(since.Nano()))
}
