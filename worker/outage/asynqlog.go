package outage

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// AsynqLog writes asynq's own messages to slog. It implements
// asynq.Logger. asynq's default logger ends the process after a Fatal;
// this one does not.
type AsynqLog struct {
	log    *slog.Logger
	isAway func() bool
}

// AsynqLog returns the logger for the server of a pool.
func (w *Watch) AsynqLog(pool string) AsynqLog {
	return AsynqLog{w.log.With("pool", pool), w.isAway}
}

// Debug implements asynq.Logger.
func (l AsynqLog) Debug(args ...any) { l.log.Debug("asynq: " + fmt.Sprint(args...)) }

// Info implements asynq.Logger.
func (l AsynqLog) Info(args ...any) { l.Debug(args...) }

// Warn implements asynq.Logger.
func (l AsynqLog) Warn(args ...any) { l.Debug(args...) }

// Fatal implements asynq.Logger.
func (l AsynqLog) Fatal(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }

// Error implements asynq.Logger. It writes no line about a call that
// failed because Redis is away: every part of asynq would write one
// every few seconds.
func (l AsynqLog) Error(args ...any) {
	text := fmt.Sprint(args...)
	if strings.Contains(text, redisconn.ErrUnavailable.Error()) || l.isAway() {
		l.Debug(args...)
		return
	}
	l.log.Warn("asynq: " + text)
}
