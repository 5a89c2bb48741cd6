// Package criwatchreceiver reports what happens to the containers of a node: a log record for each start and end, events of
// entities, and metrics. It asks the container engine of the node, and no API server.
package criwatchreceiver
