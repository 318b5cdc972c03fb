package coordinator

import (
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/worker/outcome"
)

const (
	// An estimate needs minSample shards, and one in sampleShare of
	// all.
	minSample   = 10
	sampleShare = 20
)

// checkBudget estimates how much a job will keep in Redis when all of
// its parts are there, so that a job which exceeds the budget fails
// early. Shards under way
// count as done, because they have committed checkpoints too. That
// makes the estimate too low, never too high; what it misses is found
// when a commit exceeds the budget.
func checkBudget(s queue.Snapshot, budget int64) error {
	p := s.Committed
	if budget == 0 || p.Shards < max(minSample, p.ShardsTotal/sampleShare) {
		return nil
	}
	begun := p.Shards
	for i := range s.Shards {
		if !s.Done(i) {
			begun++
		}
	}
	parts := s.PartsBytes / begun * p.ShardsTotal
	if estimate := s.KeptBytes - s.PartsBytes + parts; estimate > budget {
		return &outcome.BudgetError{Estimate: estimate}
	}
	return nil
}
