package redisconn_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// asynq acknowledges with a context that it has cancelled itself.
// Only the deadline of that context counts.
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

// A call of a patient client survives a restart, of a whole cluster
// too. A call of the other client fails with ErrUnavailable.
func TestPatientClientSurvivesRestart(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Restartables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			o := s.Options()
			prompt := o.Client()
			patient := []redis.UniversalClient{o.Patient(), o.MakeRedisClient().(redis.UniversalClient)}
			for _, c := range append(patient, prompt) { // the client of a cluster finds its nodes now
				defer func() { _ = c.Close() }()
				if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
			s.Down()
			answers := make(chan error)
			for _, c := range patient {
				go func() { answers <- c.Eval(t.Context(), "return redis.call('GET',KEYS[1])", []string{"k"}).Err() }()
			}
			if err := prompt.Get(t.Context(), "k").Err(); !errors.Is(redisconn.Wrap(err, "get"), redisconn.ErrUnavailable) {
				t.Errorf("while it is down: %v", err)
			}
			s.Up()
			for range patient {
				if err := <-answers; err != nil {
					t.Errorf("across the restart: %v", err)
				}
			}
		})
	}
}
