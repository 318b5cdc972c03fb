package redisconn

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// WarnEviction logs a warning if Redis may evict keys, which loses
// jobs: asynq loses a task for ever when the key of its lease is
// evicted. It asks until Redis answers or ctx ends.
func WarnEviction(ctx context.Context, client redis.UniversalClient, log *slog.Logger) {
	const advice = "set maxmemory-policy noeviction"
	for {
		v, err := client.ConfigGet(ctx, "maxmemory-policy").Result()
		switch policy := v["maxmemory-policy"]; {
		case err == nil && policy != "noeviction":
			log.Warn("Redis may evict keys, which loses jobs: "+advice, "policy", policy)
			return
		case err == nil:
			return
		case !errors.Is(Wrap(err, "read maxmemory-policy"), ErrUnavailable):
			log.Warn("could not find out whether Redis may evict keys: "+advice, "error", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}
