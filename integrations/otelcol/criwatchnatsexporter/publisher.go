package criwatchnatsexporter

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// publisher publishes to a stream that somebody else has made.
type publisher struct {
	config     *Config
	logger     *zap.Logger
	connection *nats.Conn
	stream     jetstream.JetStream
}

func (p *publisher) start(ctx context.Context, _ component.Host) error {
	options := []nats.Option{
		nats.Name("criwatch-collector"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				p.logger.Warn("the connection to NATS is lost", zap.Error(err))
			}
		}),
	}
	if p.config.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(p.config.CredentialsFile))
	}
	if tls := p.config.TLS.Get(); tls != nil {
		loaded, err := tls.LoadTLSConfig(ctx)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		options = append(options, nats.Secure(loaded))
	}
	connection, err := nats.Connect(strings.Join(p.config.URLs, ","), options...)
	if err != nil {
		return fmt.Errorf("connect to %v: %w", p.config.URLs, err)
	}
	p.connection = connection
	p.stream, err = jetstream.New(connection)
	return err
}

func (p *publisher) shutdown(context.Context) error {
	if p.connection != nil {
		p.connection.Close()
	}
	return nil
}

// publish returns when the stream has acknowledged every message. One that is published again has the same id, and the stream
// drops it.
func (p *publisher) publish(ctx context.Context, logs plog.Logs) error {
	var errs []error
	for _, one := range split(logs, p.config.NodeName) {
		message, err := one.message(p.config)
		if err == nil {
			_, err = p.stream.PublishMsg(ctx, message, jetstream.WithRetryAttempts(0))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.config.subject(one.node), err))
		}
	}
	return errors.Join(errs...)
}
