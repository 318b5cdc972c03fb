package redisconn_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// maxStandstill is how long after a failover calls may still fail.
const maxStandstill = 5 * time.Second

// The master of a key is killed, and its replica takes its place. Soon
// after that, a patient call that began before succeeds, and so does a
// client that made no call in between.
func TestStandstillAfterFailover(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Replicateds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			idle, patient := r.Options().Client(), r.Options().Patient()
			for _, c := range []redis.UniversalClient{idle, patient} {
				defer func() { _ = c.Close() }()
				if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
					t.Fatal(err)
				}
			}

			answer := make(chan error, 1)
			r.Master("k").Kill()
			go func() { answer <- patient.Set(t.Context(), "k", "v", 0).Err() }()
			r.Master("k")
			promoted := time.Now()
			if err := <-answer; err != nil {
				t.Errorf("the patient call: %v", err)
			}
			checkStandstill(t, "the patient call", promoted)
			queuetest.Eventually(t, time.Minute, "the idle client works", func() bool {
				return idle.Set(t.Context(), "k", "v", 0).Err() == nil
			})
			checkStandstill(t, "the idle client", promoted)
		})
	}
}

func checkStandstill(t *testing.T, what string, promoted time.Time) {
	t.Helper()
	took := time.Since(promoted)
	t.Logf("standstill of %s after the failover: %v", what, took.Round(time.Millisecond))
	if took > maxStandstill {
		t.Errorf("more than %v", maxStandstill)
	}
}
