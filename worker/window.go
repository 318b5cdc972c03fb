package worker

import (
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// window is how many shards of one job are on the queue or under way at once:
// enough that no worker waits for the coordinator, few enough that a job
// which comes later need not wait for a large one.
type window struct {
	mu    sync.Mutex
	until time.Time
	size  int
}

const (
	windowLeast = 64
	windowEach  = 4 // shards for each slot of all workers
	windowGood  = 10 * time.Second
)

// window counts the slots of all workers now and then.
func (w *Worker) window() int {
	w.slots.mu.Lock()
	defer w.slots.mu.Unlock()
	if time.Now().Before(w.slots.until) {
		return w.slots.size
	}
	slots := w.config.ShardSlots
	if servers, err := w.inspector.Servers(); err == nil {
		slots = 0
		for _, s := range servers {
			if _, ok := s.Queues[tasks.QueueShards]; ok {
				slots += s.Concurrency
			}
		}
	}
	w.slots.size, w.slots.until = max(windowLeast, windowEach*slots), time.Now().Add(windowGood)
	return w.slots.size
}
