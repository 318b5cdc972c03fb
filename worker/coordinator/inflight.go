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
	// countSlotsEvery is how long a count of slots is used. A worker
	// that has just started may wait so long for its first shards.
	countSlotsEvery = 5 * time.Second
	// paceWindow is how far back an inflightLimit looks for shards that
	// were done.
	paceWindow = 5 * time.Second
)

// slotCount counts the slots for shards of all workers.
type slotCount struct {
	tasks asynqtask.Client
	own   int // slots of this process, used when the others' cannot be read

	mu      sync.Mutex
	slots   int
	expires time.Time
}

// get returns the number of slots. Now and then it counts them.
func (c *slotCount) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.expires) {
		return c.slots
	}
	slots, err := c.tasks.Slots(tasks.QueueShards)
	if err != nil {
		slots = 0
	}
	c.slots = max(slots, c.own)
	c.expires = time.Now().Add(countSlotsEvery)
	return c.slots
}

// inflightLimit limits how many shards of one job are enqueued or run
// at once: one for every slot, half as many that wait, and as many more
// as were done in the last seconds. So no worker waits for the
// coordinator. But when the turns of the shards that run are over, not
// all slots go to this job again: a small later job waits for one turn.
type inflightLimit struct {
	done []mark // committed shards in the last seconds, oldest first
}

// update notes how many shards are committed, and returns the limit.
func (l *inflightLimit) update(now time.Time, done int64, slots int) int {
	for len(l.done) > 1 && now.Sub(l.done[1].at) > paceWindow {
		l.done = l.done[1:]
	}
	if n := len(l.done); n == 0 || done != l.done[n-1].count {
		l.done = append(l.done, mark{now, done})
	}
	recent := max(done-l.done[0].count, 0) // Redis may lose its last second
	wait := max(slots/2, 1) + int(recent)
	return min(slots+wait, max(minInflight, inflightPerSlot*slots))
}
