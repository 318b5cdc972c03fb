package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// retryStart is how often a worker tries to reach Redis at its start.
const retryStart = time.Second

// newOutage makes what writes the only two lines about an outage of
// Redis: one when Redis goes away, and one when it is back.
func newOutage(c Config, text func(string) string) *redisconn.Outage {
	return &redisconn.Outage{
		Gone: func(err error) {
			c.Log.Warn("Redis is away: waiting for it", "error", text(c.Redis.Explain(err).Error()))
		},
		Back: func(away time.Duration) {
			c.Log.Warn("Redis is back",
				"redis", c.Redis.String(), "away", away.Round(time.Millisecond))
		},
	}
}

// awaitRedis waits until Redis answers, or until ctx ends. It fails when
// Redis refuses this worker, because waiting would not change that.
func (w *Worker) awaitRedis(ctx context.Context) error {
	for ctx.Err() == nil {
		server, err := redisconn.Check(ctx, w.prompt)
		if refused := w.refusal(err); refused != nil {
			return refused
		}
		if ctx.Err() == nil {
			w.outage.Note(err)
			w.warnEviction(server)
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryStart):
		}
	}
	return nil
}

// refusal returns why Redis does not accept this worker. It is nil for
// an outage.
func (w *Worker) refusal(err error) error {
	outage := errors.Is(redisconn.Wrap(err, "check"), redisconn.ErrUnavailable)
	if err == nil || outage || errors.Is(err, context.Canceled) {
		return nil
	}
	return w.config.Redis.ExplainStart(err)
}

func (w *Worker) warnEviction(s redisconn.Server) {
	if s.Eviction != "" && s.Eviction != redisconn.NoEviction {
		w.log.Warn("Redis may evict keys, which loses jobs: set maxmemory-policy noeviction",
			"policy", s.Eviction)
	}
}

// asynqLog writes asynq's own messages to slog. asynq's default logger
// ends the process after a Fatal; this one does not.
type asynqLog struct {
	log *slog.Logger
	// isAway reports whether Redis does not answer at this moment.
	isAway func() bool
}

func (l asynqLog) Debug(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l asynqLog) Fatal(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }

// Error writes no line about a call that failed because Redis is away:
// every part of asynq would write one every few seconds. The worker
// itself logs the outage.
func (l asynqLog) Error(args ...any) {
	text := fmt.Sprint(args...)
	if strings.Contains(text, redisconn.ErrUnavailable.Error()) || l.isAway() {
		l.log.Debug("asynq: " + text)
		return
	}
	l.log.Warn("asynq: " + text)
}
