// Prints the containers of the engine that it is given, as JSON.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

func main() {
	if err := list(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func list(endpoint string) error {
	watcher, err := criwatch.New(endpoint)
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watcher.Resync(context.Background()); err != nil {
		return err
	}
	json, err := watcher.Raw().List("")
	fmt.Println(string(json))
	return err
}
