package criwatchnatsexporter

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/lifecycletest"
	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

func TestLifecycle(t *testing.T) {
	defer goleak.VerifyNone(t)
	factory := NewFactory()
	lifecycletest.Check(t, factory, exportertest.NewNopSettings(Type), map[string]lifecycletest.Create[exporter.Settings]{
		"logs": lifecycletest.Last(factory.CreateLogs),
	})
}

func TestRefusesWhatCannotWork(t *testing.T) {
	config := createDefaultConfig()
	require.NoError(t, config.Validate())
	config.Cluster = ""
	require.ErrorContains(t, config.Validate(), "cluster and node_name must not be empty")
	require.ErrorContains(t, (&Config{}).Validate(), "urls: at least one server")
}

// startServer runs a server with a stream for all subjects of ours.
func startServer(t *testing.T, port int, store string) *server.Server {
	t.Helper()
	made, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: store, NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	made.Start()
	require.True(t, made.ReadyForConnections(simtest.Patience))
	t.Cleanup(func() {
		made.Shutdown()
		made.WaitForShutdown()
	})
	return made
}

func streamAt(t *testing.T, url string) jetstream.Stream {
	t.Helper()
	connection, err := nats.Connect(url)
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), simtest.Patience)
	defer cancel()
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "CRIWATCH", Subjects: []string{"criwatch.>"}})
	require.NoError(t, err)
	return stream
}

func startExporter(t *testing.T, url string) exporter.Logs {
	t.Helper()
	config := createDefaultConfig()
	config.URLs, config.Cluster, config.CloudEvents = []string{url}, "prod", true
	config.RetryConfig.InitialInterval = 10 * time.Millisecond
	made, err := NewFactory().CreateLogs(context.Background(), exportertest.NewNopSettings(Type), config)
	require.NoError(t, err)
	require.NoError(t, made.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, made.Shutdown(context.Background())) })
	return made
}

// batches are logs with a record of each batch.
func batches(numbers ...int64) plog.Logs {
	logs := plog.NewLogs()
	for _, number := range numbers {
		of := logs.ResourceLogs().AppendEmpty()
		of.Resource().Attributes().PutStr("k8s.node.name", "node-1.example.com")
		record := of.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetEventName("criwatch.container.started")
		record.Attributes().PutStr("criwatch.instance", "i")
		record.Attributes().PutInt("criwatch.batch", number)
	}
	return logs
}

func messages(t *testing.T, stream jetstream.Stream) uint64 {
	t.Helper()
	info, err := stream.Info(context.Background())
	require.NoError(t, err)
	return info.State.Msgs
}

func TestPublishesEachBatchOnce(t *testing.T) {
	at := startServer(t, -1, t.TempDir())
	stream := streamAt(t, at.ClientURL())
	made := startExporter(t, at.ClientURL())
	ctx := context.Background()
	// Two batches that a processor has merged; then one of them again, and a new one.
	require.NoError(t, made.ConsumeLogs(ctx, batches(1, 2)))
	require.NoError(t, made.ConsumeLogs(ctx, batches(2)))
	require.NoError(t, made.ConsumeLogs(ctx, batches(3)))
	simtest.Until(t, "the third batch", func() bool { return messages(t, stream) == 3 })
	for sequence, number := range []string{"1", "2", "3"} {
		message, err := stream.GetMsg(ctx, uint64(sequence+1))
		require.NoError(t, err)
		require.Equal(t, "criwatch.prod.node-1_example_com", message.Subject)
		require.Contains(t, message.Header.Get("Nats-Msg-Id"), "i/"+number+"/")
		require.Equal(t, []string{"/criwatch/prod/node-1.example.com"}, message.Header["ce-source"])
		require.Equal(t, []string{message.Header.Get("Nats-Msg-Id")}, message.Header["ce-id"])
		unmarshaler := plog.ProtoUnmarshaler{}
		logs, err := unmarshaler.UnmarshalLogs(message.Data)
		require.NoError(t, err)
		require.Equal(t, 1, logs.LogRecordCount())
		require.Equal(t, "i/"+number, batchOf(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)))
	}
}

func TestWaitsForAServerThatIsAway(t *testing.T) {
	store := t.TempDir()
	first := startServer(t, -1, store)
	url, port := first.ClientURL(), first.Addr().(*net.TCPAddr).Port
	streamAt(t, url)
	made := startExporter(t, url)
	first.Shutdown()
	first.WaitForShutdown()
	require.NoError(t, made.ConsumeLogs(context.Background(), batches(1)))
	startServer(t, port, store)
	stream := streamAt(t, url)
	simtest.Until(t, "the batch", func() bool { return messages(t, stream) == 1 })
}
