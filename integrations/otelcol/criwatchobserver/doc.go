// Package criwatchobserver tells receiver_creator which pods, containers and declared ports there are on the node, as they come
// and go. It asks the container engine of the node, and no API server.
package criwatchobserver
