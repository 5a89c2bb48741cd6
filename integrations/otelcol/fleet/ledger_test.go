package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// batchWith are records of a batch of the instance "i" on "node", each an id or "completed", in the first replay.
func batchWith(number int64, ids ...string) plog.Logs {
	logs := plog.NewLogs()
	for _, id := range ids {
		of := logs.ResourceLogs().AppendEmpty()
		of.Resource().Attributes().PutStr("k8s.node.name", "node")
		record := of.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		attributes := record.Attributes()
		attributes.PutStr("criwatch.instance", "i")
		attributes.PutInt("criwatch.batch", number)
		attributes.PutInt("criwatch.replay", 1)
		if id != "completed" {
			attributes.PutStr("criwatch.event.id", id)
			continue
		}
		record.SetEventName("criwatch.replay.completed")
		record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Unix(1, 0)))
		attributes.PutInt("criwatch.replay.first_batch", 1)
		attributes.PutInt("criwatch.replay.running", 1)
	}
	return logs
}

func TestAReplayCountsWhenItIsWholeInAnyOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1, 1}} {
		batches := []plog.Logs{
			batchWith(1, "a/1/started", "b/1/started"), batchWith(2, "b/1/started", "b/1/exited"), batchWith(3, "completed"),
		}
		l := newLedger()
		for n, at := range order {
			require.Equal(t, n == 3, l.hasReplayedSince("node", time.Unix(0, 0)))
			l.add(batches[at])
		}
		require.True(t, l.hasReplayedSince("node", time.Unix(0, 0)))
		require.Equal(t, map[string]bool{"a": true}, l.running["node"])
		require.Empty(t, l.faults)
		require.Len(t, l.events, 3)
	}
}
