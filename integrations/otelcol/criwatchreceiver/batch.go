package criwatchreceiver

import (
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// batches collects records. It numbers batches without a gap, so that a consumer sees gaps. A new instance shows that the
// receiver was restarted.
type batches struct {
	instance   string
	maxRecords int
	number     int64
	full       []plog.Logs
	open       plog.Logs
	// When the first record of the open batch came; zero: there is none.
	since time.Time
}

func newBatches(maxRecords int) *batches {
	return &batches{instance: uuid.NewString(), maxRecords: maxRecords, open: plog.NewLogs()}
}

// add makes a record in a resource of its own.
func (b *batches) add(resource pcommon.Map) plog.LogRecord {
	if b.open.ResourceLogs().Len() >= b.maxRecords {
		b.seal()
	}
	if b.since.IsZero() {
		b.since = time.Now()
		b.number++
	}
	of := b.open.ResourceLogs().AppendEmpty()
	resource.CopyTo(of.Resource().Attributes())
	scope := of.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(scopeName)
	record := scope.LogRecords().AppendEmpty()
	record.Attributes().PutStr("criwatch.instance", b.instance)
	record.Attributes().PutInt("criwatch.batch", b.number)
	return record
}

// seal ends the open batch: what comes next is in another.
func (b *batches) seal() {
	if !b.since.IsZero() {
		b.full = append(b.full, b.open)
		b.open, b.since = plog.NewLogs(), time.Time{}
	}
}

// take gives all batches away.
func (b *batches) take() []plog.Logs {
	b.seal()
	taken := b.full
	b.full = nil
	return taken
}
