package main

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // The gateway compresses.
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// sink is the backend behind the gateway. What it acknowledges is in its ledger.
type sink struct {
	plogotlp.UnimplementedGRPCServer
	*ledger
	endpoint string
	server   *grpc.Server

	refuses atomic.Bool
	// A batch of the newest instance of its node was refused: the gateway has it, and its agent goes on.
	hasRefused atomic.Bool

	mutex        sync.Mutex
	live, replay traffic
}

// traffic is how much came over the wire.
type traffic struct{ Requests, Records, Bytes, Compressed int }

func startSink(folder string) (*sink, error) {
	path := filepath.Join(folder, "sink.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	s := &sink{ledger: newLedger(), endpoint: "unix://" + path}
	s.server = grpc.NewServer(grpc.StatsHandler(measure{}), grpc.MaxRecvMsgSize(64<<20))
	plogotlp.RegisterGRPCServer(s.server, s)
	go s.server.Serve(listener)
	return s, nil
}

// Export is called by the gateway.
func (s *sink) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	logs := request.Logs()
	if s.refuses.Load() {
		if of, is := firstBatch(logs); is && s.isNewest(of.node, of.instance) {
			s.hasRefused.Store(true)
		}
		return plogotlp.NewExportResponse(), status.Error(codes.Unavailable, "the backend is away")
	}
	s.count(ctx, logs)
	s.add(logs)
	return plogotlp.NewExportResponse(), nil
}

func firstBatch(logs plog.Logs) (batch, bool) {
	for _, resource := range logs.ResourceLogs().All() {
		node := text(resource.Resource().Attributes(), "k8s.node.name")
		return batchOf(node, resource.ScopeLogs().At(0).LogRecords().At(0)), true
	}
	return batch{}, false
}

func (s *sink) count(ctx context.Context, logs plog.Logs) {
	size := ctx.Value(sizeKey{}).(*stats.InPayload)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	to := &s.live
	if logs.ResourceLogs().Len() > 0 {
		if _, is := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("criwatch.replay"); is {
			to = &s.replay
		}
	}
	to.Requests++
	to.Records += logs.LogRecordCount()
	to.Bytes += size.Length
	to.Compressed += size.CompressedLength
}

type sizeKey struct{}

// measure keeps the size of a request for its handler.
type measure struct{}

func (measure) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, sizeKey{}, &stats.InPayload{})
}

func (measure) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if payload, is := event.(*stats.InPayload); is {
		kept := ctx.Value(sizeKey{}).(*stats.InPayload)
		kept.Length, kept.CompressedLength = payload.Length, payload.CompressedLength
	}
}

func (measure) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (measure) HandleConn(context.Context, stats.ConnStats)                       {}
