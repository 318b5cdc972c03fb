package asynqtask

import (
	"slices"

	"github.com/hibiken/asynq"

	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// IsRunning reports whether a live worker says that it runs a
// task. A worker says so every 5 seconds, for 10 seconds.
// IsRunning returns true if Redis does not answer.
func (c Client) IsRunning(taskID string) bool {
	servers, err := c.inspector.Servers()
	for _, s := range servers {
		runs := func(w *asynq.WorkerInfo) bool { return w.TaskID == taskID }
		if slices.ContainsFunc(s.ActiveWorkers, runs) {
			return true
		}
	}
	return err != nil
}

// GuestPlaces is how many tasks the asynq server of a pool may run
// beyond the slots of the pool: see package admission.
const GuestPlaces = 1

// Slots returns how many slots all live workers have for a queue.
func (c Client) Slots(queue string) (int, error) {
	servers, err := c.inspector.Servers()
	slots := 0
	for _, s := range servers {
		if _, ok := s.Queues[queue]; ok {
			slots += s.Concurrency - GuestPlaces
		}
	}
	return slots, redisconn.Wrap(err, "ask for workers")
}
