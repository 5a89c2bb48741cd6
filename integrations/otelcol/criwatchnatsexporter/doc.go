// Package criwatchnatsexporter publishes log records to a NATS JetStream: a message for each batch of the criwatch receiver, on a subject
// for each node.
package criwatchnatsexporter
