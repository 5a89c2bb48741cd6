// Command check renders and checks what deploy/kubernetes and deploy/helm make, and runs the pod of it on an engine.
//
//	check render FOLDER         what kustomize makes of a kustomization
//	check chart CHART VALUES    what Helm makes of a chart with a file of values
//	check notes CHART VALUES    what Helm says after an installation
//	check lint CHART VALUES     what `helm lint` complains of, one a line
//	check values CHART          the values without an explanation, one a line
//	check compare FILE FILE     the differences between what kustomize and Helm have made, one a line
//	check policy FILE           the rules of Pod Security that the DaemonSet's pod breaks, one a line
//	check rights FILE           the promises about the pod that it breaks, one a line
//	check pod FILE ...          runs the DaemonSet's pod by CRI: see pod.go
//
// FILE is what render or chart has written. Every object in it is decoded strictly: an unknown or doubled field is an error.
package main

import (
	"fmt"
	"log/slog"
	"os"
)

func main() {
	// Helm notes each symbolic link.
	slog.SetLogLoggerLevel(slog.LevelWarn)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: check COMMAND ARGUMENT...")
	}
	command, args := args[0], args[1:]
	one := map[string]func(string) error{
		"render": render, "values": checkValues, "policy": checkPolicy, "rights": checkRights,
	}
	two := map[string]func(string, string) error{
		"chart": renderChart, "notes": renderNotes, "lint": lintChart, "compare": compare,
	}
	switch {
	case command == "pod":
		return pod(args)
	case one[command] != nil && len(args) == 1:
		return one[command](args[0])
	case two[command] != nil && len(args) == 2:
		return two[command](args[0], args[1])
	}
	return fmt.Errorf("%s: there is no such command with %d arguments", command, len(args))
}
