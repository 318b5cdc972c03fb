package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	o, err := queue.ParseURL("rediss://me:hush@cache.example:6380/3")
	if err != nil || o.Addr != "cache.example:6380" || o.Username != "me" || o.Password != "hush" || o.DB != 3 || o.TLS == nil {
		t.Errorf("%+v, %v", o, err)
	}
	if s := o.String(); s != "redis at cache.example:6380 db 3" {
		t.Errorf("String = %q", s)
	}
	for _, bad := range []string{"localhost:6379", "http://x", "redis://me:hush@host:port", "redis://:hush@%zz", ""} {
		if _, err := queue.ParseURL(bad); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// asynq acknowledges on a context that it has cancelled itself; the lease's
// deadline is what counts.
func TestAcknowledgementIgnoresCancel(t *testing.T) {
	t.Parallel()
	c := queuetest.Embedded(t).MakeRedisClient().(redis.UniversalClient)
	defer func() { _ = c.Close() }()
	cancelled := func(d time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		cancel()
		return ctx
	}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"script before the deadline": {c.Eval(cancelled(time.Minute), "return 1", nil).Err(), nil},
		"script past the deadline":   {c.Eval(cancelled(-time.Minute), "return 1", nil).Err(), context.DeadlineExceeded},
		"anything else":              {c.Get(cancelled(time.Minute), "k").Err(), context.Canceled},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
}
