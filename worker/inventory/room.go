package inventory

import (
	"context"

	"github.com/stevedore-jobs/stevedore/worker/inventory/parquet"
	"github.com/stevedore-jobs/stevedore/worker/memory"
)

// room is the memory for the pages of Parquet files. It grows to what
// the largest ones need.
type room struct {
	budget *memory.Budget
	share  *memory.Share // nil as long as nothing is held
	claim  int64
	held   int64
}

// grow waits until n bytes are held in all.
func (r *room) grow(ctx context.Context, n int64) error {
	if n <= r.held {
		return nil
	}
	if r.share == nil {
		r.claim = min(parquet.MaxMemory, r.budget.LargestBeside())
		share, err := r.budget.ClaimBeside(r.claim)
		if err != nil {
			return err
		}
		r.share = share
	}
	if n > r.claim {
		return &memory.TooLargeError{
			Need: n, Largest: r.budget.LargestBeside(), Limit: r.budget.Limit(),
		}
	}
	if err := r.share.Grow(ctx, n-r.held); err != nil {
		return err
	}
	r.held = n
	return nil
}

// release gives the memory back. It may be called twice.
func (r *room) release() {
	if r.share != nil {
		r.share.Release()
	}
	r.share, r.held = nil, 0
}
