package asynqtask_test

import (
	"slices"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
	"github.com/stevedore-jobs/stevedore/tasks/queue/queuetest"
)

// WaitingJobs names two jobs if so many have tasks or shards on the
// queues. A paused queue does not count.
func TestWaitingJobs(t *testing.T) {
	t.Parallel()
	for name, start := range queuetest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t).Client()
			defer func() { _ = r.Close() }()
			c := asynqtask.NewClient(r, r)
			check := func(want ...string) {
				t.Helper()
				got, err := c.WaitingJobs(t.Context(), []string{"exports", "shards"})
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%q, %v, want %q", got, err, want)
				}
			}
			enqueue := func(queue, id string) {
				t.Helper()
				client := asynq.NewClientFromRedisClient(r)
				_, err := client.EnqueueContext(t.Context(), asynq.NewTask("t", nil),
					asynq.Queue(queue), asynq.TaskID(id))
				if err != nil {
					t.Fatal(err)
				}
			}
			check()
			enqueue("shards", "a:s:0")
			enqueue("shards", "a:s:1:g1")
			check("a")
			enqueue("shards", "b:s:0")
			check("a", "b")
			inspector := asynq.NewInspectorFromRedisClient(r)
			if err := inspector.PauseQueue("shards"); err != nil {
				t.Fatal(err)
			}
			check()
			enqueue("exports", "e:g2")
			check("e")
			if err := inspector.UnpauseQueue("shards"); err != nil {
				t.Fatal(err)
			}
			check("a", "b", "e")
		})
	}
}
