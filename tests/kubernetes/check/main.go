// Command check renders and checks manifests of deploy/kubernetes, and runs the pod of one of them on an engine.
//
//	check render FOLDER       what kustomize makes of a kustomization
//	check policy FILE         the rules of Pod Security that the DaemonSet's pod breaks, one a line
//	check rights FILE         the promises about the pod that it breaks, one a line
//	check pod FILE ...        runs the DaemonSet's pod by CRI: see pod.go
//
// FILE is what render has written. Every object in it is decoded strictly: an unknown or doubled field is an error.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: check render FOLDER | policy FILE | rights FILE | pod FILE ...")
	}
	switch args[0] {
	case "render":
		return render(args[1])
	case "policy":
		return checkPolicy(args[1])
	case "rights":
		return checkRights(args[1])
	case "pod":
		return pod(args[1:])
	}
	return fmt.Errorf("%s: there is no such command", args[0])
}
