package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// node is the place where a pod runs, and what is there in place of what the manifest names.
type node struct {
	endpoint string
	// image is what the agent's container runs.
	image string
	// parent is the cgroup of pods.
	parent string
	// folder is where logs are put.
	folder string
	// hosts says which folder stands for a folder of the host that the manifest mounts.
	hosts map[string]string
}

// pod runs the DaemonSet's pod as a kubelet would, until its readiness probe succeeds, and prints the container's id. It takes mounts,
// rights, arguments and environment from the manifest. Only the network is not a pod's own, because that needs CNI plugins.
func pod(args []string) error {
	flags := flag.NewFlagSet("pod", flag.ContinueOnError)
	node := node{hosts: map[string]string{}}
	flags.StringVar(&node.endpoint, "endpoint", "", "the engine's socket, unix:///...")
	flags.StringVar(&node.image, "image", "", "the image to run in place of the manifest's")
	flags.StringVar(&node.parent, "cgroup-parent", "", "the cgroup of pods")
	flags.StringVar(&node.folder, "folder", "", "where logs are put")
	flags.Func("host", "MANIFEST=NODE: the folder that stands for one that the manifest mounts", func(pair string) error {
		from, to, is := strings.Cut(pair, "=")
		if !is {
			return fmt.Errorf("%s: has no =", pair)
		}
		node.hosts[from] = to
		return nil
	})
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	found, err := read(args[0])
	if err != nil {
		return err
	}
	id, err := node.run(found)
	if err != nil {
		return err
	}
	fmt.Println(id)
	return nil
}

func (n *node) run(found *manifest) (string, error) {
	connection, err := grpc.NewClient(n.endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return "", err
	}
	defer connection.Close()
	engine := cri.NewRuntimeServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	sandbox := n.sandbox(found)
	container, err := n.container(found)
	if err != nil {
		return "", err
	}
	pod, err := engine.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: sandbox})
	if err != nil {
		return "", err
	}
	created, err := engine.CreateContainer(ctx, &cri.CreateContainerRequest{
		PodSandboxId: pod.PodSandboxId, Config: container, SandboxConfig: sandbox,
	})
	if err != nil {
		return "", err
	}
	if _, err := engine.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: created.ContainerId}); err != nil {
		return "", err
	}
	if err := n.waitUntilReady(ctx, engine, created.ContainerId, found); err != nil {
		log, _ := os.ReadFile(filepath.Join(n.folder, container.LogPath))
		return "", fmt.Errorf("%w\n%s", err, log)
	}
	return created.ContainerId, nil
}

// waitUntilReady runs the readiness probe until it succeeds.
func (n *node) waitUntilReady(ctx context.Context, engine cri.RuntimeServiceClient, id string, found *manifest) error {
	probe := found.daemonSet.Spec.Template.Spec.Containers[0].ReadinessProbe
	if probe == nil || probe.Exec == nil {
		return errors.New("the agent has no readiness probe that is a command")
	}
	for {
		reply, err := engine.ExecSync(ctx, &cri.ExecSyncRequest{
			ContainerId: id, Cmd: probe.Exec.Command, Timeout: int64(probe.TimeoutSeconds),
		})
		if err == nil && reply.ExitCode == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%v: %v, %v", probe.Exec.Command, reply, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
