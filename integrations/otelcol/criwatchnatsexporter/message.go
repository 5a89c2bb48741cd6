package criwatchnatsexporter

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/collector/pdata/plog"
)

// part is what of the logs becomes one message: a batch of the receiver, or, of other records, those of one node.
type part struct {
	node, batch string
	logs        plog.Logs
}

// split makes the batches of the receiver of what processors may have merged.
func split(logs plog.Logs, nodeName string) (parts []*part) {
	known := map[string]*part{}
	for _, resource := range logs.ResourceLogs().All() {
		node := nodeName
		if name, is := resource.Resource().Attributes().Get("k8s.node.name"); is {
			node = name.AsString()
		}
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				batch := batchOf(record)
				to := known[node+"\x00"+batch]
				if to == nil {
					to = &part{node: node, batch: batch, logs: plog.NewLogs()}
					known[node+"\x00"+batch] = to
					parts = append(parts, to)
				}
				to.add(resource, scope, record)
			}
		}
	}
	return parts
}

// batchOf names the receiver's batch that a record is of; "": none.
func batchOf(record plog.LogRecord) string {
	instance, is := record.Attributes().Get("criwatch.instance")
	number, isNumbered := record.Attributes().Get("criwatch.batch")
	if !is || !isNumbered {
		return ""
	}
	return instance.AsString() + "/" + number.AsString()
}

func (p *part) add(resource plog.ResourceLogs, scope plog.ScopeLogs, record plog.LogRecord) {
	of := p.logs.ResourceLogs().AppendEmpty()
	resource.Resource().CopyTo(of.Resource())
	of.SetSchemaUrl(resource.SchemaUrl())
	in := of.ScopeLogs().AppendEmpty()
	scope.Scope().CopyTo(in.Scope())
	in.SetSchemaUrl(scope.SchemaUrl())
	record.CopyTo(in.LogRecords().AppendEmpty())
}

// message is OTLP's protocol buffer. Its id is made of the content: a repetition has the same, and a batch that a processor has
// divided has one for each part.
func (p *part) message(config *Config) (*nats.Msg, error) {
	marshaler := plog.ProtoMarshaler{}
	data, err := marshaler.MarshalLogs(p.logs)
	if err != nil {
		return nil, err
	}
	hash := fnv.New64a()
	hash.Write(data)
	id := strings.TrimPrefix(fmt.Sprintf("%s/%016x", p.batch, hash.Sum64()), "/")
	message := nats.NewMsg(config.subject(p.node))
	message.Data = data
	message.Header.Set(jetstream.MsgIDHeader, id)
	message.Header.Set("Content-Type", "application/x-protobuf")
	if config.CloudEvents {
		for key, value := range map[string]string{
			"ce-specversion": "1.0", "ce-id": id, "ce-type": "io.criwatch.logs.v1",
			"ce-source": fmt.Sprintf("/criwatch/%s/%s", config.Cluster, p.node),
		} {
			// nats.Header.Set changes the case of keys, which CloudEvents' binding has in lower case.
			message.Header[key] = []string{value}
		}
	}
	return message, nil
}

func (c *Config) subject(node string) string { return "criwatch." + word(c.Cluster) + "." + word(node) }

// word is a text as one word of a subject: names of nodes have dots in them.
func word(text string) string {
	return strings.Map(func(char rune) rune {
		if strings.ContainsRune(".*> \t\r\n", char) {
			return '_'
		}
		return char
	}, text)
}
