package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	corev1 "k8s.io/api/core/v1"
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
	// ports says which port stands for one of the pod's: its network is the node's, on which anybody may have that port.
	ports map[int]int
}

// pod runs the DaemonSet's pod as a kubelet would, until its readiness probe succeeds, and prints the container's id. It takes mounts,
// rights, arguments and environment from the manifest. Only the network is not a pod's own, because that needs CNI plugins.
func pod(args []string) error {
	flags := flag.NewFlagSet("pod", flag.ContinueOnError)
	node := node{hosts: map[string]string{}, ports: map[int]int{}}
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
	flags.Func("port", "MANIFEST=NODE: the port at which the pod listens in place of one that its ConfigMap names", func(pair string) error {
		var from, to int
		_, err := fmt.Sscanf(pair, "%d=%d", &from, &to)
		node.ports[from] = to
		return err
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

// waitUntilReady asks the readiness probe until it succeeds.
func (n *node) waitUntilReady(ctx context.Context, engine cri.RuntimeServiceClient, id string, found *manifest) error {
	agent := &found.daemonSet.Spec.Template.Spec.Containers[0]
	for {
		err := n.probe(ctx, engine, id, agent)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("readiness probe: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// probe asks the readiness probe once.
func (n *node) probe(ctx context.Context, engine cri.RuntimeServiceClient, id string, agent *corev1.Container) error {
	switch probe := agent.ReadinessProbe; {
	case probe == nil:
		return errors.New("the agent has none")
	case probe.Exec != nil:
		reply, err := engine.ExecSync(ctx, &cri.ExecSyncRequest{
			ContainerId: id, Cmd: probe.Exec.Command, Timeout: int64(probe.TimeoutSeconds),
		})
		if err == nil && reply.ExitCode != 0 {
			err = fmt.Errorf("%v: %v", probe.Exec.Command, reply)
		}
		return err
	case probe.HTTPGet != nil:
		return n.get(ctx, agent, probe.HTTPGet)
	}
	return errors.New("its kind is not known here")
}

func (n *node) get(ctx context.Context, agent *corev1.Container, wanted *corev1.HTTPGetAction) error {
	port := wanted.Port.IntValue()
	for _, named := range agent.Ports {
		if named.Name == wanted.Port.StrVal {
			port = int(named.ContainerPort)
		}
	}
	if here, is := n.ports[port]; is {
		port = here
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/%s", port, strings.TrimPrefix(wanted.Path, "/"))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode < 200 || reply.StatusCode >= 400 {
		return fmt.Errorf("%s: %s", url, reply.Status)
	}
	return nil
}
