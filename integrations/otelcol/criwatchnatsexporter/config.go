package criwatchnatsexporter

import (
	"errors"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config is the configuration of the exporter.
type Config struct {
	// URLs are servers of the cluster, e.g. nats://nats.observability:4222.
	URLs []string `mapstructure:"urls"`
	// CredentialsFile is a file of credentials as nsc makes it; empty: none.
	CredentialsFile string `mapstructure:"credentials_file"`
	// TLS is for servers that ask for it.
	TLS configoptional.Optional[configtls.ClientConfig] `mapstructure:"tls"`
	// Cluster is the second word of the subject: criwatch.CLUSTER.NODE.
	Cluster string `mapstructure:"cluster"`
	// NodeName is the third word where a record's resource has no k8s.node.name.
	NodeName string `mapstructure:"node_name"`
	// CloudEvents adds the headers of CloudEvents 1.0.
	CloudEvents bool `mapstructure:"cloudevents"`

	// TimeoutConfig is how long a message may wait for its acknowledgement.
	TimeoutConfig exporterhelper.TimeoutConfig                             `mapstructure:",squash"`
	QueueConfig   configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	RetryConfig   configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
}

func createDefaultConfig() *Config {
	queue := exporterhelper.NewDefaultQueueConfig()
	// One by one: the batches of a node stay in their order.
	queue.NumConsumers = 1
	return &Config{
		URLs: []string{"nats://127.0.0.1:4222"}, Cluster: "default", NodeName: "unknown",
		TimeoutConfig: exporterhelper.NewDefaultTimeoutConfig(),
		QueueConfig:   configoptional.Some(queue),
		RetryConfig:   configretry.NewDefaultBackOffConfig(),
	}
}

// Validate refuses what cannot work.
func (c *Config) Validate() error {
	if len(c.URLs) == 0 {
		return errors.New("urls: at least one server is needed")
	}
	if c.Cluster == "" || c.NodeName == "" {
		return errors.New("cluster and node_name must not be empty: they are words of the subject")
	}
	return nil
}
