package criwatch_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/criwatchtest"
)

// exampleEngine is what the examples watch: one pod, shop/web, with the container nginx.
var exampleEngine *criwatchtest.Sim

func newExampleEngine() (*criwatchtest.Sim, error) {
	engine, err := criwatchtest.NewSim()
	if err == nil {
		_, err = engine.Do("pod web ns=shop nginx")
	}
	return engine, err
}

func endpoint() string { return exampleEngine.Endpoint() }

// Asks once, without following anything.
func Example() {
	watcher, err := criwatch.New(endpoint())
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := watcher.Resync(ctx); err != nil {
		log.Fatal(err)
	}
	list, err := watcher.List(nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, container := range list.Containers {
		fmt.Println(container.Pod.Namespace, container.Pod.Name, container.Name, container.Kind, container.State)
	}
	// Output:
	// shop web web sandbox running
	// shop web nginx container running
}

// Follows what changes, beginning with what is there.
func ExampleQueue_Next() {
	watcher, err := criwatch.New(endpoint())
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	if err := watcher.Start(); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := watcher.WaitReady(ctx); err != nil {
		log.Fatal(err)
	}
	queue, err := watcher.NewQueue(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer queue.Close()
	for {
		event, err := queue.Next(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if event.Type == criwatch.EventStarted && event.Container.Kind == criwatch.KindContainer {
			fmt.Println(event.Container.Pod.Name, event.Container.Name, event.Type, event.Flags)
			break
		}
	}
	// Output: web nginx started initial
}

// Selects by namespace, kind and label.
func ExampleWatcher_List() {
	watcher, err := criwatch.New(endpoint())
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	if err := watcher.Resync(context.Background()); err != nil {
		log.Fatal(err)
	}
	query := criwatch.Query{Namespace: "shop", Kind: criwatch.KindContainer, Selector: "io.kubernetes.pod.name=web"}
	list, err := watcher.List(&query)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(list.Containers), list.Containers[0].Name, list.Engine.RuntimeName)
	// Output: 1 nginx containerd
}

// A snapshot: records that do not change while they are read.
func ExampleWatcher_Snapshot() {
	watcher, err := criwatch.New(endpoint())
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	if err := watcher.Resync(context.Background()); err != nil {
		log.Fatal(err)
	}
	snapshot, err := watcher.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	container, err := snapshot.Find("shop/web/nginx")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(container.Name, container.Pod.Name, container.PID > 0)
	_, err = snapshot.Find("no-such")
	fmt.Println(errors.Is(err, criwatch.ErrNotFound))
	// Output:
	// nginx web true
	// true
}

// Everything that goes wrong is an Error, and compares with a Status.
func ExampleError() {
	watcher, err := criwatch.New("unix:///nowhere/cri.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	err = watcher.Resync(context.Background())
	var failure *criwatch.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Status, failure.Errno, failure.Retriable)
	}
	fmt.Println(errors.Is(err, criwatch.ErrConnect))
	// Output:
	// CRI_E_CONNECT no such file or directory true
	// true
}

// Any unary RPC of the engine, as JSON.
func ExampleWatcher_Call() {
	watcher, err := criwatch.New(endpoint())
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	reply, err := watcher.Call(ctx, "RuntimeService/ListPodSandbox", `{"filter":{"labelSelector":{"app":"none"}}}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", reply)
	// Output: {"items":[]}
}
