package criwatchreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
)

// delivery hands batches on, in their order, at least once.
type delivery struct {
	config DeliveryConfig
	next   consumer.Logs
	report *receiverhelper.ObsReport
	logger *zap.Logger
}

func newDelivery(set receiver.Settings, config DeliveryConfig, next consumer.Logs) (*delivery, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "cri", LongLivedCtx: true, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &delivery{config: config, next: next, report: report, logger: set.Logger}, nil
}

// send offers a batch until it is taken. What is refused for good is dropped, and the receiver of the batches sees the hole in
// their numbers. When the context has ended, it offers only once: the pipeline stops after its receivers.
func (d *delivery) send(ctx context.Context, batch plog.Logs) {
	for pause := d.config.RetryInitialInterval; ; pause = min(2*pause, d.config.RetryMaxInterval) {
		err := d.offer(batch)
		if err == nil {
			return
		}
		if consumererror.IsPermanent(err) {
			d.logger.Error("a batch was refused for good, and is dropped", zap.Int("records", batch.LogRecordCount()), zap.Error(err))
			return
		}
		var part consumererror.Logs
		if errors.As(err, &part) {
			batch = part.Data()
		}
		// Agents of many nodes must not come back all at once.
		pause := pause/2 + rand.N(pause/2+1)
		d.logger.Debug("a batch was refused, and is offered again", zap.Duration("after", pause), zap.Error(err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			d.logger.Warn("records are left behind: the next start reports them again if the engine still has their containers",
				zap.Int("records", batch.LogRecordCount()), zap.Error(err))
			return
		}
	}
}

func (d *delivery) offer(batch plog.Logs) error {
	// The consumer may change what it gets, also when it refuses it in the end.
	offered := plog.NewLogs()
	batch.CopyTo(offered)
	ctx := d.report.StartLogsOp(context.Background())
	err := d.next.ConsumeLogs(ctx, offered)
	d.report.EndLogsOp(ctx, "criwatch", batch.LogRecordCount(), err)
	return err
}
