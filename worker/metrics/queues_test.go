package metrics

import (
	"errors"
	"testing"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

// The series that asynqmon asks for have asynq's own names. The queues
// that could be read are reported even if others could not.
func TestQueues(t *testing.T) {
	t.Parallel()
	_, registry := newTest(t, func() ([]asynqtask.Queue, error) {
		return []asynqtask.Queue{{
			Name:      "shards",
			Size:      12, // with three tasks that have ended
			States:    map[asynqtask.State]int{asynqtask.Active: 2, asynqtask.Pending: 7, asynqtask.Completed: 2, asynqtask.Archived: 1},
			Latency:   3 * time.Second,
			Memory:    1000,
			Processed: 50,
			Failed:    4,
			Paused:    true,
		}}, errors.New("another queue could not be read")
	})
	for name, want := range map[string]float64{
		"asynq_queue_size":                      9,
		"asynq_queue_latency_seconds":           3,
		"asynq_queue_memory_usage_approx_bytes": 1000,
		"asynq_tasks_processed_total":           50,
		"asynq_tasks_failed_total":              4,
		"asynq_queue_paused_total":              1,
	} {
		if got, ok := series(t, registry, name)["shards "]; !ok || got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	states := series(t, registry, "asynq_tasks_enqueued_total")
	if states["shards active "] != 2 || states["shards pending "] != 7 {
		t.Errorf("tasks by state: %v", states)
	}
}

func TestSlotsAndLimits(t *testing.T) {
	t.Parallel()
	_, registry := newTest(t, noQueues)
	for name, want := range map[string]map[string]float64{
		"stevedore_slots":                 {"shards ": 4},
		"stevedore_slots_busy":            {"shards ": 3},
		"stevedore_slots_leftover":        {"shards ": 1},
		"stevedore_bucket_requests_limit": {"other ": 7},
		"stevedore_redis_up":              {"": 1},
		"stevedore_draining":              {"": 0},
	} {
		got := series(t, registry, name)
		for labels, value := range want {
			if n, ok := got[labels]; !ok || n != value {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	}
}
