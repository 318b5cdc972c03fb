// Package outage notices when Redis does not answer a worker, and when
// it answers again. It writes the only lines of the log about that: one
// when Redis goes away, and one when it is back.
package outage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// retryStart is how often Await asks Redis.
const retryStart = time.Second

// Watch watches one Redis for one worker. Make it with New.
type Watch struct {
	redis   redisconn.Options
	client  redis.UniversalClient
	log     *slog.Logger
	outages *redisconn.Outage
}

// New returns a Watch that asks through a client, which should give up
// soon. text returns a text as it may be logged. New does not touch
// Redis.
func New(
	o redisconn.Options, client redis.UniversalClient, log *slog.Logger, text func(string) string,
) *Watch {
	return &Watch{o, client, log, &redisconn.Outage{
		Gone: func(err error) {
			log.Warn("Redis is away: waiting for it", "error", text(o.Explain(err).Error()))
		},
		Back: func(away time.Duration) {
			log.Warn("Redis is back",
				"redis", o.String(), "away", away.Round(time.Millisecond))
		},
	}}
}

// Await waits until Redis answers, or until ctx ends. It fails when
// Redis refuses this worker, because waiting would not change that.
func (w *Watch) Await(ctx context.Context) error {
	for ctx.Err() == nil {
		server, err := redisconn.Check(ctx, w.client)
		if refused := w.refusal(err); refused != nil {
			return refused
		}
		if ctx.Err() == nil {
			w.outages.Note(err)
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
func (w *Watch) refusal(err error) error {
	outage := errors.Is(redisconn.Wrap(err, "check"), redisconn.ErrUnavailable)
	if err == nil || outage || errors.Is(err, context.Canceled) {
		return nil
	}
	return w.redis.ExplainStart(err)
}

func (w *Watch) warnEviction(s redisconn.Server) {
	if s.Eviction != "" && s.Eviction != redisconn.NoEviction {
		w.log.Warn("Redis may evict keys, which loses jobs: set maxmemory-policy noeviction",
			"policy", s.Eviction)
	}
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) { w.outages.Watch(ctx, w.client) }

// isAway reports whether Redis does not answer at this moment.
func (w *Watch) isAway() bool { return redisconn.Ping(context.Background(), w.client) != nil }
