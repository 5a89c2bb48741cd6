// Package criwatchprocessor adds the Kubernetes and container attributes of the sender to traces, metrics, logs and profiles.
// It asks the container engine of the node, and no API server.
package criwatchprocessor
