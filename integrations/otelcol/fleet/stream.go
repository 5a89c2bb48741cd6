package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/collector/pdata/plog"
)

// stream is a NATS server with a JetStream stream, whose messages are read into a ledger.
type stream struct {
	*ledger
	url    string
	folder string

	server     *server.Server
	connection *nats.Conn
	stream     jetstream.Stream
	reading    jetstream.ConsumeContext

	mutex sync.Mutex
	// How often each message id was published, whether the stream took it or not; and how often it is in the stream.
	published, stored map[string]int
	failure           error
}

const window = 10 * time.Minute

func startStream(folder string) (s *stream, err error) {
	s = &stream{
		ledger: newLedger(), folder: filepath.Join(folder, "jetstream"), published: map[string]int{}, stored: map[string]int{},
	}
	s.server, err = server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: s.folder, NoSigs: true, NoLog: true,
	})
	if err != nil {
		return nil, err
	}
	s.server.Start()
	if !s.server.ReadyForConnections(time.Minute) {
		return nil, errors.New("the NATS server does not get ready")
	}
	s.url = s.server.ClientURL()
	if s.connection, err = nats.Connect(s.url); err != nil {
		return nil, err
	}
	js, err := jetstream.New(s.connection)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s.stream, err = js.CreateStream(ctx, jetstream.StreamConfig{
		Name: "CRIWATCH", Subjects: []string{"criwatch.>"}, Duplicates: window, Compression: jetstream.S2Compression,
	})
	if err != nil {
		return nil, err
	}
	return s, s.read(ctx)
}

func (s *stream) read(ctx context.Context) error {
	// A plain subscription sees each publication, also what the stream then drops.
	_, err := s.connection.Subscribe("criwatch.>", func(message *nats.Msg) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.published[message.Header.Get(jetstream.MsgIDHeader)]++
	})
	if err != nil {
		return err
	}
	reader, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	s.reading, err = reader.Consume(s.message)
	return err
}

func (s *stream) message(message jetstream.Msg) {
	unmarshaler := plog.ProtoUnmarshaler{}
	logs, err := unmarshaler.UnmarshalLogs(message.Data())
	s.mutex.Lock()
	s.stored[message.Headers().Get(jetstream.MsgIDHeader)]++
	if err != nil && s.failure == nil {
		s.failure = fmt.Errorf("a message of %s: %w", message.Subject(), err)
	}
	s.mutex.Unlock()
	if err == nil {
		s.add(logs)
	}
}

// dropped is how many publications the stream has dropped by their message id.
func (s *stream) dropped() (dropped int, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for id, times := range s.stored {
		if times > 1 {
			err = errors.Join(err, fmt.Errorf("the stream has the message %s %d times", id, times))
		}
		dropped += max(0, s.published[id]-times)
	}
	return dropped, errors.Join(err, s.failure)
}

// size is how many messages and bytes the stream has, and how many bytes on the disk.
func (s *stream) size() (messages, bytes uint64, disk int64, err error) {
	info, err := s.stream.Info(context.Background())
	if err != nil {
		return 0, 0, 0, err
	}
	err = filepath.WalkDir(s.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		about, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		disk += about.Size()
		return err
	})
	return info.State.Msgs, info.State.Bytes, disk, err
}

func (s *stream) close() {
	if s.reading != nil {
		s.reading.Stop()
	}
	if s.connection != nil {
		s.connection.Close()
	}
	if s.server != nil {
		s.server.Shutdown()
		s.server.WaitForShutdown()
	}
}
