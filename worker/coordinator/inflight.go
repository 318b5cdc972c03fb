package coordinator

import (
	"sync"
	"time"

	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue/asynqtask"
)

const (
	minInflight     = 64
	inflightPerSlot = 4 // of all workers
	// countSlotsEvery is how long a count of slots is used.
	countSlotsEvery = 10 * time.Second
)

// inflightLimit limits how many shards of one job are enqueued or run
// at once. The limit is high enough that no worker waits for the
// coordinator, and low enough that a later job need not wait for a
// large earlier one.
type inflightLimit struct {
	tasks asynqtask.Client
	own   int // slots of this process, used when the others' cannot be read

	mu      sync.Mutex
	limit   int
	expires time.Time
}

// get returns the limit. Now and then it counts the slots of all
// workers.
func (l *inflightLimit) get() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.expires) {
		return l.limit
	}
	slots, err := l.tasks.Slots(tasks.QueueShards)
	if err != nil {
		slots = l.own
	}
	l.limit = max(minInflight, inflightPerSlot*slots)
	l.expires = time.Now().Add(countSlotsEvery)
	return l.limit
}
